//! A build without the feature `cluster`: `klaxon serve` and the other commands that need no further server, as for
//! `make demo`.

use klaxon_engine::seal::SealKeys;
use klaxon_gateway::cli::{ForgetOptions, ReplayOptions};
use klaxon_gateway::config::{ArchiveOptions, EngineOptions, GatewayOptions};
use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::Record;

pub async fn gateway(_: &GatewayOptions) -> anyhow::Result<()> {
    left_out()
}

pub async fn engine(_: &EngineOptions) -> anyhow::Result<()> {
    left_out()
}

pub async fn archive(_: &ArchiveOptions) -> anyhow::Result<()> {
    left_out()
}

pub async fn read_journal(_: &ReplayOptions, _: &str, _: ShowId) -> anyhow::Result<Vec<Record>> {
    left_out()
}

pub async fn forget(_: &ForgetOptions, _: &SealKeys) -> anyhow::Result<bool> {
    left_out()
}

fn left_out<T>() -> anyhow::Result<T> {
    anyhow::bail!(
        "this klaxon was built without Redis, Kafka and database servers; `cargo build --release -p klaxon-gateway` builds it with them"
    )
}
