//! `klaxon serve`: a gateway and an engine in one process, and no other server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use klaxon_engine::arbiter::MemoryArbiter;
use klaxon_engine::archive::SqliteArchive;
use klaxon_engine::bus::LocalBus;
use klaxon_engine::clock::Clock;
use klaxon_engine::journal::{FileJournal, SyncPolicy};
use klaxon_engine::shows::Shows;
use klaxon_engine::Ports;
use klaxon_gateway::admin::{self, Admin, AdminSettings, AdminToken};
use klaxon_gateway::config::{Guests, JwtAlgorithm, ServeOptions};
use klaxon_gateway::settings::{Auth, GatewaySettings, TokenKey};
use klaxon_gateway::{Gateway, log, private_file};
use klaxon_protocol::ids::GatewayId;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

/// The one gateway of the process.
const GATEWAY: GatewayId = GatewayId(1);
/// In the data directory while the server is ready: where it listens.
const ADDRESSES: &str = "addresses.json";

/// Where the server listens, for scripts that let it choose its ports.
#[derive(Serialize)]
struct Addresses {
    players: SocketAddr,
    admin: SocketAddr,
}

pub fn serve(options: &ServeOptions) -> anyhow::Result<()> {
    log::start(options.log, &options.log_filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("engine")
        .build()
        .context("can't start the engine's threads")?;
    runtime.block_on(run(options))
}

async fn run(options: &ServeOptions) -> anyhow::Result<()> {
    let data = &options.data_dir;
    private_file::directory(data)?;
    let settings = gateway_settings(options)?;
    let sync: SyncPolicy = options.sync.parse().map_err(|problem| options.blame("sync", &options.sync, problem))?;
    let metrics = admin::metrics::install()?;

    let (bus, engine_end) = LocalBus::new();
    let ports = Ports {
        bus: Arc::new(engine_end),
        arbiter: Arc::new(MemoryArbiter::new()),
        journal: Arc::new(FileJournal::open(&data.join("journal"), sync)?),
        archive: Arc::new(SqliteArchive::open(&data.join("archive.sqlite")).await?),
        clock: Clock::start(),
    };
    let gateway_end = Arc::new(bus.connect(GATEWAY));
    let engine = tokio::spawn(Shows::open(ports).await?.run());

    let token = AdminToken::open(&options.admin_token_file())?;
    let admin_settings = AdminSettings { listen: options.admin_listen, token, metrics };
    let (admin, desk) = Admin::start(admin_settings, gateway_end.clone())
        .await
        .map_err(|error| options.blame("admin-listen", options.admin_listen, error))?;
    let gateway = Gateway::start(settings, gateway_end, desk)
        .map_err(|error| options.blame("listen", options.listen, error))?;

    let mut terminated = signal(SignalKind::terminate())?;
    let addresses = Addresses { players: gateway.addr(), admin: admin.address() };
    tell(data, &addresses)?;
    tracing::info!(players = %addresses.players, hosts = %addresses.admin, data = %data.display(), "ready");

    tokio::select! {
        _ = terminated.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    tracing::info!("stopping: players are told to come back");
    // Whoever looks for the server from now on shall not find it.
    std::fs::remove_file(data.join(ADDRESSES))?;
    gateway.drain(options.drain_limit.to_std()).await;
    admin.stop().await;
    drop(bus);
    engine.await?;
    tracing::info!("stopped");
    Ok(())
}

/// Writes where the server listens, whole or not at all.
fn tell(data: &Path, addresses: &Addresses) -> anyhow::Result<()> {
    let path = data.join(ADDRESSES);
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, serde_json::to_vec(addresses)?)
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .with_context(|| format!("can't write {}", path.display()))
}

fn gateway_settings(options: &ServeOptions) -> anyhow::Result<GatewaySettings> {
    let secret = private_file::secret(&options.secret_file())?;
    Ok(GatewaySettings {
        shards: options.shards(),
        max_connections: options.max_connections(),
        outbox_bytes: options.outbox_bytes,
        messages_per_second: options.messages_per_second,
        burst: options.messages_per_second.saturating_mul(2),
        join_timeout: options.join_timeout,
        heartbeat: options.heartbeat,
        auth: auth(options)?,
        ..GatewaySettings::new(options.listen, secret)
    })
}

fn auth(options: &ServeOptions) -> anyhow::Result<Auth> {
    let guests_too = options.guests == Guests::Allow;
    let Some(path) = &options.jwt_key_file else {
        if guests_too {
            return Ok(Auth::Guests);
        }
        return Err(options.blame("guests", "refuse", "needs a jwt-key-file: without one nobody could play").into());
    };
    let blame = |problem: String| options.blame("jwt-key-file", path.display(), problem);
    let bytes = std::fs::read(path).map_err(|error| blame(error.to_string()))?;
    let key = match options.jwt_algorithm {
        JwtAlgorithm::Eddsa => TokenKey::ed25519_pem(&bytes),
        JwtAlgorithm::Hs256 => TokenKey::hs256(bytes.trim_ascii()),
    };
    Ok(Auth::Jwt { key: key.map_err(|error| blame(error.to_string()))?, guests_too })
}
