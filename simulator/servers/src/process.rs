//! A server's process: starting, waiting, pausing, killing, stopping.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The time limit for a server to become ready.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// The time limit to stop after SIGTERM.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// The pause between two checks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Lines from the end of the log that an error contains.
const LOG_LINES: usize = 15;

/// Why a server could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The process could not be started.
    #[error("can't start {program}: {error}; `make tools` installs what the tests need")]
    Start {
        /// The program's name or path.
        program: String,
        /// The error of the start.
        error: io::Error,
    },
    /// The process ended by itself.
    #[error("{program} ended by itself ({status}); the end of its log:\n{log}")]
    Ended {
        /// The program's name or path.
        program: String,
        /// Its exit status.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The server did not become ready in time.
    #[error("{program} did not answer within {} s; the end of its log:\n{log}", START_PATIENCE.as_secs())]
    NotReady {
        /// The program's name or path.
        program: String,
        /// The end of its log.
        log: String,
    },
    /// The process did not stop in time after SIGTERM.
    #[error("{program} did not stop within {} s after SIGTERM", STOP_PATIENCE.as_secs())]
    Stuck {
        /// The program's name or path.
        program: String,
    },
    /// A file could not be opened, or no port was free.
    #[error(transparent)]
    Machine(#[from] io::Error),
}

/// A server's process. It is killed when dropped.
#[derive(Debug)]
pub struct Process {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts `program`; its output is appended to the file `log`.
    ///
    /// # Errors
    /// If the program does not exist, or the log can't be written.
    pub fn start(
        program: &str,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        log: &Path,
    ) -> Result<Self, ServerError> {
        let child = spawn(program, &arguments, &environment, log)?;
        Ok(Self { program: program.to_owned(), arguments, environment, log: log.to_owned(), child })
    }

    /// Waits until `is_ready` returns true.
    ///
    /// # Errors
    /// If the process ends before, or is not ready within 60 s.
    pub async fn ready(&mut self, mut is_ready: impl AsyncFnMut() -> bool) -> Result<(), ServerError> {
        self.ready_with(async || is_ready().await.then_some(())).await
    }

    /// Waits until `look` returns a value, which shows that the server is ready.
    ///
    /// # Errors
    /// If the process ends before, or is not ready within 60 s.
    pub async fn ready_with<T>(&mut self, mut look: impl AsyncFnMut() -> Option<T>) -> Result<T, ServerError> {
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if let Some(found) = look().await {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.ended_by_itself(status));
            }
            if Instant::now() > deadline {
                return Err(ServerError::NotReady { program: self.program.clone(), log: self.log_end() });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Uses this program, with the same arguments, from the next start on.
    pub fn replace_program(&mut self, program: &Path) {
        self.program = program.display().to_string();
    }

    /// Replaces the value of this option from the next start on.
    pub(crate) fn replace_argument_of(&mut self, option: &str, value: &str) {
        let place = self.arguments.iter().position(|argument| argument == option);
        if let Some(argument) = place.and_then(|place| self.arguments.get_mut(place + 1)) {
            value.clone_into(argument);
        }
    }

    /// Kills the process if it is alive, and starts it again with the same arguments.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        self.kill();
        self.child = spawn(&self.program, &self.arguments, &self.environment, &self.log)?;
        Ok(())
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills the process (SIGKILL) and waits until it has ended.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Suspends the process (SIGSTOP); its connections stay open.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Continues the suspended process (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends SIGTERM and waits until the process has ended; kills it after 20 s.
    ///
    /// # Errors
    /// If it had to be killed.
    pub async fn stop(&mut self) -> Result<ExitStatus, ServerError> {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.kill();
        Err(ServerError::Stuck { program: self.program.clone() })
    }

    /// Sends SIGQUIT and waits until the process has ended, including the children that it waits for; kills it after 20
    /// s.
    pub fn quit(&mut self) {
        self.signal(Signal::QUIT);
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline && self.ended().is_none() {
            std::thread::sleep(LOOK_AGAIN);
        }
        self.kill();
    }

    /// The exit status, if the process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The error for a process that ended by itself.
    #[must_use]
    pub fn ended_by_itself(&self, status: ExitStatus) -> ServerError {
        ServerError::Ended { program: self.program.clone(), status, log: self.log_end() }
    }

    /// The last lines of the log.
    #[must_use]
    pub fn log_end(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended already.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs the program only if the starter is still the parent: the kernel sends no parent-death signal if the parent
/// ended before it was requested.
const UNLESS_ALONE: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

/// A command that starts a program such that it is killed when the starter ends in any way, including a panic or
/// SIGKILL.
pub fn ending_with_us(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "sh", "-c", UNLESS_ALONE]).arg(std::process::id().to_string());
    command.arg(program);
    command
}

fn spawn(
    program: &str,
    arguments: &[String],
    environment: &[(String, String)],
    log: &Path,
) -> Result<Child, ServerError> {
    if program.contains('/') {
        // Otherwise the shell that runs the program would fail, after the start was reported as successful.
        std::fs::metadata(program).map_err(|error| ServerError::Start { program: program.to_owned(), error })?;
    }
    let out = File::options().create(true).append(true).open(log)?;
    let err = out.try_clone()?;
    let mut command = ending_with_us(program);
    command.args(arguments);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    spawn_for_the_process(command).map_err(|error| ServerError::Start { program: program.to_owned(), error })
}

type Order = (Command, mpsc::Sender<io::Result<Child>>);

/// Starts a process on a thread that lives as long as this process. The kernel sends the parent-death signal when the
/// *thread* that started the server ends; a test's thread ends with the test.
fn spawn_for_the_process(command: Command) -> io::Result<Child> {
    static STARTER: LazyLock<Mutex<mpsc::Sender<Order>>> = LazyLock::new(|| {
        let (starter, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in orders {
                // The receiver waits for this, so the send can't fail.
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(starter)
    });
    let (reply, child) = mpsc::channel();
    let gone = || io::Error::other("the thread that starts servers is gone");
    STARTER.lock().unwrap_or_else(PoisonError::into_inner).send((command, reply)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}

/// A port of this machine that is free now.
///
/// # Errors
/// If none is free.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
