//! The servers that are compared. Each has a process and a load of its own, so that their rounds can alternate.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::{Duration, Instant};

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::Question;
use klaxon_protocol::player::ToPlayer;
use klaxon_servers::{Addresses, Process, free_port};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::hosting::{Hosting, HostingError};
use super::kernel::ProcessorClock;
use super::load::{Arrivals, Connect, Load, LoadError};
use crate::evidence::Micros;
use crate::socket::admin::AdminAccess;

/// A file system in memory, for journals that are not to be written to disk.
const MEMORY: &str = "/dev/shm";
/// An interval long enough that no heartbeat falls into a measurement, except where heartbeats are measured.
const NO_HEARTBEAT: &str = "600s";
/// How long to wait after the last player has received a message: the cost includes work that the server does
/// afterwards.
const SETTLE: Duration = Duration::from_millis(5);
/// The time limit for a server without players to become idle.
const PATIENCE: Duration = Duration::from_secs(20);
/// After a silence of this length no message about the last question is in transit.
const QUIET: Duration = Duration::from_millis(60);
/// The lobby sends the number of players at intervals; after a silence of this length it has sent the last.
const QUIET_LOBBY: Duration = Duration::from_millis(1500);

/// The number of the next contestant's network: contestants that run at the same time use different client addresses.
static NETWORKS: AtomicU8 = AtomicU8::new(0);

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// An error of a server's process.
    #[error(transparent)]
    Server(#[from] klaxon_servers::ServerError),
    /// An error of the load.
    #[error("{0}: {1}")]
    Load(Kind, LoadError),
    /// An error of the host.
    #[error("{0}: {1}")]
    Hosting(Kind, HostingError),
    /// An error of the operating system.
    #[error(transparent)]
    Machine(#[from] io::Error),
    /// A message was received instead of a question.
    #[error("{0} sent no question where one was due")]
    NoQuestion(Kind),
    /// A server uses processor time without players.
    #[error("{0} does not come to rest when all players are gone")]
    Restless(Kind),
}

/// A kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The baseline: one system call for each player, and nothing else.
    Floor,
    /// Klaxon with io_uring.
    IoUring,
    /// Klaxon with epoll, which every Linux kernel has.
    Portable,
    /// A simple server with tokio-tungstenite, as it is customarily written.
    Customary,
}

impl Kind {
    /// Whether it is Klaxon.
    #[must_use]
    pub const fn is_klaxon(self) -> bool {
        matches!(self, Self::IoUring | Self::Portable)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Floor => "floor",
            Self::IoUring => "Klaxon, io_uring",
            Self::Portable => "Klaxon, portable",
            Self::Customary => "tokio-tungstenite",
        })
    }
}

/// Where Klaxon keeps its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalStorage {
    /// In a file of an in-memory file system, never synced.
    Memory,
    /// On disk, synced before an answer is acknowledged.
    File,
}

/// How servers are started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Klaxon's program.
    pub klaxon: PathBuf,
    /// The cores that servers are bound to, in the syntax of `taskset -c`.
    pub server_cores: String,
    /// The core that loads are bound to, if any.
    pub load_core: Option<usize>,
    /// Klaxon's number of reactors.
    pub shards: usize,
    /// Where Klaxon keeps its journal.
    pub journal: JournalStorage,
    /// The interval in which a player must send something; none for an interval longer than a measurement.
    pub heartbeat: Option<Duration>,
}

/// A server's process without players, and its addresses.
#[derive(Debug)]
pub struct Started {
    /// The process.
    pub process: Process,
    /// The address for players.
    pub players: SocketAddr,
    data: TempDir,
}

impl Launch {
    /// A copy with another journal.
    #[must_use]
    pub fn with_journal(&self, journal: JournalStorage) -> Self {
        Self { journal, ..self.clone() }
    }

