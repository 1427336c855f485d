//! All shows of this engine: which there are, and what of the bus goes to which.

use std::collections::{HashMap, HashSet};

use klaxon_protocol::error::{ErrorCode, ErrorMessage, Refusal};
use klaxon_protocol::host::{Create, Created, FromHost, Refused, ShowLine, Shows as ShowList, ToHost};
use klaxon_protocol::ids::{CommandId, ConnRef, Fence, ShowCode, ShowId};
use klaxon_protocol::journal::{Command, CreateShow};
use klaxon_protocol::link::{ToEngine, ToGateway};
use klaxon_protocol::player::Phase;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::Ports;
use crate::bus::Address;
use crate::game;
use crate::journal::JournalError;
use crate::replay::ReplayError;
use crate::show::{self, NewShow, Recovered, RecoveryError, Show, Status, ToShow, recover};

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
    /// Shows whose journal can't be read or does not tell a show: nothing is done in them until an operator has looked.
    set_aside: HashSet<ShowId>,
    /// A code stays with its show until another show takes it.
    by_code: HashMap<ShowCode, ShowId>,
    /// Which show a host's create made, so that sending it again makes no second.
    created: HashMap<CommandId, ShowId>,
    /// The shows, and what goes to the archive.
    running: JoinSet<()>,
}

/// A show that this engine knows.
struct Known {
    code: ShowCode,
    title: String,
    /// Closed when the show is gone.
    inbox: mpsc::UnboundedSender<ToShow>,
    /// As the journal has it; none if nothing of the show is written yet.
    status: watch::Receiver<Option<Status>>,
}

/// Why an engine could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal can't be listed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A show can't be taken up, and it is not the show's own journal that is wrong.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
}

impl Shows {
    /// Takes up every show that the journal holds. One whose journal is damaged or does not tell a show is set aside, and does
    /// not keep the others down: it is logged and counted, its file is left as it is, and whoever asks for it hears
    /// `unavailable`.
    ///
    /// # Errors
    /// If the journal or the arbiter does not answer.
    pub async fn open(ports: Ports) -> Result<Self, StartError> {
        let mut shows = Self {
            ports: ports.clone(),
            by_id: HashMap::new(),
            set_aside: HashSet::new(),
            by_code: HashMap::new(),
            created: HashMap::new(),
            running: JoinSet::new(),
        };
        for id in ports.journal.shows().await? {
            match shows.take_up(id).await {
                Err(error) if error.is_the_shows_own() => shows.set_aside(id, &error).await,
                taken => taken?,
            }
        }
        metrics::gauge!("klaxon_shows_set_aside").set(shows.set_aside.len() as f64);
        Ok(shows)
    }

    async fn take_up(&mut self, id: ShowId) -> Result<(), RecoveryError> {
        let restored = self.ports.journal.read(id).await?;
        if let Some(cut) = restored.cut {
            tracing::warn!(show = %id, ?cut, "the journal's last record was cut short by a crash and is cut off");
        }
        let create = match restored.records.first().map(|record| &record.command) {
            None => {
                tracing::warn!(show = %id, "an empty journal: the show was cut off before it began");
                return Ok(());
            }
            Some(Command::Create(create)) => create,
            Some(_) => return Err(RecoveryError::Replay { show: id, error: ReplayError::NoCreate }),
        };
        let (inbox, messages) = mpsc::unbounded_channel();
        let status = match recover(self.ports.clone(), id, &restored.records, messages).await? {
            Recovered::Live(show) => {
                let status = show.status();
                self.running.spawn(show.run());
                status
            }
            Recovered::Over(status, results) => {
                if let Some(results) = results {
                    self.running.spawn(show::store(self.ports.clone(), *results));
                }
                watch::channel(Some(status)).1
            }
        };
        self.know(id, create, inbox, status);
        Ok(())
    }

    /// Leaves a show alone that could not be taken up.
    async fn set_aside(&mut self, id: ShowId, why: &RecoveryError) {
        self.set_aside.insert(id);
        let first = self.ports.journal.first(id).await.ok().flatten().map(|record| record.command);
        let (mut code, mut title) = (None, None);
        if let Some(Command::Create(create)) = first {
            code = Some(create.code.to_string());
            title = Some(create.pack.title);
            self.created.insert(create.id, id);
            if self.is_free(&create.code) {
                self.by_code.insert(create.code, id);
            }
        }
        tracing::error!(
            show = %id, code, title, error = %why,
            "this show is SET ASIDE: nobody can join or host it, and its journal is left as it is. Put back a whole copy of the \
             journal, cut it off where it is damaged, or move it away; then start the server again"
        );
    }

