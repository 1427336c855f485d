//! `klaxon archive`: fills a database from Kafka, out of the way of all shows.

use std::io::{ErrorKind, Write};

use anyhow::Context;
use klaxon_engine::archive::SqlArchive;
use klaxon_engine::archive::service::ArchiveService;
use klaxon_engine::game::Games;
use klaxon_engine::seal::SealKeys;
use klaxon_gateway::admin::Admin;
use klaxon_gateway::config::{ArchiveOptions, CommonOptions};
use klaxon_gateway::private_file;
use tokio::sync::oneshot;

use super::{kafka, wait_for};
use crate::process::{AddressFile, Addresses, Stop, begin, database_file};

pub async fn archive(options: &ArchiveOptions) -> anyhow::Result<()> {
    let common = &options.common;
    let admin = begin(common)?;
    let data = &common.data_dir;
    let keys = SealKeys::of_secrets(&options.seal.secrets(common)?);
    let (database, topic) = (options.database()?, &options.kafka.kafka_topic);
    let kafka = kafka(&options.kafka, common)?;
    let member = member(common)?;
    if let Some(file) = SqlArchive::file_of(database.expose()) {
        database_file(common, "database", &file)?;
    }
    let address_file = AddressFile::absent(data)?;
    let archive = wait_for("the database", async || SqlArchive::open(database.expose()).await).await;

    let admin =
        Admin::without_hosts(admin).await.map_err(|error| common.blame("admin-listen", common.admin_listen, error))?;
    let service = ArchiveService::new(archive.clone(), Games::default(), keys, &kafka, &options.kafka_group, &member)
        .context("Kafka can't be followed")?;
    let mut signals = Stop::listen()?;
    let addresses = Addresses { players: None, admin: admin.address() };
    address_file.write(&addresses)?;
    tracing::info!(%database, topic, group = options.kafka_group, admin = %addresses.admin, "ready");

    let (stop, stopping) = oneshot::channel::<()>();
    let filling = tokio::spawn(service.run(async { drop(stopping.await) }));
    signals.received().await?;
    tracing::info!("stopping: what was read is written");
    address_file.remove();
    drop(stop);
    filling.await.context("the archive broke off")?;
    archive.close().await;
    admin.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// This archive's name in the consumer group, kept in the data directory, so that it is the same after a restart.
fn member(common: &CommonOptions) -> anyhow::Result<String> {
    let path = common.data_dir.join("member.id");
    private_file::kept_file(&path).map_err(|problem| common.unusable("data-dir", problem))?;
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("can't read {}", path.display()));
        }
        _ => {}
    }
    let name = format!("archive-{:016x}", getrandom::u64().context("there is no randomness")?);
    private_file::rewrite(&path)
        .and_then(|mut file| file.write_all(name.as_bytes()))
        .with_context(|| format!("can't write {}", path.display()))?;
    Ok(name)
}
