//! `klaxon serve`: a gateway and an engine in one process, and no other server.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use klaxon_engine::Ports;
use klaxon_engine::arbiter::MemoryArbiter;
use klaxon_engine::archive::SqlArchive;
use klaxon_engine::bus::LocalBus;
use klaxon_engine::figures;
use klaxon_engine::journal::{FileJournal, SyncPolicy};
use klaxon_engine::shows::Shows;
use klaxon_gateway::admin::{Admin, metrics};
use klaxon_gateway::config::ServeOptions;
use klaxon_gateway::link::Clock;
use klaxon_gateway::{Gateway, log, private_file};
use klaxon_protocol::ids::GatewayId;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

/// The one gateway of the process.
const GATEWAY: GatewayId = GatewayId(1);
/// How long the shows may take to write what they have when the server stops.
const LAST_WRITES: Duration = Duration::from_secs(5);
/// In the data directory while the server is ready: where it listens.
const ADDRESSES: &str = "addresses.json";

/// Where the server listens, for scripts that let it choose its ports.
#[derive(Serialize)]
struct Addresses {
    players: SocketAddr,
    admin: SocketAddr,
}

pub async fn serve(options: &ServeOptions) -> anyhow::Result<()> {
    log::start(options.log, &options.log_filter)?;
    let data = &options.data_dir;
    private_file::directory(data)
        .map_err(|problem| options.blame("data-dir", data.display(), format!("can't be made: {problem}")))?;
    let players = options.players()?;
    let hosts = options.admin(metrics::install()?)?;
    figures::describe();
    let sync: SyncPolicy = options.sync.parse().map_err(|problem| options.blame("sync", &options.sync, problem))?;

    let journal = FileJournal::open(&data.join("journal"), sync).await?;
    // The data directory is ours from here on. A server that was killed has left its addresses there.
    forget_addresses(data)?;
    let (bus, engine_end) = LocalBus::new();
    let ports = Ports {
        bus: Arc::new(engine_end),
        arbiter: Arc::new(MemoryArbiter::new()),
        journal: Arc::new(journal),
        archive: Some(Arc::new(SqlArchive::open_file(&data.join("archive.sqlite")).await?)),
        clock: Clock::of_process(),
    };
    let gateway_end = Arc::new(bus.connect(GATEWAY));
    let mut engine = tokio::spawn(Shows::open(ports).await?.run());

    let (admin, desk) = Admin::start(hosts, gateway_end.clone())
        .await
        .map_err(|error| options.blame("admin-listen", options.admin_listen, error))?;
    let gateway =
        Gateway::start(players, gateway_end, desk).map_err(|error| options.blame("listen", options.listen, error))?;

    let mut terminated = signal(SignalKind::terminate())?;
    // A terminal that was closed.
    let mut hung_up = signal(SignalKind::hangup())?;
    let addresses = Addresses { players: gateway.addr(), admin: admin.address() };
    tell(data, &addresses)?;
    tracing::info!(players = %addresses.players, hosts = %addresses.admin, data = %data.display(), "ready");

    tokio::select! {
        _ = terminated.recv() => {}
        _ = hung_up.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        // It ends when no gateway is left, and there is one.
        ended = &mut engine => anyhow::bail!("the engine ended by itself: {ended:?}"),
    }
    tracing::info!("stopping: players are told to come back");
    // Whoever looks for the server from now on shall not find it.
    if let Err(error) = forget_addresses(data) {
        tracing::warn!(%error, "the players are told all the same");
    }
    gateway.drain(options.drain_limit.to_std()).await;
    admin.stop().await;
    drop(bus);
    // Every show writes what it has; one that can't (a full disk) does not keep the process.
    if tokio::time::timeout(LAST_WRITES, engine).await.is_err() {
        tracing::warn!("the shows did not finish writing; what was acknowledged is in the journal");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Removes what tells where a server listens, if it is there.
fn forget_addresses(data: &Path) -> anyhow::Result<()> {
    let path = data.join(ADDRESSES);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes where the server listens, whole or not at all.
fn tell(data: &Path, addresses: &Addresses) -> anyhow::Result<()> {
    let path = data.join(ADDRESSES);
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, serde_json::to_vec(addresses)?)
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .with_context(|| format!("can't write {}", path.display()))
}
