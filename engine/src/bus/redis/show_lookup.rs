//! Finds the show for a join or a host's message: all that wait for the same code or show share one lookup in the
//! directory.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{ConnRef, ShowCode, ShowId};
use klaxon_protocol::link::{JoinRequest, ToEngine};

use super::gateway_publisher::retry;
use super::gateway_queues::{GatewayQueues, QueuesState};
use super::waiting::Directed;
use crate::bus::queue::count_full;

impl GatewayQueues {
    pub(super) fn join(&self, request: JoinRequest) {
        let mut state = self.state();
        let cached = state.codes.get(&request.code);
        if let Some(show) = cached.filter(|show| !show.is_some_and(|show| state.has_ended(show))) {
            return self.enter(&mut state, show, request);
        }
        let code = request.code.clone();
        match state.joins.push(code.clone(), request) {
            Ok(true) => self.spawn_lookup(&mut state, self.clone().look_up_code(code)),
            Ok(false) => {}
            Err(request) => self.refuse_waiting(ToEngine::Join(request)),
        }
    }

    async fn look_up_code(self, code: ShowCode) {
        let (mut directory, mut failures) = (self.directory(), 0);
        let found = loop {
            match directory.show(&code).await {
                Ok(found) => break found,
                Err(error) => retry("a code can't be looked up", &error, &mut failures).await,
            }
        };
        let mut state = self.state();
        // A Redis that lost its data gets the show's line again from the show's engine, so an active show counts as
        // listed.
        let cached = state.codes.last_known(&code).filter(|show| state.is_active(*show));
        let found = found.or_else(|| cached.map(|show| (show, false)));
        let show = found.map(|(show, _)| show);
        match found {
            // The show has ended, so its code may belong to another show at any time: it is not cached.
            Some((_, true)) => state.codes.remove(&code),
            _ => state.remember_code(code.clone(), show),
        }
        for request in state.joins.take(&code) {
            self.enter(&mut state, show, request);
        }
    }

    /// Passes a join to the show of its resume token if that show is in the directory, else to the show that has the
    /// code.
    fn enter(&self, state: &mut QueuesState, by_code: Option<ShowId>, request: JoinRequest) {
        match request.resumes() {
            Some(earlier) if Some(earlier) != by_code => {
                self.look_up_for(state, earlier, Directed::Resume(by_code, request));
            }
            _ => self.hand_in(state, by_code, ToEngine::Join(request)),
        }
    }

    pub(super) fn host(&self, conn: ConnRef, message: FromHost) {
        let show = match &message {
            FromHost::Create(_) | FromHost::CreateGame(_) | FromHost::Shows => {
                return self.request(ToEngine::Host { conn, message });
            }
            FromHost::Command(command) => command.show,
            FromHost::FindPlayers(find) => find.show,
            FromHost::JournalTail(tail) => tail.show,
            // The gateway answers these itself.
            FromHost::Watch(_) | FromHost::Unwatch(_) | FromHost::Ping(_) => return,
        };
        self.look_up_for(&mut self.state(), show, Directed::Host(conn, message));
    }

    fn look_up_for(&self, state: &mut QueuesState, show: ShowId, directed: Directed) {
        match state.directed.push(show, directed) {
            Ok(true) => self.spawn_lookup(state, self.clone().look_up_show(show)),
            Ok(false) => {}
            Err(Directed::Resume(_, request)) => self.refuse_waiting(ToEngine::Join(request)),
            Err(Directed::Host(conn, message)) => self.refuse_waiting(ToEngine::Host { conn, message }),
        }
    }

    async fn look_up_show(self, show: ShowId) {
        let (mut directory, mut failures) = (self.directory(), 0);
        let is_listed = loop {
            match directory.line(show).await {
                Ok(line) => break line.is_some(),
                Err(error) => retry("a show can't be looked up", &error, &mut failures).await,
            }
        };
        let mut state = self.state();
        for directed in state.directed.take(&show) {
            match directed {
                Directed::Resume(by_code, request) => {
                    let show = if is_listed { Some(show) } else { by_code };
                    self.hand_in(&mut state, show, ToEngine::Join(request));
                }
                Directed::Host(conn, message) => {
                    let show = (is_listed || state.is_active(show)).then_some(show);
                    self.hand_in(&mut state, show, ToEngine::Host { conn, message });
                }
            }
        }
    }

    fn hand_in(&self, state: &mut QueuesState, show: Option<ShowId>, message: ToEngine) {
        match show {
            Some(show) => self.push(&self.need(state, show), message),
            None => self.refuse(message, ErrorCode::UnknownShow),
        }
    }

    fn refuse_waiting(&self, message: ToEngine) {
        count_full("lookups");
        self.refuse(message, ErrorCode::Unavailable);
    }
}
