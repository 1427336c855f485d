//! One process of `klaxon` in a cluster: an engine, a gateway or the archive service.

use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use klaxon_servers::Process;
use serde::Deserialize;

use crate::server::{ServerError, file_error};

/// Where a process listens; what it writes to `addresses.json` in its data directory when it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// For players, if it is a gateway.
    pub players: Option<SocketAddr>,
    /// For hosts and metrics.
    pub admin: SocketAddr,
}

/// A process of `klaxon`. Killed when dropped.
#[derive(Debug)]
pub struct Service {
    name: String,
    process: Process,
    data: PathBuf,
    told: Told,
}

impl Service {
    /// Starts `klaxon` with these words, its data in a directory of its name below `place`, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(program: &Path, name: &str, words: Vec<String>, place: &Path) -> Result<Self, ServerError> {
        let data = place.join(name);
        // Whatever the umask: Klaxon wants no directory that others can write to.
        DirBuilder::new().recursive(true).mode(0o700).create(&data).map_err(file_error(&data))?;
        let mut arguments = words;
        arguments.extend(["--data-dir".to_owned(), data.display().to_string()]);
        let log = place.join(format!("{name}.log"));
        let process = Process::start(&program.display().to_string(), arguments, Vec::new(), &log)?;
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut service = Self { name: name.to_owned(), process, data, told: Told { players: None, admin: nowhere } };
        service.ready().await?;
        Ok(service)
    }

    async fn ready(&mut self) -> Result<(), ServerError> {
        let path = self.data.join("addresses.json");
        let mut told = None;
        let read = async || {
            told = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            told.is_some()
        };
        self.process.ready(read).await?;
        self.told = told.unwrap_or(self.told);
        Ok(())
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    #[must_use]
    pub const fn told(&self) -> Told {
        self.told
    }

    /// Its process.
    pub const fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again as it was, after it was killed, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_again(&mut self) -> Result<(), ServerError> {
        // What the killed one said does not hold any more.
        let told = self.data.join("addresses.json");
        match std::fs::remove_file(&told) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(file_error(&told)(error)),
            _ => self.process.start_again()?,
        }
        self.ready().await
    }

    /// Tells it to stop and waits until it has.
    ///
    /// # Errors
    /// If it does not stop, or not with exit code 0.
    pub async fn stop(&mut self) -> Result<(), ServerError> {
        match self.process.stop().await.map_err(klaxon_servers::ServerError::from)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(ServerError::Ended { status, log: self.process.last_words() }),
            None => Err(ServerError::Stuck),
        }
    }
}
