//! The server under test: a child process with its own data, killed and started again as the plan says, and always cleaned up.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::Records;
use klaxon_servers::ending_with_us;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::costs::Cost;
use crate::evidence::Micros;
use crate::faults::{Blow, Disturbance, Fault, Target, Victim};
use crate::host::AdminDoor;
use crate::memory::{MemoryWatch, Resident};

/// How long the server may take to be ready.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to stop when told to.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// What went wrong with the server process.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The program could not be started.
    #[error("can't start {program}: {error}")]
    Start {
        /// What was to be started.
        program: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// It ended before it was ready, or by itself.
    #[error("the server ended by itself ({status}); its last words:\n{log}")]
    Ended {
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// It was not ready in time.
    #[error("the server was not ready within {} s; its last words:\n{log}", START_PATIENCE.as_secs())]
    NotReady {
        /// The end of its log.
        log: String,
    },
    /// It did not stop when told to.
    #[error("the server did not stop within {} s after SIGTERM", STOP_PATIENCE.as_secs())]
    Stuck,
    /// A file could not be read.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// One of the servers around it has a problem.
    #[error(transparent)]
    Around(#[from] klaxon_servers::ServerError),
    /// A database could not be made.
    #[error("PostgreSQL: {0}")]
    Database(String),
    /// A process that is not there, or not ours, was to be struck.
    #[error("there is no {0:?} of ours to strike")]
    NotOurs(Victim),
    /// There is no journal of the show.
    #[error("no journal in {0} holds the show")]
    NoJournal(PathBuf),
}

pub(crate) fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> ServerError + '_ {
    move |error| ServerError::File { path: path.to_owned(), error }
}

/// Where a server listens; what it writes to `addresses.json` in its data directory when it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Addresses {
    /// For players.
    pub players: SocketAddr,
    /// For hosts.
    pub admin: SocketAddr,
}

/// How a server process is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The `klaxon` program.
    pub program: PathBuf,
    /// Its data directory; must exist.
    pub data: PathBuf,
    /// The processor core that it is bound to, if any.
    pub core: Option<u32>,
}

/// A running server process. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    launch: Launch,
    addresses: Addresses,
    child: Child,
    memory: MemoryWatch,
}

impl Server {
    /// Starts a server on free ports and waits until it is ready.
    ///
    /// # Errors
    /// If it can't be started, or is not ready within 30 s.
    pub async fn start(launch: Launch) -> Result<Self, ServerError> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, addresses) = spawn(&launch, Addresses { players: any, admin: any }).await?;
        let memory = MemoryWatch::start();
        memory.look_at(child.id().into_iter().collect());
        Ok(Self { launch, addresses, child, memory })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The door to its admin socket.
    ///
    /// # Errors
    /// If its token file can't be read.
    pub fn door(&self) -> Result<AdminDoor, ServerError> {
        let path = self.launch.data.join("admin.token");
        let token = std::fs::read_to_string(&path).map_err(file_error(&path))?;
        Ok(AdminDoor { addresses: vec![self.addresses.admin], token: token.trim().to_owned() })
    }

    /// What it has cost so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost::of("server", &self.child.id().into_iter().collect::<Vec<u32>>())
    }

    /// Kills it without a word (SIGKILL), and starts it again on the same ports and data after `away`.
    ///
    /// # Errors
    /// If it can't be started again.
    pub async fn kill_and_restart(&mut self, away: Duration) -> Result<(), ServerError> {
        // It may have ended by itself, which the restart then tells.
        let _ = self.child.kill().await;
        sleep(away).await;
        let (child, _) = spawn(&self.launch, self.addresses).await?;
        self.child = child;
        self.memory.look_at(self.child.id().into_iter().collect());
        Ok(())
    }

    /// Tells it to stop (SIGTERM) and waits until it has. Gives its memory over time.
    ///
    /// # Errors
    /// If it does not stop, or not with exit code 0.
    pub async fn stop(mut self) -> Result<Resident, ServerError> {
        let resident = self.memory.stop();
        if let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            // Gone already is as good as told.
            let _ = kill_process(pid, Signal::TERM);
        }
        let waited = timeout(STOP_PATIENCE, self.child.wait()).await.map_err(|_| ServerError::Stuck)?;
        let status = waited.map_err(|error| ServerError::Start { program: self.launch.program.clone(), error })?;
        if !status.success() {
            return Err(ServerError::Ended { status, log: last_words(&self.launch.data) });
        }
        Ok(resident)
    }
}

impl Target for Server {
    async fn strike(&mut self, fault: &Fault) -> Result<Disturbance, ServerError> {
        let (Victim::Server, Blow::Kill { away }) = (fault.victim, fault.blow) else {
            return Err(ServerError::NotOurs(fault.victim));
        };
        let from = Micros::now();
        self.kill_and_restart(away).await?;
        let (question, victim) = (fault.question, fault.victim);
        Ok(Disturbance { question, victim, process: "server".into(), killed: true, from, until: Micros::now() })
    }