    /// Starts a server's process; it may not listen yet when this returns.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start(&self, kind: Kind) -> Result<Started, BenchError> {
        let data = match self.journal {
            JournalStorage::Memory if Path::new(MEMORY).is_dir() => TempDir::new_in(MEMORY)?,
            _ => TempDir::new()?,
        };
        let players = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut arguments = vec!["-c".to_owned(), self.server_cores.clone()];
        let me = || std::env::current_exe().map(|path| path.display().to_string());
        match kind {
            Kind::Floor => arguments.extend([me()?, "serve-floor".into(), players.to_string()]),
            Kind::Customary => arguments.extend([me()?, "serve-customary".into(), players.to_string()]),
            Kind::IoUring | Kind::Portable => {
                arguments.push(self.klaxon.display().to_string());
                arguments.extend(self.klaxon_arguments(kind, players, data.path()));
            }
        }
        let process = Process::start("taskset", arguments, Vec::new(), &data.path().join("output"))?;
        Ok(Started { process, players, data })
    }

    fn klaxon_arguments(&self, kind: Kind, players: SocketAddr, data: &Path) -> Vec<String> {
        let heartbeat = self.heartbeat.map_or(NO_HEARTBEAT.to_owned(), |time| format!("{}ms", time.as_millis()));
        let sync = if self.journal == JournalStorage::Memory { "never" } else { "always" };
        let mut arguments = vec!["serve".to_owned()];
        let mut option = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        option("listen", players.to_string());
        option("admin-listen", "127.0.0.1:0".into());
        option("data-dir", data.display().to_string());
        option("shards", self.shards.to_string());
        option("heartbeat", heartbeat);
        option("sync", sync.into());
        option("transport", if kind == Kind::IoUring { "io-uring" } else { "portable" }.into());
        arguments
    }
}

/// A server that is measured, with its players and its host.
#[derive(Debug)]
pub struct Contestant {
    /// The kind of server.
    pub kind: Kind,
    /// Its processor time and memory.
    pub clock: ProcessorClock,
    /// Its players.
    pub load: Load,
    /// What sends the questions.
    pub hosting: Hosting,
    players: SocketAddr,
    network: u8,
    admin: Option<AdminAccess>,
    /// None if the process belongs to another contestant.
    _started: Option<Started>,
}

/// The cost of a round, and when each player had received it.
#[derive(Debug)]
pub struct Round {
    /// When the round began.
    pub began: Micros,
    /// The server's processor time.
    pub processor: Duration,
    /// When each player had received it.
    pub received: Arrivals,
}

impl Round {
    /// The question that was received.
    ///
    /// # Errors
    /// If the message was not a question.
    pub fn question(&self, kind: Kind) -> Result<Question, BenchError> {
        match Codec::Json.decode(self.received.first.as_bytes(), &[]) {
            Ok(ToPlayer::Question(question)) => Ok(question),
            _ => Err(BenchError::NoQuestion(kind)),
        }
    }

    /// Milliseconds from the beginning until each player received it, in ascending order.
    pub fn waits(&self) -> impl Iterator<Item = f64> {
        self.received.at.iter().map(|at| at.0.saturating_sub(self.began.0) as f64 / 1e3)
    }

    /// Microseconds of processor time per player.
    #[must_use]
    pub fn each(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / self.received.at.len().max(1) as f64
    }
}

impl Contestant {
    /// Starts a server and its load, without players.
    ///
    /// # Errors
    /// If either can't be started.
    pub async fn start(launch: &Launch, kind: Kind) -> Result<Self, BenchError> {
        let mut started = launch.start(kind)?;
        let players = started.players;
        let data = started.data.path();
        let admin = if kind.is_klaxon() {
            let listens = started.process.ready_with(async || Addresses::read(data)).await?;
            Some(AdminAccess::of_file(vec![listens.admin], &data.join("admin.token"))?)
        } else {
            started.process.ready(async || tokio::net::TcpStream::connect(players).await.is_ok()).await?;
            None
        };
        let clock = ProcessorClock::of(started.process.id())?;
        Self::at(kind, clock, players, admin, Some(started), launch).await
    }

    /// Another show on the same server, with a load of its own. The server ends with its first contestant.
    ///
    /// # Errors
    /// If the server can't create another show.
    pub async fn beside(&self, launch: &Launch) -> Result<Self, BenchError> {
        Self::at(self.kind, self.clock, self.players, self.admin.clone(), None, launch).await
    }

