//! A real PostgreSQL server.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::install::{run, words};
use crate::{Process, ServerError, free_port};

/// Where Debian installs the programs of each version; this directory is not on the PATH.
const INSTALLED: &str = "/usr/lib/postgresql";
/// The accounts to run the server as if we are root, which it refuses: the first that exists on this machine.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];
/// The maximum number of attempts to restart after a kill: the killed server's children hold the shared memory for a
/// moment, and meanwhile a new server refuses to start.
const STARTS_AFTER_KILL: usize = 50;
/// The pause between two attempts.
const START_LATER: Duration = Duration::from_millis(100);

/// A PostgreSQL server that is started for a test or a demo.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    /// Deleted with the server.
    directory: TempDir,
}

impl Postgres {
    /// Starts a server with an empty database, and waits until it answers.
    ///
    /// # Errors
    /// If `initdb` or `postgres` is not installed, or does not start.
    pub async fn start() -> Result<Self, ServerError> {
        let directory = tempfile::tempdir()?;
        let data = directory.path().join("data");
        let log = directory.path().join("log");
        let port = free_port()?;
        let account = Account::needed()?;
        if let Some(account) = &account {
            chown(directory.path(), Some(account.user), Some(account.group))?;
        }
        let command = |program: &str, arguments: &[&str]| {
            let mut words = account.as_ref().map_or_else(Vec::new, Account::prefix);
            words.push(program_named(program));
            words.extend(arguments.iter().map(|&word| word.to_owned()));
            words
        };
        let data = data.display().to_string();
        let initdb = ["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        run(&command("initdb", &initdb), &log).await?;
        // Without a sync, writes survive a kill; only a power failure loses them.
        let settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
        let port_word = port.to_string();
        let mut serve = vec!["-D", &data, "-p", &port_word];
        serve.extend(settings.iter().flat_map(|setting| ["-c", setting]));
        let mut line = command("postgres", &serve);
        let program = line.remove(0);
        let mut process = Process::start(&program, line, Vec::new(), &log)?;
        process.ready(async || answers(port).await).await?;
        Ok(Self { process, port, directory })
    }

    /// Creates another database, and returns its URL.
    ///
    /// # Errors
    /// If `psql` is not installed, or the database exists already.
    pub async fn create_database(&self, name: &str) -> Result<String, ServerError> {
        let create = format!("CREATE DATABASE {name}");
        let log = self.directory.path().join("log");
        run(&words(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", &create, &self.url()]), &log).await?;
        Ok(self.url_of(name))
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of its database, such as `postgres://postgres@127.0.0.1:5432/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The server's process, to pause or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Restarts the server on the same port after it was killed, with all acknowledged writes.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_again(&mut self) -> Result<(), ServerError> {
        let port = self.port;
        let mut starts = 1;
        loop {
            self.process.start_again()?;
            match self.process.ready(async || answers(port).await).await {
                Err(ServerError::Ended { .. }) if starts < STARTS_AFTER_KILL => starts += 1,
                done => return done,
            }
            tokio::time::sleep(START_LATER).await;
        }
    }
}

impl Drop for Postgres {
    /// Ends the server by SIGQUIT. After SIGKILL its children would live on for a moment and write into the directory
    /// that is being deleted.
    fn drop(&mut self) {
        self.process.resume();
        self.process.quit();
    }
}

/// A user account of this machine.
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// The account that the server has to run as; none unless we are root.
    fn needed() -> Result<Option<Self>, ServerError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let known = std::fs::read_to_string("/etc/passwd")?;
        let of = |name: &str| {
            let mut fields =
                known.lines().map(|line| line.split(':')).find(|fields| fields.clone().next() == Some(name))?;
            let (user, group) = (fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?);
            Some(Self { user, group })
        };
        Ok(ACCOUNTS.iter().find_map(|name| of(name)))
    }

    /// The command prefix that runs a program as this account. It sets the parent-death signal again, since the kernel
    /// clears it when the account changes.
    fn prefix(&self) -> Vec<String> {
        let (user, group) = (format!("--reuid={}", self.user), format!("--regid={}", self.group));
        words(["setpriv", &user, &group, "--clear-groups", "--pdeathsig", "KILL", "--"])
    }
}

/// The program of the newest installed version, or else the one on the PATH.
fn program_named(name: &str) -> String {
    let versions = std::fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<u32>().ok());
    let installed: Option<PathBuf> = versions
        .map(|version| version.path())
        .filter(|path| path.join("bin").join(name).exists())
        .max_by_key(|path| version(path));
    installed.map_or_else(|| name.to_owned(), |path| path.join("bin").join(name).display().to_string())
}

/// Whether a PostgreSQL on this port accepts its user; it refuses during recovery.
async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let words = b"user\0postgres\0database\0postgres\0\0";
        let length = u32::try_from(8 + words.len()).unwrap_or_default();
        let version = 3_u32 << 16;
        let hello = [&length.to_be_bytes(), &version.to_be_bytes(), &words[..]].concat();
        stream.write_all(&hello).await?;
        std::io::Result::Ok(stream.read_u8().await? == b'R')
    };
    matches!(timeout(Duration::from_secs(1), ask).await, Ok(Ok(true)))
}