    async fn ended(&mut self) -> ServerError {
        match self.child.wait().await {
            Ok(status) => ServerError::Ended { status, log: last_words(&self.launch.data) },
            Err(error) => ServerError::Start { program: self.launch.program.clone(), error },
        }
    }
}

async fn spawn(launch: &Launch, at: Addresses) -> Result<(Child, Addresses), ServerError> {
    let told = launch.data.join("addresses.json");
    match std::fs::remove_file(&told) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(file_error(&told)(error)),
        _ => {}
    }
    let log = launch.data.join("server.log");
    let log = std::fs::File::options().create(true).append(true).open(&log).map_err(file_error(&log))?;
    let log_too = log.try_clone().map_err(file_error(&launch.data))?;
    let start = |error| ServerError::Start { program: launch.program.clone(), error };
    std::fs::metadata(&launch.program).map_err(start)?;
    let mut command = Command::from(match launch.core {
        Some(core) => {
            let mut bound = ending_with_us("taskset");
            bound.args(["-c", &core.to_string()]).arg(&launch.program);
            bound
        }
        None => ending_with_us(&launch.program),
    });
    command.arg("serve");
    command.arg("--listen").arg(at.players.to_string());
    command.arg("--admin-listen").arg(at.admin.to_string());
    command.arg("--data-dir").arg(&launch.data);
    command.stdin(Stdio::null()).stdout(log).stderr(log_too).kill_on_drop(true);
    let mut child = command.spawn().map_err(start)?;
    let deadline = Instant::now() + START_PATIENCE;
    loop {
        // The file may be seen half written: then it is read again.
        let read = std::fs::read(&told).ok().and_then(|bytes| serde_json::from_slice::<Addresses>(&bytes).ok());
        if let Some(addresses) = read {
            return Ok((child, addresses));
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(ServerError::Ended { status, log: last_words(&launch.data) });
        }
        if Instant::now() > deadline {
            return Err(ServerError::NotReady { log: last_words(&launch.data) });
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// The last lines of its log.
fn last_words(data: &Path) -> String {
    let log = std::fs::read(data.join("server.log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// The bytes of the journal in `directory` that holds `show`.
///
/// # Errors
/// If the directory can't be read or none of its journals holds the show.
pub fn journal_of(directory: &Path, show: ShowId) -> Result<Vec<u8>, ServerError> {
    let files = std::fs::read_dir(directory).map_err(file_error(directory))?;
    for file in files {
        let path = file.map_err(file_error(directory))?.path();
        if path.extension().is_none_or(|extension| extension != "klxj") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(file_error(&path))?;
        if holds(&bytes, show) {
            return Ok(bytes);
        }
    }
    Err(ServerError::NoJournal(directory.to_owned()))
}

fn holds(journal: &[u8], show: ShowId) -> bool {
    Records::new(journal).is_ok_and(|mut records| records.any(|record| record.is_ok_and(|(_, r)| r.show == show)))
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::Fence;
    use klaxon_protocol::journal::{Command, MAGIC, Record, frame_record};
    use klaxon_protocol::time::Millis;

    use super::*;

    #[test]
    fn the_journal_of_a_show_is_found_among_others() {
        let directory = tempfile::tempdir().unwrap();
        for show in [1, 2] {
            let mut bytes = MAGIC.to_vec();
            let record = Record {
                show: ShowId(show),
                number: 0,
                fence: Fence(1),
                at: Millis(0),
                command: Command::Tick,
                events: vec![],
                state: show,
            };
            frame_record(&record, &mut bytes).unwrap();
            std::fs::write(directory.path().join(format!("{show}.klxj")), bytes).unwrap();
        }
        std::fs::write(directory.path().join("note.txt"), "KLXJ").unwrap();
        let bytes = journal_of(directory.path(), ShowId(2)).unwrap();
        assert!(holds(&bytes, ShowId(2)) && !holds(&bytes, ShowId(1)));
        assert!(matches!(journal_of(directory.path(), ShowId(3)), Err(ServerError::NoJournal(_))));
    }

    #[tokio::test]
    async fn a_program_that_ends_at_once_is_told_with_its_last_words() {
        let data = tempfile::tempdir().unwrap();
        let launch = Launch { program: "/bin/ls".into(), data: data.path().to_owned(), core: None };
        let error = Server::start(launch).await.unwrap_err();
        assert!(matches!(&error, ServerError::Ended { log, .. } if log.contains("ls")), "{error}");
        let launch = Launch { program: "/no/such/klaxon".into(), data: data.path().to_owned(), core: None };
        assert!(matches!(Server::start(launch).await.unwrap_err(), ServerError::Start { .. }));
    }
}
