//! `klaxon gateway`: players' and hosts' sockets. The engines are processes of their own, reached through Redis.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use klaxon_engine::bus::redis::RedisGatewayEnd;
use klaxon_engine::seal::SealKeys;
use klaxon_gateway::admin::Admin;
use klaxon_gateway::config::GatewayOptions;
use klaxon_gateway::{Address, Gateway};
use klaxon_protocol::ids::GatewayId;

use super::{redis, wait_for};
use crate::process::{AddressFile, Addresses, Stop, begin};

pub async fn gateway(options: &GatewayOptions) -> anyhow::Result<()> {
    let GatewayOptions { common, players, .. } = options;
    let hosts = begin(common)?;
    let data = &common.data_dir;
    let settings = players.settings(common)?;
    let redis = redis(&options.redis, SealKeys::of_secrets(&options.seal.secrets(common)?), common)?;
    let address_file = AddressFile::absent(data)?;

    let address = Address::take(&settings).map_err(|error| common.blame("listen", players.listen, error))?;
    let public_url = options.public_url.clone().or_else(|| url_of(address.addr()));
    if public_url.is_none() {
        tracing::warn!("without a public-url no other gateway sends its players here when it stops");
    }
    // A random id, unique among running gateways. It is not stored.
    let id = GatewayId(getrandom::u32().context("the system has nothing random")?);
    let end = wait_for("Redis", async || RedisGatewayEnd::connect(&redis, id, public_url.clone()).await).await;
    let end = Arc::new(end);

    let (admin, hosts) = Admin::start(hosts, end.clone())
        .await
        .map_err(|error| common.blame("admin-listen", common.admin_listen, error))?;
    let gateway = Gateway::start_at(address, settings, end.clone(), hosts)?;

    let mut stop = Stop::listen()?;
    let addresses = Addresses { players: Some(gateway.addr()), admin: admin.address() };
    address_file.write(&addresses)?;
    tracing::info!(gateway = %id, players = %gateway.addr(), hosts = %addresses.admin, public_url, "ready");

    stop.received().await?;
    let others = end.others();
    tracing::info!(?others, "stopping: players are sent on");
    address_file.remove();
    gateway.drain(players.drain_limit.to_std(), others).await;
    admin.stop().await;
    end.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// The URL of an address, if others can connect to it.
fn url_of(address: SocketAddr) -> Option<String> {
    (!address.ip().is_unspecified()).then(|| format!("ws://{address}/play"))
}
