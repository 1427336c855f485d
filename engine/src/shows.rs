//! All shows of this engine: which there are, and what of the bus goes to which.

use std::collections::HashMap;

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Create, Created, FromHost, Refused, ShowLine, Shows as ShowList, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, Fence, ShowCode, ShowId};
use klaxon_protocol::journal::{Command, CreateShow};
use klaxon_protocol::link::{ToEngine, ToGateway};
use klaxon_protocol::player::Phase;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::Ports;
use crate::bus::Address;
use crate::game;
use crate::journal::JournalError;
use crate::show::{Recovered, RecoveryError, Show, Status, ToShow, recover};

/// How many messages are taken from the bus at once.
const TAKE: usize = 1024;
/// Letters and digits of a code that the server makes: none that are taken for another.
const CODE_LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// The length of such a code: a billion codes, few enough letters to type.
const CODE_LENGTH: usize = 6;

/// The shows of one engine.
pub struct Shows {
    ports: Ports,
    by_id: HashMap<ShowId, Known>,
    /// A code stays with its show until another show takes it.
    by_code: HashMap<ShowCode, ShowId>,
    /// Which show a host's create made, so that sending it again makes no second.
    created: HashMap<CommandId, ShowId>,
    running: JoinSet<()>,
}

/// A show that this engine knows.
struct Known {
    code: ShowCode,
    title: String,
    /// Closed when the show is gone.
    inbox: mpsc::UnboundedSender<ToShow>,
    status: watch::Receiver<Status>,
}

/// Why an engine could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A show can't be taken up.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
}

impl Shows {
    /// Takes up every show that the journal holds.
    ///
    /// # Errors
    /// If a journal can't be read or does not tell a show: an operator must look before anything is written over it.
    pub async fn open(ports: Ports) -> Result<Self, StartError> {
        let mut shows = Self {
            ports: ports.clone(),
            by_id: HashMap::new(),
            by_code: HashMap::new(),
            created: HashMap::new(),
            running: JoinSet::new(),
        };
        for id in ports.journal.shows().await? {
            let restored = ports.journal.read(id).await?;
            if let Some(cut) = restored.cut {
                tracing::warn!(show = %id, ?cut, "the journal's last record was cut short by a crash and is cut off");
            }
            let Some(Command::Create(create)) = restored.records.first().map(|record| &record.command) else {
                tracing::warn!(show = %id, "an empty journal: the show was cut off before it began");
                continue;
            };
            let (inbox, messages) = mpsc::unbounded_channel();
            let status = match recover(ports.clone(), id, &restored.records, messages).await? {
                Recovered::Live(show) => {
                    let status = show.status();
                    shows.running.spawn(show.run());
                    status
                }
                Recovered::Over(status) => status,
            };
            shows.know(id, create, inbox, status);
        }
        Ok(shows)
    }

    fn know(
        &mut self,
        id: ShowId,
        create: &CreateShow,
        inbox: mpsc::UnboundedSender<ToShow>,
        status: watch::Receiver<Status>,
    ) {
        let known = Known { code: create.code.clone(), title: create.pack.title.clone(), inbox, status };
        self.created.insert(create.id.clone(), id);
        // Of several shows that had a code one after another, the one that still runs has it.
        let holder = self.by_code.get(&create.code).and_then(|holder| self.by_id.get(holder));
        if holder.is_none_or(Known::is_gone) {
            self.by_code.insert(create.code.clone(), id);
        }
        self.by_id.insert(id, known);
    }

    /// Serves the bus until no gateway is left, then lets every show write what it has.
    pub async fn run(mut self) {
        let bus = self.ports.bus.clone();
        let mut taken = Vec::with_capacity(TAKE);
        while bus.receive(&mut taken).await {
            for message in taken.drain(..) {
                self.route(message).await;
            }
            while self.running.try_join_next().is_some() {}
        }
        self.by_id.clear();
        while self.running.join_next().await.is_some() {}
    }

    async fn route(&mut self, message: ToEngine) {
        match message {
            ToEngine::Hello { gateway } => tracing::info!(%gateway, "a gateway is up"),
            ToEngine::Bye { gateway } => {
                tracing::info!(%gateway, "a gateway went down");
                for known in self.by_id.values() {
                    known.tell(ToShow::GatewayGone(gateway));
                }
            }
            ToEngine::Join(request) => {
                let known = self.by_code.get(&request.code).and_then(|id| self.by_id.get(id));
                let conn = request.conn;
                let refused = match known {
                    None => Some(ErrorCode::UnknownShow),
                    Some(known) => (!known.tell(ToShow::Join(request))).then_some(ErrorCode::ShowEnded),
                };
                if let Some(code) = refused {
                    let refused = ToGateway::JoinRefused { conn, error: ErrorMessage::from(code) };
                    self.ports.bus.send(Address::One(conn.gateway), refused);
                }
            }
            ToEngine::Answers(batch) => self.tell(batch.show, ToShow::Answers(batch)),
            ToEngine::BarrierPassed { gateway, show, question } => {
                self.tell(show, ToShow::BarrierPassed(gateway, question));
            }
            ToEngine::Resync { conn, show, seat } => self.tell(show, ToShow::Resync(conn, seat)),
            ToEngine::Reactions { show, counts } => self.tell(show, ToShow::Reactions(counts)),
            ToEngine::Host { conn, message } => self.host(conn, message).await,
        }
    }