    async fn at(
        kind: Kind,
        clock: ProcessorClock,
        players: SocketAddr,
        admin: Option<AdminAccess>,
        started: Option<Started>,
        launch: &Launch,
    ) -> Result<Self, BenchError> {
        let hosting = match admin.clone() {
            Some(admin) => Hosting::show(admin).await,
            None => Hosting::speaker(players).await,
        };
        let hosting = hosting.map_err(|error| BenchError::Hosting(kind, error))?;
        let load = Load::start(launch.load_core).map_err(|error| BenchError::Load(kind, error))?;
        let network = NETWORKS.fetch_add(1, Relaxed);
        Ok(Self { kind, clock, load, hosting, players, network, admin, _started: started })
    }

    /// Lets players join, and waits until the lobby is quiet.
    ///
    /// # Errors
    /// If not all are admitted.
    pub async fn join(&mut self, players: usize) -> Result<(), BenchError> {
        let connect = self.connect(players, self.hosting.join());
        let load = async {
            self.load.connect(connect).await?;
            self.load.drain(if self.hosting.join().is_some() { QUIET_LOBBY } else { QUIET }).await
        };
        load.await.map_err(|error| BenchError::Load(self.kind, error))
    }

    /// Connects players as fast as possible, without sending anything. Returns the server's processor time and the
    /// duration.
    ///
    /// # Errors
    /// If not all are admitted.
    pub async fn knock(&mut self, players: usize) -> Result<(Duration, Duration), BenchError> {
        let connect = self.connect(players, None);
        let (before, began) = (self.clock.now()?, Instant::now());
        self.load.connect(connect).await.map_err(|error| BenchError::Load(self.kind, error))?;
        let took = began.elapsed();
        tokio::time::sleep(SETTLE).await;
        Ok((self.clock.now()?.saturating_sub(before), took))
    }

    /// Disconnects all players, and waits until the server is idle.
    ///
    /// # Errors
    /// If it does not become idle.
    pub async fn leave(&mut self) -> Result<(), BenchError> {
        self.load.leave().await.map_err(|error| BenchError::Load(self.kind, error))?;
        let began = Instant::now();
        loop {
            let before = self.clock.now()?;
            tokio::time::sleep(QUIET).await;
            if self.clock.now()?.saturating_sub(before) < QUIET / 50 {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(BenchError::Restless(self.kind));
            }
        }
    }

    const fn connect(&self, players: usize, join: Option<String>) -> Connect {
        Connect { to: self.players, players, join, network: self.network }
    }

    /// Asks a question, and waits until all players have received it.
    ///
    /// # Errors
    /// If a player does not receive it.
    pub async fn ask(&mut self) -> Result<Round, BenchError> {
        let load = |error| BenchError::Load(self.kind, error);
        self.load.listen().await.map_err(load)?;
        let (before, began) = (self.clock.now()?, Micros::now());
        self.hosting.ask().await.map_err(|error| BenchError::Hosting(self.kind, error))?;
        let received = self.load.received().await.map_err(load)?;
        tokio::time::sleep(SETTLE).await;
        Ok(Round { began, processor: self.clock.now()?.saturating_sub(before), received })
    }

    /// Sends this message from all players, and waits for the replies.
    ///
    /// # Errors
    /// If a player does not receive one.
    pub async fn answer(&mut self, text: String) -> Result<Round, BenchError> {
        let (before, began) = (self.clock.now()?, Micros::now());
        let received = self.load.answer(text).await.map_err(|error| BenchError::Load(self.kind, error))?;
        tokio::time::sleep(SETTLE).await;
        Ok(Round { began, processor: self.clock.now()?.saturating_sub(before), received })
    }

    /// Ends the question, and waits until no message about it is in transit.
    ///
    /// # Errors
    /// If the server refuses, or does not answer.
    pub async fn end_question(&mut self) -> Result<(), BenchError> {
        self.hosting.end_question().await.map_err(|error| BenchError::Hosting(self.kind, error))?;
        self.load.drain(QUIET).await.map_err(|error| BenchError::Load(self.kind, error))
    }
}
