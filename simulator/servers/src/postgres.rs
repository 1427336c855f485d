//! A real PostgreSQL.

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

/// Where Debian puts the programs of each version; they are not on the PATH.
const INSTALLED: &str = "/usr/lib/postgresql";
/// Who runs it if we are root, for whom it refuses to run: the first of these that this machine knows.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];
/// After a kill its children hold the shared memory for a moment, and a new one refuses to start meanwhile.
const STARTS_AFTER_KILL: usize = 50;
/// The pause between two of these starts.
const START_LATER: Duration = Duration::from_millis(100);

/// A PostgreSQL of our own.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    /// Gone with the server.
    directory: TempDir,
}

impl Postgres {
    /// Starts one with an empty database, and waits until it answers.
    ///
    /// # Errors
    /// If there is no `initdb` or `postgres`, or it does not start.
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
        // What was written survives a kill without a sync; only a power cut takes it.
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

    /// Makes another database, and gives its URL.
    ///
    /// # Errors
    /// If there is no `psql`, or the database is there already.
    pub async fn create_database(&self, name: &str) -> Result<String, ServerError> {
        let create = format!("CREATE DATABASE {name}");
        let log = self.directory.path().join("log");
        run(&words(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", &create, &self.url()]), &log).await?;
        Ok(self.url_of(name))
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Where its database is, such as `postgres://postgres@127.0.0.1:5432/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Its process: to pause, to kill.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again on the same port after it was killed, with all that it had acknowledged.
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
    /// Killed, it would leave children for a moment, which write into the folder that is being taken away.
    fn drop(&mut self) {
        self.process.resume();
        self.process.quit();
    }
}

/// An account of this machine.
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// The account it must run as; none unless we are root.
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

    /// What runs a program as this account. It sets the signal of the starter's death once more, as a change of account
    /// forgets it.
    fn prefix(&self) -> Vec<String> {
        let (user, group) = (format!("--reuid={}", self.user), format!("--regid={}", self.group));
        words(["setpriv", &user, &group, "--clear-groups", "--pdeathsig", "KILL", "--"])
    }
}

/// The program of the newest version that is installed, or the one on the PATH.
fn program_named(name: &str) -> String {
    let versions = std::fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<u32>().ok());
    let installed: Option<PathBuf> = versions
        .map(|version| version.path())
        .filter(|path| path.join("bin").join(name).exists())
        .max_by_key(|path| version(path));
    installed.map_or_else(|| name.to_owned(), |path| path.join("bin").join(name).display().to_string())
}

/// Whether a PostgreSQL on this port lets its user in; one that still recovers refuses.
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
