//! `klaxon serve`: a gateway and an engine in one process, without further servers.

use std::sync::Arc;
use std::time::Duration;

use klaxon_engine::Ports;
use klaxon_engine::arbiter::MemoryArbiter;
use klaxon_engine::archive::SqlArchive;
use klaxon_engine::bus::LocalBus;
use klaxon_engine::game::Games;
use klaxon_engine::journal::{FileJournal, SyncPolicy};
use klaxon_engine::shows::Shows;
use klaxon_gateway::Gateway;
use klaxon_gateway::admin::Admin;
use klaxon_gateway::config::ServeOptions;
use klaxon_gateway::link::{Clock, Random};
use klaxon_protocol::ids::GatewayId;

use crate::process::{AddressFile, Addresses, Stop, begin, database_file, journals};

/// The id of the process's only gateway.
const GATEWAY: GatewayId = GatewayId(1);
/// How long the shows may take to write their records when the server stops.
const LAST_WRITES: Duration = Duration::from_secs(5);

pub async fn serve(options: &ServeOptions) -> anyhow::Result<()> {
    let ServeOptions { common, players, .. } = options;
    let hosts = begin(common)?;
    let data = &common.data_dir;
    let settings = players.settings(common)?;
    let sync: SyncPolicy = options.sync.parse().map_err(|problem| common.blame("sync", &options.sync, problem))?;

    let archive = data.join("archive.sqlite");
    database_file(common, "data-dir", &archive)?;
    let journal = FileJournal::open(&journals(common, "journal")?, sync).await?;
    let address_file = AddressFile::absent(data)?;
    let (bus, engine_end) = LocalBus::new();
    let ports = Ports {
        bus: Arc::new(engine_end),
        arbiter: Arc::new(MemoryArbiter::new()),
        journal: Arc::new(journal),
        archive: Some(Arc::new(SqlArchive::open_file(&archive).await?)),
        games: Games::default(),
        clock: Clock::of_process(),
        random: Random::of_system(),
    };
    let gateway_end = Arc::new(bus.connect(GATEWAY));
    let mut engine = tokio::spawn(Shows::open(ports).await?.run());

    let (admin, hosts) = Admin::start(hosts, gateway_end.clone())
        .await
        .map_err(|error| common.blame("admin-listen", common.admin_listen, error))?;
    let gateway =
        Gateway::start(settings, gateway_end, hosts).map_err(|error| common.blame("listen", players.listen, error))?;

    let mut stop = Stop::listen()?;
    let addresses = Addresses { players: Some(gateway.addr()), admin: admin.address() };
    address_file.write(&addresses)?;
    tracing::info!(players = %gateway.addr(), hosts = %addresses.admin, data = %data.display(), "ready");

    tokio::select! {
        stopped = stop.received() => stopped?,
        // The engine ends when its last gateway is gone, which has not happened here.
        ended = &mut engine => anyhow::bail!("the engine ended by itself: {ended:?}"),
    }
    tracing::info!("stopping: players are sent goodbye");
    address_file.remove();
    gateway.drain(players.drain_limit.to_std(), Vec::new()).await;
    admin.stop().await;
    drop(bus);
    // Every show writes its records; one that can't (a full disk) does not keep the process from stopping.
    if tokio::time::timeout(LAST_WRITES, engine).await.is_err() {
        tracing::warn!("the shows did not finish writing; what was acknowledged is in the journal");
    }
    tracing::info!("stopped");
    Ok(())
}
