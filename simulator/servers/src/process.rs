//! A server's process: started, waited for, paused, killed, stopped.

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

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to stop when told to.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// The pause between two looks at it.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// So many lines of the end of its log are in an error.
const LOG_LINES: usize = 15;

/// What went wrong with a server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It could not be started.
    #[error("can't start {program}: {error}; `make tools` installs what the tests need")]
    Start {
        /// Its program.
        program: String,
        /// Why not.
        error: io::Error,
    },
    /// It ended by itself.
    #[error("{program} ended by itself ({status}); the end of its log:\n{log}")]
    Ended {
        /// Its program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// It did not answer in time.
    #[error("{program} did not answer within {} s; the end of its log:\n{log}", START_PATIENCE.as_secs())]
    NotReady {
        /// Its program.
        program: String,
        /// The end of its log.
        log: String,
    },
    /// It did not stop when told to.
    #[error("{program} did not stop within {} s after SIGTERM", STOP_PATIENCE.as_secs())]
    Stuck {
        /// Its program.
        program: String,
    },
    /// A file or a port could not be had.
    #[error(transparent)]
    Machine(#[from] io::Error),
}

/// A server's process. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts `program`, whose output goes to the file `log`.
    ///
    /// # Errors
    /// If there is no such program, or the log can't be written.
    pub fn start(
        program: &str,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        log: &Path,
    ) -> Result<Self, ServerError> {
        let child = spawn(program, &arguments, &environment, log)?;
        Ok(Self { program: program.to_owned(), arguments, environment, log: log.to_owned(), child })
    }

    /// Waits until `is_ready`.
    ///
    /// # Errors
    /// If it ends before, or is not ready within 60 s.
    pub async fn ready(&mut self, mut is_ready: impl AsyncFnMut() -> bool) -> Result<(), ServerError> {
        self.ready_with(async || is_ready().await.then_some(())).await
    }

    /// Waits until `look` gives something, which shows that it is ready.
    ///
    /// # Errors
    /// If it ends before, or is not ready within 60 s.
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

    /// From the next start on, this program with the same arguments.
    pub fn replace_program(&mut self, program: &Path) {
        self.program = program.display().to_string();
    }

    /// From the next start on, what stands behind this option.
    pub(crate) fn replace_argument_of(&mut self, option: &str, value: &str) {
        let place = self.arguments.iter().position(|argument| argument == option);
        if let Some(argument) = place.and_then(|place| self.arguments.get_mut(place + 1)) {
            value.clone_into(argument);
        }
    }

    /// Starts it again as it was started, after it was killed or stopped.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        self.kill();
        self.child = spawn(&self.program, &self.arguments, &self.environment, &self.log)?;
        Ok(())
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops its clock (SIGSTOP): it does nothing, and its connections stay.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Tells it to stop (SIGTERM) and waits until it has; kills it if it does not within 20 s.
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

    /// Tells it to end at once (SIGQUIT) and waits until it has, and with it the children that it waits for; kills it if it does
    /// not within 20 s.
    pub fn quit(&mut self) {
        self.signal(Signal::QUIT);
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline && self.ended().is_none() {
            std::thread::sleep(LOOK_AGAIN);
        }
        self.kill();
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The error that it ended by itself.
    #[must_use]
    pub fn ended_by_itself(&self, status: ExitStatus) -> ServerError {
        ServerError::Ended { program: self.program.clone(), status, log: self.log_end() }
    }

    /// The end of its log.
    #[must_use]
    pub fn log_end(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may be gone already.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The kernel sends no signal for a starter that had ended before the signal was asked for.
const UNLESS_ALONE: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

/// Starts a program so that whatever ends the starter, a panic or SIGKILL too, ends it: nothing is left running.
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
        // The shell in between would fail only after it was started.
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

/// The kernel sends that signal when the *thread* that started the server ends, which for a test's thread is when the test does. So
/// servers are started on a thread that stays.
fn spawn_for_the_process(command: Command) -> io::Result<Child> {
    static STARTER: LazyLock<Mutex<mpsc::Sender<Order>>> = LazyLock::new(|| {
        let (starter, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in orders {
                // Whoever ordered it waits.
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
/// If there is none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
