//! `klaxon archive`: fills a database from Kafka, out of the way of all shows.

use std::time::Duration;

use anyhow::Context;
use klaxon_engine::archive::SqlArchive;
use klaxon_engine::archive::service::Service;
use klaxon_engine::figures;
use klaxon_engine::journal::kafka::Kafka;
use klaxon_gateway::admin::Admin;
use klaxon_gateway::config::ArchiveOptions;

use crate::process::{Addresses, Stop, Told, begin, wait_for};

/// How long the last write may take when the process stops. What is not written then is read again from Kafka.
const LAST_WRITE: Duration = Duration::from_secs(5);

pub async fn archive(options: &ArchiveOptions) -> anyhow::Result<()> {
    let common = &options.common;
    let admin = begin(common, options.admin_listen)?;
    let data = &common.data_dir;
    figures::describe();
    let (database, topic) = (options.database()?, &options.kafka.kafka_topic);
    let kafka = Kafka::new(options.kafka.brokers(common)?, topic);
    let told = Told::nothing_yet(data)?;
    let archive = wait_for("the database", async || SqlArchive::open(database.expose()).await).await;

    let admin =
        Admin::without_hosts(admin).await.map_err(|error| common.blame("admin-listen", options.admin_listen, error))?;
    let mut service =
        Service::open(&kafka, &options.kafka_group, archive.clone()).context("Kafka can't be followed")?;
    let mut stop = Stop::listen()?;
    let addresses = Addresses { players: None, admin: admin.address() };
    told.tell(&addresses)?;
    tracing::info!(%database, topic, group = options.kafka_group, admin = %addresses.admin, "ready");

    tokio::select! {
        stopped = stop.told() => stopped?,
        () = service.run() => {}
    }
    tracing::info!("stopping: what was read is written");
    told.take_back();
    match tokio::time::timeout(LAST_WRITE, service.finish()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the last write failed; it is made again from Kafka"),
        Err(_) => tracing::warn!("the last write did not finish; it is made again from Kafka"),
    }
    archive.close().await;
    admin.stop().await;
    tracing::info!("stopped");
    Ok(())
}
