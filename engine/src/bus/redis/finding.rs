//! Which show a join or a host's message is about: a gateway asks the directory, and remembers.

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::host::{FromHost, Refused, ToHost};
use klaxon_protocol::ids::{ConnRef, ShowCode, ShowId};
use klaxon_protocol::link::{JoinRequest, ToEngine, ToGateway};

use super::entry::of_gateway;
use super::orders::Order;
use super::sending::{Sender, wait};
use super::show_out::ShowOut;

impl Sender {
    pub(super) fn join(&mut self, request: JoinRequest) -> Option<ShowId> {
        match self.codes.get(&request.code).filter(|show| !show.is_some_and(|show| self.has_ended(show))) {
            Some(show) => return self.enter(show, request),
            None => {
                let code = request.code.clone();
                if self.joining.push(code.clone(), request) {
                    let (mut directory, orders) = (self.directory.clone(), self.ends.orders.clone());
                    tokio::spawn(async move {
                        let mut failures = 0;
                        let show = loop {
                            match directory.show(&code).await {
                                Ok(show) => break show,
                                Err(_) if orders.is_closed() => return,
                                Err(error) => wait(&mut failures, "a code can't be looked up", &error).await,
                            }
                        };
                        let _ = orders.send(Order::Found(code, show));
                    });
                }
            }
        }
        None
    }

    pub(super) fn found(&mut self, code: ShowCode, found: Option<(ShowId, bool)>) -> Option<ShowId> {
        // A Redis that lost its memory hears of the show from its engine in a moment.
        let found =
            found.or_else(|| self.codes.before(&code).filter(|show| self.is_heard(*show)).map(|show| (show, false)));
        let waiting = self.joining.take(&code);
        let show = found.map(|(show, _)| show);
        match found {
            // The code is another show's as soon as a host makes one.
            Some((_, true)) => self.codes.forget_one(&code),
            _ => self.codes.found(code, show),
        }
        for request in waiting {
            self.enter(show, request);
        }
        show
    }

    /// Hands a join to the show that its resume token is of, as long as that one is listed, or else to the one that has the code.
    fn enter(&mut self, by_code: Option<ShowId>, request: JoinRequest) -> Option<ShowId> {
        match request.resumes() {
            Some(earlier) if Some(earlier) != by_code => {
                if self.resuming.push(earlier, (by_code, request)) {
                    self.look_up(earlier, Order::Resumed);
                }
                None
            }
            _ => self.hand_in(by_code, request),
        }
    }

    fn hand_in(&mut self, show: Option<ShowId>, request: JoinRequest) -> Option<ShowId> {
        match show {
            Some(show) => {
                self.need(show);
                self.with(show, |out| out.push(ToEngine::Join(request)));
            }
            None => self.refuse_join(request.conn),
        }
        show
    }

    pub(super) fn resumed(&mut self, earlier: ShowId, is_listed: bool) -> Option<ShowId> {
        let mut entered = None;
        for (by_code, request) in self.resuming.take(&earlier) {
            entered = self.hand_in(if is_listed { Some(earlier) } else { by_code }, request);
        }
        entered
    }

    fn look_up(&self, show: ShowId, then: fn(ShowId, bool) -> Order) {
        let (mut directory, orders) = (self.directory.clone(), self.ends.orders.clone());
        tokio::spawn(async move {
            let mut failures = 0;
            let is_listed = loop {
                match directory.line(show).await {
                    Ok(line) => break line.is_some(),
                    Err(_) if orders.is_closed() => return,
                    Err(error) => wait(&mut failures, "a show can't be looked up", &error).await,
                }
            };
            let _ = orders.send(then(show, is_listed));
        });
    }

    fn has_ended(&self, show: ShowId) -> bool {
        self.shows.get(&show).is_some_and(|out| out.has_ended)
    }

    fn is_heard(&self, show: ShowId) -> bool {
        self.shows.get(&show).is_some_and(ShowOut::is_heard)
    }

    fn refuse_join(&self, conn: ConnRef) {
        self.refuse(ToGateway::JoinRefused { conn, error: ErrorMessage::from(ErrorCode::UnknownShow) });
    }

    fn refuse(&self, refusal: ToGateway) {
        // Without the gateway's end nobody is refused anything.
        let _ = self.ends.refused.send(refusal);
    }

    pub(super) fn host(&mut self, conn: ConnRef, message: FromHost) {
        let show = match &message {
            FromHost::Create(_) | FromHost::Shows => {
                return self.requests.push_back(of_gateway(&[ToEngine::Host { conn, message }]).into());
            }
            FromHost::Command(command) => command.show,
            FromHost::FindPlayers(find) => find.show,
            FromHost::JournalTail(tail) => tail.show,
            // The gateway answers these itself.
            FromHost::Watch(_) | FromHost::Unwatch(_) | FromHost::Ping(_) => return,
        };
        if self.commanding.push(show, (conn, message)) {
            self.look_up(show, Order::Listed);
        }
    }

    pub(super) fn listed(&mut self, show: ShowId, is_listed: bool) -> Option<ShowId> {
        let is_there = is_listed || self.is_heard(show);
        for (conn, message) in self.commanding.take(&show) {
            if is_there {
                self.need(show);
                self.with(show, |out| out.push(ToEngine::Host { conn, message }));
                continue;
            }
            let error = ErrorMessage::from(ErrorCode::UnknownShow);
            let message = match message {
                FromHost::Command(command) => ToHost::Refused(Refused { id: command.id, error }),
                _ => ToHost::Error(error),
            };
            self.refuse(ToGateway::Host { conn, message });
        }
        is_there.then_some(show)
    }
}