    /// For messages that nobody waits for an answer to.
    fn tell(&self, show: ShowId, message: ToShow) {
        if let Some(known) = self.by_id.get(&show) {
            known.tell(message);
        }
    }

    async fn host(&mut self, conn: ConnRef, message: FromHost) {
        let refused = match message {
            FromHost::Create(create) => return self.create(conn, *create).await,
            FromHost::Command(command) => {
                let id = command.id.clone();
                let message = ToShow::Command(conn, command.id, command.action);
                self.tell_for_host(command.show, message)
                    .err()
                    .map(|code| ToHost::Refused(Refused { id, error: ErrorMessage::from(code) }))
            }
            FromHost::FindPlayers(find) => {
                self.tell_for_host(find.show, ToShow::FindPlayers(conn, find.name)).err().map(error)
            }
            FromHost::JournalTail(tail) => {
                self.tell_for_host(tail.show, ToShow::JournalTail(conn, tail.last)).err().map(error)
            }
            FromHost::Shows => Some(ToHost::Shows(self.list())),
            // The gateway answers these itself.
            FromHost::Watch(_) | FromHost::Unwatch(_) | FromHost::Ping(_) => None,
        };
        if let Some(message) = refused {
            self.to_host(conn, message);
        }
    }

    fn tell_for_host(&self, show: ShowId, message: ToShow) -> Result<(), ErrorCode> {
        let known = self.by_id.get(&show).ok_or(ErrorCode::UnknownShow)?;
        if known.tell(message) { Ok(()) } else { Err(ErrorCode::ShowEnded) }
    }

    fn to_host(&self, conn: ConnRef, message: ToHost) {
        self.ports.bus.send(Address::One(conn.gateway), ToGateway::Host { conn, message });
    }

    fn list(&self) -> ShowList {
        let line = |(&show, known): (&ShowId, &Known)| {
            let status = *known.status.borrow();
            let (code, title) = (known.code.clone(), known.title.clone());
            ShowLine { show, code, title, phase: status.phase, joined: status.joined }
        };
        let mut shows: Vec<ShowLine> = self.by_id.iter().map(line).collect();
        shows.sort_unstable_by(|a, b| (&a.code, a.show).cmp(&(&b.code, b.show)));
        ShowList { shows }
    }

    async fn create(&mut self, conn: ConnRef, create: Create) {
        let id = create.id.clone();
        if let Some((&show, known)) = self.created.get(&id).and_then(|show| self.by_id.get_key_value(show)) {
            return self.to_host(conn, ToHost::Created(Created { id, show, code: known.code.clone() }));
        }
        if let Err(refusal) = self.try_create(conn, create).await {
            self.to_host(conn, ToHost::Refused(Refused { id, error: ErrorMessage::from(&refusal) }));
        }
    }

    async fn try_create(&mut self, conn: ConnRef, create: Create) -> Result<(), Refusal> {
        let code = match create.code {
            Some(code) if !self.is_free(&code) => return Err(ErrorCode::CodeTaken.into()),
            Some(code) => code,
            None => self.unused_code(),
        };
        let Create { id, pack, settings, .. } = create;
        let show = CreateShow { id: id.clone(), code: code.clone(), seed: rand::random(), pack, settings };
        let now = self.ports.clock.now();
        let game = game::create(now, &show)?;
        let show_id = ShowId(rand::random());
        let unavailable = |error| Refusal::because(ErrorCode::Unavailable, format!("{error}."));
        let fence = self.ports.arbiter.lease(show_id, Fence(0)).await.map_err(unavailable)?;
        let (inbox, messages) = mpsc::unbounded_channel();
        let created = ToHost::Created(Created { id, show: show_id, code });
        let live =
            Show::create(self.ports.clone(), messages, (show_id, fence), (now, show.clone(), game), (conn, created));
        self.know(show_id, &show, inbox, live.status());
        self.by_code.insert(show.code, show_id);
        self.running.spawn(live.run());
        Ok(())
    }

    fn is_free(&self, code: &ShowCode) -> bool {
        let holder = self.by_code.get(code).and_then(|id| self.by_id.get(id));
        holder.is_none_or(|known| known.is_gone() || known.status.borrow().phase == Phase::Ended)
    }

    fn unused_code(&self) -> ShowCode {
        loop {
            let letters = (0..CODE_LENGTH).map(|_| char::from(CODE_LETTERS[rand::random_range(0..CODE_LETTERS.len())]));
            let text: String = letters.collect();
            if let Ok(code) = ShowCode::parse(&text)
                && self.is_free(&code)
            {
                return code;
            }
        }
    }
}

impl Known {
    /// False if the show is gone.
    fn tell(&self, message: ToShow) -> bool {
        self.inbox.send(message).is_ok()
    }

    fn is_gone(&self) -> bool {
        self.inbox.is_closed()
    }
}

fn error(code: ErrorCode) -> ToHost {
    ToHost::Error(ErrorMessage::from(code))
}