    fn know(
        &mut self,
        id: ShowId,
        create: &CreateShow,
        inbox: mpsc::UnboundedSender<ToShow>,
        status: watch::Receiver<Option<Status>>,
    ) {
        let known = Known { code: create.code.clone(), title: create.pack.title.clone(), inbox, status };
        // Of several shows that had a code one after another, the one that goes on has it, or one that can still be looked at.
        let holder = self.by_code.get(&create.code).and_then(|holder| self.by_id.get(holder));
        if holder.is_none_or(|holder| holder.is_gone() || (holder.has_ended() && !known.is_gone())) {
            self.by_code.insert(create.code.clone(), id);
        }
        self.created.insert(create.id.clone(), id);
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
            while let Some(done) = self.running.try_join_next() {
                report(done);
            }
        }
        self.by_id.clear();
        while let Some(done) = self.running.join_next().await {
            report(done);
        }
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
                let conn = request.conn;
                let refused = match self.by_code.get(&request.code) {
                    None => Err(ErrorCode::UnknownShow),
                    Some(&show) => self.tell_or_refuse(show, ToShow::Join(request)),
                };
                if let Err(code) = refused {
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

    /// For all others.
    ///
    /// # Errors
    /// Why the show can't hear it.
    fn tell_or_refuse(&self, show: ShowId, message: ToShow) -> Result<(), ErrorCode> {
        match self.by_id.get(&show) {
            Some(known) if known.tell(message) => Ok(()),
            Some(known) if known.has_ended() => Err(ErrorCode::ShowEnded),
            // This engine lost it.
            Some(_) => Err(ErrorCode::Unavailable),
            None if self.set_aside.contains(&show) => Err(ErrorCode::Unavailable),
            None => Err(ErrorCode::UnknownShow),
        }
    }

    async fn host(&mut self, conn: ConnRef, message: FromHost) {
        let refused = match message {
            FromHost::Create(create) => return self.create(conn, *create).await,
            FromHost::Command(command) => {
                let id = command.id.clone();
                let message = ToShow::Command(conn, command.id, command.action);
                let told = self.tell_or_refuse(command.show, message);
                told.err().map(|code| ToHost::Refused(Refused { id, error: ErrorMessage::from(code) }))
            }
            FromHost::FindPlayers(find) => {
                self.tell_or_refuse(find.show, ToShow::FindPlayers(conn, find.name)).err().map(error)
            }
            FromHost::JournalTail(tail) => {
                self.tell_or_refuse(tail.show, ToShow::JournalTail(conn, tail.last)).err().map(error)
            }
            FromHost::Shows => Some(ToHost::Shows(self.list())),
            // The gateway answers these itself.
            FromHost::Watch(_) | FromHost::Unwatch(_) | FromHost::Ping(_) => None,
        };
        if let Some(message) = refused {
            self.to_host(conn, message);
        }
    }

    fn to_host(&self, conn: ConnRef, message: ToHost) {
        self.ports.bus.send(Address::One(conn.gateway), ToGateway::Host { conn, message });
    }

    /// The shows that are written.
    fn list(&self) -> ShowList {
        let line = |(&show, known): (&ShowId, &Known)| {
            let Status { phase, joined } = known.status()?;
            let (code, title) = (known.code.clone(), known.title.clone());
            Some(ShowLine { show, code, title, phase, joined })
        };
        let mut shows: Vec<ShowLine> = self.by_id.iter().filter_map(line).collect();
        shows.sort_unstable_by(|a, b| (&a.code, a.show).cmp(&(&b.code, b.show)));
        ShowList { shows }
    }

    async fn create(&mut self, conn: ConnRef, create: Create) {
        let id = create.id.clone();
        let created = match self.created.get(&id) {
            Some(&show) => self.create_again(conn, id.clone(), show),
            None => Ok(false),
        };
        let done = match created {
            Ok(true) => return,
            Ok(false) => self.try_create(conn, create).await,
            Err(code) => Err(Refusal::plain(code)),
        };
        if let Err(refusal) = done {
            self.to_host(conn, ToHost::Refused(Refused { id, error: ErrorMessage::from(&refusal) }));
        }
    }

    /// Answers a create that made this show before; false if the show never came to be. One that is still being written answers
    /// when it is.
    fn create_again(&self, conn: ConnRef, id: CommandId, show: ShowId) -> Result<bool, ErrorCode> {
        let Some(known) = self.by_id.get(&show) else { return Err(ErrorCode::Unavailable) };
        if known.tell(ToShow::Create(conn, id.clone())) {
            return Ok(true);
        }
        let was_written = known.status().is_some();
        if was_written {
            self.to_host(conn, ToHost::Created(Created { id, show, code: known.code.clone() }));
        }
        Ok(was_written)
    }

    async fn try_create(&mut self, conn: ConnRef, create: Create) -> Result<(), Refusal> {
        let code = match create.code {
            Some(code) if !self.is_free(&code) => return Err(ErrorCode::CodeTaken.into()),
            Some(code) => code,
            None => self.unused_code(),
        };
        let Create { id, pack, settings, .. } = create;
        let create = CreateShow { id, code, seed: rand::random(), pack, settings };
        let at = self.ports.clock.now();
        let game = game::create(at, &create)?;
        let id = ShowId(rand::random());
        let unavailable = |error| Refusal::because(ErrorCode::Unavailable, format!("{error}."));
        let fence = self.ports.arbiter.lease(id, Fence(0)).await.map_err(unavailable)?;
        let (inbox, messages) = mpsc::unbounded_channel();
        let new = NewShow { id, fence, at, create: create.clone(), game };
        let live = Show::create(self.ports.clone(), messages, new, conn);
        self.know(id, &create, inbox, live.status());
        self.running.spawn(live.run());
        Ok(())
    }

    /// Whether a new show can have this code: no show that goes on has it.
    fn is_free(&self, code: &ShowCode) -> bool {
        let holder = self.by_code.get(code).and_then(|id| self.by_id.get(id));
        holder.is_none_or(|known| known.is_gone() || known.has_ended())
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

    fn status(&self) -> Option<Status> {
        *self.status.borrow()
    }

    fn has_ended(&self) -> bool {
        self.status().is_some_and(|status| status.phase == Phase::Ended)
    }
}

/// A task that panicked leaves its show standing still: the operator must hear of it.
fn report(done: Result<(), JoinError>) {
    if let Err(error) = done {
        tracing::error!(%error, "a show broke off; its journal is whole, and a new start takes it up again");
    }
}

fn error(code: ErrorCode) -> ToHost {
    ToHost::Error(ErrorMessage::from(code))
}
