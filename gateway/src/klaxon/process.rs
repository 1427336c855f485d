//! What all of Klaxon's processes have in common: startup, the address file, and stop signals.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use klaxon_gateway::admin::{AdminSettings, metrics};
use klaxon_gateway::config::{CommonOptions, ConfigError};
use klaxon_gateway::{log, private_file};
use rustix::fs::Mode;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A file in the data directory with the process's listening addresses, which exists while the process is ready.
const ADDRESSES: &str = "addresses.json";
/// The endings of the file names in a directory of journals.
const JOURNAL_FILES: [&str; 4] = [".klxj", ".klxp", ".klxp-damaged", "lock"];
/// The endings of a SQLite database's files, after the database's name.
const DATABASE_FILES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// The addresses on which a process listens, for scripts that let it choose its ports.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Addresses {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub players: Option<SocketAddr>,
    pub admin: SocketAddr,
}

/// Starts the log and the metrics, and creates the data directory. Returns the settings of the admin port. Everything
/// that this process creates from here on is private to its user.
pub fn begin(common: &CommonOptions) -> anyhow::Result<AdminSettings> {
    log::start(common.log, &common.log_filter)?;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    private_file::directory(&common.data_dir).map_err(|problem| common.unusable("data-dir", problem))?;
    Ok(common.admin(metrics::install()?)?)
}

/// A directory for journals in the data directory, created if missing; other users can't write to it.
pub fn journals(common: &CommonOptions, name: &str) -> Result<PathBuf, ConfigError> {
    let directory = common.data_dir.join(name);
    private_file::directory(&directory)
        .and_then(|()| private_file::kept_files(&directory, &JOURNAL_FILES))
        .map_err(|problem| common.unusable("data-dir", problem))?;
    Ok(directory)
}

/// Checks the ownership of a database file and of the files that SQLite puts beside it, if they exist. `key` is the
/// option that named the file.
pub fn database_file(common: &CommonOptions, key: &'static str, file: &Path) -> Result<(), ConfigError> {
    for end in DATABASE_FILES {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        private_file::kept_file(Path::new(&name)).map_err(|problem| common.unusable(key, problem))?;
    }
    Ok(())
}

/// The file in the data directory with the process's listening addresses.
pub struct AddressFile(PathBuf);

impl AddressFile {
    /// Removes the file that a killed process left there. To be called once this process owns the data directory.
    pub fn absent(data: &Path) -> anyhow::Result<Self> {
        let address_file = Self(data.join(ADDRESSES));
        address_file.forget()?;
        Ok(address_file)
    }

    /// Writes the listening addresses, atomically.
    pub fn write(&self, addresses: &Addresses) -> anyhow::Result<()> {
        let unfinished = self.0.with_extension("unfinished");
        let addresses = serde_json::to_vec(addresses)?;
        private_file::rewrite(&unfinished)
            .and_then(|mut file| file.write_all(&addresses))
            .and_then(|()| std::fs::rename(&unfinished, &self.0))
            .with_context(|| format!("can't write {}", self.0.display()))
    }

    /// Removes the file when the process stops to listen.
    pub fn remove(&self) {
        if let Err(error) = self.forget() {
            tracing::warn!(%error, "the address file can't be removed; the process stops anyway");
        }
    }

    fn forget(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("can't remove {}", self.0.display()))
            }
            _ => Ok(()),
        }
    }
}

/// The signals that stop a process.
pub struct Stop {
    terminated: Signal,
    /// SIGHUP, sent when a terminal is closed.
    hung_up: Signal,
}

impl Stop {
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self { terminated: signal(SignalKind::terminate())?, hung_up: signal(SignalKind::hangup())? })
    }

    /// Waits for one of the signals.
    pub async fn received(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.hung_up.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        Ok(())
    }
}
