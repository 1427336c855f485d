//! What all of Klaxon's processes do alike: begin, say where they are, and stop when told.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use klaxon_gateway::admin::{AdminSettings, metrics};
use klaxon_gateway::config::CommonOptions;
use klaxon_gateway::{log, private_file};
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// In the data directory while the process is ready: where it listens.
const ADDRESSES: &str = "addresses.json";

/// Where a process listens, for scripts that let it choose its ports.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Addresses {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub players: Option<SocketAddr>,
    pub admin: SocketAddr,
}

/// Starts the log and the metrics, and makes the data directory. What the admin port needs.
pub fn begin(common: &CommonOptions, admin_listen: SocketAddr) -> anyhow::Result<AdminSettings> {
    log::start(common.log, &common.log_filter)?;
    let data = &common.data_dir;
    private_file::directory(data)
        .map_err(|problem| common.blame("data-dir", data.display(), format!("can't be made: {problem}")))?;
    Ok(common.admin(admin_listen, metrics::install()?)?)
}

/// Where the process listens, as its data directory says it.
pub struct Told(PathBuf);

impl Told {
    /// Removes what another process has left there that was killed. The data directory is ours from here on.
    pub fn nothing_yet(data: &Path) -> anyhow::Result<Self> {
        let told = Self(data.join(ADDRESSES));
        told.forget()?;
        Ok(told)
    }

    /// Writes where the process listens, whole or not at all.
    pub fn tell(&self, addresses: &Addresses) -> anyhow::Result<()> {
        let unfinished = self.0.with_extension("unfinished");
        std::fs::write(&unfinished, serde_json::to_vec(addresses)?)
            .and_then(|()| std::fs::rename(&unfinished, &self.0))
            .with_context(|| format!("can't write {}", self.0.display()))
    }

    /// Whoever looks for the process from now on shall not find it.
    pub fn take_back(&self) {
        if let Err(error) = self.forget() {
            tracing::warn!(%error, "it stops all the same");
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
    /// A terminal that was closed.
    hung_up: Signal,
}

impl Stop {
    pub fn listen() -> anyhow::Result<Self> {
        Ok(Self { terminated: signal(SignalKind::terminate())?, hung_up: signal(SignalKind::hangup())? })
    }

    /// Waits for one of them.
    pub async fn told(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.hung_up.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        Ok(())
    }
}
