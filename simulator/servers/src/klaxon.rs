//! A process of `klaxon`, for any of its commands.

use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::server::{Server, Starting};
use crate::{Process, ServerError};

/// The file that the process writes into its data directory when it is ready.
const ADDRESSES: &str = "addresses.json";

/// The addresses at which a process of `klaxon` listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Addresses {
    /// For players, if the process accepts any.
    pub players: Option<SocketAddr>,
    /// For hosts and metrics.
    pub admin: SocketAddr,
}

impl Addresses {
    /// The addresses that the process with this data directory has written. None if it is not ready, also while the
    /// file is incomplete.
    #[must_use]
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data.join(ADDRESSES)).ok()?).ok()
    }
}

/// A process of `klaxon`. Killed when dropped.
#[derive(Debug)]
pub struct Klaxon {
    name: String,
    process: Process,
    data: PathBuf,
    addresses: Addresses,
}

impl Klaxon {
    /// Starts this command line with `--data-dir DATA`, and waits until the process is ready. The directory is created
    /// if it is missing; the output is appended to the file `log`. A restart reuses the ports that the process got for
    /// port 0.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(name: &str, command: &[String], data: &Path, log: &Path) -> Result<Self, ServerError> {
        // Independent of the umask: Klaxon refuses a directory that others can write to.
        DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        forget_addresses(data)?;
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput).map_err(io::Error::from)?;
        let mut arguments = arguments.to_vec();
        arguments.extend(["--data-dir".to_owned(), data.display().to_string()]);
        let mut process = Process::start(program, arguments, Vec::new(), log)?;
        let addresses = ready(&mut process, data).await?;
        process.replace_argument_of("--admin-listen", &addresses.admin.to_string());
        if let Some(players) = addresses.players {
            process.replace_argument_of("--listen", &players.to_string());
        }
        Ok(Self { name: name.to_owned(), process, data: data.to_owned(), addresses })
    }

    /// The addresses at which it listens.
    #[must_use]
    pub const fn listens(&self) -> Addresses {
        self.addresses
    }

    /// The file with the token of its admin socket, unless the command line sets another.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.data.join("admin.token")
    }

    /// Sends SIGTERM and waits until the process has ended.
    ///
    /// # Errors
    /// If it does not stop, or its exit code is not 0.
    pub async fn stop(&mut self) -> Result<(), ServerError> {
        match self.process.stop().await? {
            status if status.success() => Ok(()),
            status => Err(self.process.ended_by_itself(status)),
        }
    }
}

impl Server for Klaxon {
    fn name(&self) -> &str {
        &self.name
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.players.into_iter().chain([self.addresses.admin]).collect()
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn start_again(&mut self) -> Starting<'_> {
        Box::pin(async {
            // The addresses that the killed process wrote are outdated.
            forget_addresses(&self.data)?;
            self.process.start_again()?;
            self.addresses = ready(&mut self.process, &self.data).await?;
            Ok(())
        })
    }
}

fn forget_addresses(data: &Path) -> io::Result<()> {
    match std::fs::remove_file(data.join(ADDRESSES)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn ready(process: &mut Process, data: &Path) -> Result<Addresses, ServerError> {
    process.ready_with(async || Addresses::read(data)).await
}

/// Any free address of this machine, for [`Klaxon::start`].
pub const ANY_ADDRESS: &str = "127.0.0.1:0";
