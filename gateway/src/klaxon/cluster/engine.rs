//! `klaxon engine`: plays shows, beside other engines. The gateways are processes of their own, reached through Redis.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use klaxon_engine::Ports;
use klaxon_engine::arbiter::RedisArbiter;
use klaxon_engine::bus::redis::RedisEngineEnd;
use klaxon_engine::game::Games;
use klaxon_engine::journal::kafka::{Kafka, KafkaOpenError};
use klaxon_engine::journal::{KafkaJournal, SealedJournal};
use klaxon_engine::seal::SealKeys;
use klaxon_engine::shows::Shows;
use klaxon_gateway::admin::Admin;
use klaxon_gateway::config::EngineOptions;
use klaxon_gateway::link::{Clock, Random};

use super::{kafka, redis, wait_for};
use crate::process::{AddressFile, Addresses, Stop, begin, journals};

/// How long the shows may take to write their records and to be released, when the engine stops.
const LAST_WRITES: Duration = Duration::from_secs(5);
/// How long the upload of the spool to Kafka may take when the engine stops. The rest is uploaded after the next start,
/// or by other engines.
const LAST_UPLOAD: Duration = Duration::from_secs(5);

pub async fn engine(options: &EngineOptions) -> anyhow::Result<()> {
    let common = &options.common;
    let admin = begin(common)?;
    let data = &common.data_dir;
    let keys = SealKeys::of_secrets(&options.seal.secrets(common)?);
    let redis = redis(&options.redis, keys.clone(), common)?;
    let spool = journals(common, "spool")?;
    let name = match &options.name {
        Some(name) => name.clone(),
        None => unused_name()?,
    };
    let kafka = Kafka {
        partitions: options.kafka_partitions,
        replication: options.kafka_replication,
        ..kafka(&options.kafka, common)?
    };

    let arbiter = wait_for("Redis", async || RedisArbiter::connect(&redis, &name).await).await;
    let journal = open_journal(&redis, kafka, &spool).await?;
    let address_file = AddressFile::absent(data)?;
    let journal = Arc::new(journal);
    let end = Arc::new(wait_for("Redis", async || RedisEngineEnd::connect(&redis, &name).await).await);
    let ports = Ports {
        bus: end.clone(),
        arbiter: Arc::new(arbiter),
        journal: Arc::new(SealedJournal::new(journal.clone(), keys)),
        // The archive is filled from Kafka by `klaxon archive`.
        archive: None,
        games: Games::default(),
        clock: Clock::of_process(),
        random: Random::of_system(),
    };
    let mut shows = tokio::spawn(Shows::open(ports).await?.run());

    let admin =
        Admin::without_hosts(admin).await.map_err(|error| common.blame("admin-listen", common.admin_listen, error))?;
    let mut stop = Stop::listen()?;
    let addresses = Addresses { players: None, admin: admin.address() };
    address_file.write(&addresses)?;
    tracing::info!(engine = name, admin = %addresses.admin, data = %data.display(), "ready");

    tokio::select! {
        stopped = stop.received() => stopped?,
        ended = &mut shows => anyhow::bail!("the engine ended by itself: {ended:?}"),
    }
    tracing::info!("stopping: the shows are handed over");
    address_file.remove();
    end.close();
    let handed_over = async {
        let ended = shows.await;
        end.finish().await;
        ended
    };
    match tokio::time::timeout(LAST_WRITES, handed_over).await {
        Ok(ended) => ended.context("the shows broke off")?,
        Err(_) => {
            tracing::warn!("not all shows could be handed over; other engines take them up when their leases are over")
        }
    }
    if tokio::time::timeout(LAST_UPLOAD, journal.flushed()).await.is_err() {
        tracing::warn!("Kafka does not have everything yet; the next start uploads the rest of the spool");
    }
    admin.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Opens the journal, and retries until Redis answers. A spool that another process has open is an error at once.
async fn open_journal(
    redis: &klaxon_engine::redis::Redis,
    kafka: Kafka,
    spool: &std::path::Path,
) -> anyhow::Result<KafkaJournal> {
    let open = async || match KafkaJournal::open(redis, kafka.clone(), spool).await {
        Err(error @ KafkaOpenError::Redis(_)) => Err(error),
        opened => Ok(opened),
    };
    Ok(wait_for("Redis", open).await?)
}

/// A unique name: the machine's host name and a random suffix.
fn unused_name() -> anyhow::Result<String> {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    let random = getrandom::u32().context("the system has nothing random")?;
    Ok(format!("{host}-{random:08x}"))
}
