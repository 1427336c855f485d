//! The registry of gateways: each sends heartbeats to it, and engines notice when they stop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::ids::{GatewayId, ShowId};
use parking_lot::Mutex;
use redis::RedisResult;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::millis;
use super::show_subscriber::InboxItem;
use crate::bus::queue::send_waiting;
use crate::redis::scripts::{REGISTRY_REGISTER, REGISTRY_REMOVE};
use crate::redis::{Connection, Keys};

/// How often a gateway sends a heartbeat.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(500);
/// Other gateways treat a gateway as up for this long after its last heartbeat.
const ALIVE: Duration = Duration::from_millis(2500);
/// How often an engine reads the registry.
const CHECK: Duration = Duration::from_millis(250);
/// A gateway without a heartbeat for this long is gone.
const TIMEOUT: Duration = Duration::from_millis(2000);

/// Sends a gateway's heartbeat. Returns the URLs of all others that are up.
///
/// # Errors
/// If Redis does not answer.
pub(super) async fn register(
    connection: &Connection,
    keys: &Keys,
    gateway: GatewayId,
    url: &str,
) -> RedisResult<Vec<String>> {
    let arguments = [&*gateway.to_string(), &*millis(ALIVE).to_string(), url];
    let (now, all): (u64, BTreeMap<u32, String>) =
        REGISTRY_REGISTER.run(connection, &[keys.gateway_registry()], &arguments).await?;
    let url = |(_, line): (u32, String)| {
        let (until, url) = line.split_once(' ')?;
        (until.parse::<u64>().ok()? >= now && !url.is_empty()).then(|| url.to_owned())
    };
    Ok(all.into_iter().filter(|(id, _)| *id != gateway.0).filter_map(url).collect())
}

/// Removes a gateway that stops.
///
/// # Errors
/// If Redis does not answer.
pub(super) async fn leave(connection: &mut Connection, keys: &Keys, gateway: GatewayId) -> RedisResult<()> {
    redis::cmd("HDEL").arg(keys.gateway_registry()).arg(gateway.0).query_async(connection).await
}

/// An engine's view of the gateways.
///
/// The time since a heartbeat is counted over successful reads of the registry only: an outage of Redis does not count.
#[derive(Debug, Clone, Default)]
pub(super) struct Gateways(Arc<Mutex<BTreeMap<GatewayId, Gateway>>>);

#[derive(Debug)]
struct Gateway {
    /// Its last heartbeat, as the registry has it.
    heartbeat: String,
    /// The time since then.
    silent_for: Duration,
    /// Whether the engine was notified that it is gone; it is removed next.
    is_gone: bool,
}

impl Gateways {
    /// The subscribers of a show that are up. One that this engine does not know yet has just started: it counts if it
    /// is in the registry.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn up(
        &self,
        connection: &mut Connection,
        keys: &Keys,
        subscribers: BTreeSet<u32>,
    ) -> RedisResult<BTreeSet<GatewayId>> {
        let registered: BTreeSet<u32> =
            redis::cmd("HKEYS").arg(keys.gateway_registry()).query_async(connection).await?;
        let known = self.0.lock();
        let is_up = |id: &GatewayId| match known.get(id) {
            Some(gateway) => !gateway.is_gone,
            None => registered.contains(&id.0),
        };
        Ok(subscribers.into_iter().map(GatewayId).filter(is_up).collect())
    }

    /// Updates from the registry, `passed` after the last update. Returns gateways that timed out, and their last
    /// heartbeats.
    fn update(&self, registered: &BTreeMap<u32, String>, passed: Duration) -> Vec<(GatewayId, String)> {
        let mut known = self.0.lock();
        known.retain(|id, gateway| !gateway.is_gone || registered.contains_key(&id.0));
        for (&id, heartbeat) in registered {
            let new = || Gateway { heartbeat: String::new(), silent_for: Duration::ZERO, is_gone: false };
            let gateway = known.entry(GatewayId(id)).or_insert_with(new);
            if gateway.heartbeat != *heartbeat {
                *gateway = Gateway { heartbeat: heartbeat.clone(), ..new() };
                continue;
            }
            gateway.silent_for += passed;
        }
        // A missing gateway may have left, or Redis may have lost its data: it gets the timeout to register again.
        for (_, gateway) in known.iter_mut().filter(|(id, _)| !registered.contains_key(&id.0)) {
            gateway.silent_for += passed;
        }
        let gone = known.iter_mut().filter(|(_, gateway)| gateway.silent_for >= TIMEOUT && !gateway.is_gone);
        gone.map(|(&id, gateway)| {
            gateway.is_gone = true;
            (id, gateway.heartbeat.clone())
        })
        .collect()
    }
}

/// Reports gateways that timed out to the engine's inbox, until the inbox is dropped.
pub(super) async fn watch_gateways(
    mut connection: Connection,
    keys: Keys,
    gateways: Gateways,
    shows: impl Fn() -> Vec<ShowId>,
    inbox: mpsc::Sender<InboxItem>,
) {
    let mut checks = interval(CHECK);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut checked_at = Instant::now();
    while !inbox.is_closed() {
        checks.tick().await;
        let registered = redis::cmd("HGETALL").arg(keys.gateway_registry()).query_async(&mut connection).await;
        // While this process or Redis was stopped, no heartbeat could be seen: that time does not count.
        let passed = std::mem::replace(&mut checked_at, Instant::now()).elapsed().min(2 * CHECK);
        let Ok(registered) = registered else { continue };
        for (gateway, heartbeat) in gateways.update(&registered, passed) {
            tracing::warn!(%gateway, "a gateway sends no heartbeats; barriers no longer wait for it");
            send_waiting(&inbox, "engine_inbox", InboxItem::GatewayGone(gateway)).await;
            if let Err(error) = remove(&mut connection, &keys, gateway, &heartbeat, shows()).await {
                tracing::debug!(%gateway, %error, "a gateway that is gone can't be removed");
            }
        }
    }
}

/// Removes a gateway that timed out. If it is alive after all, it finds itself missing from a show's subscribers and
/// subscribes again; the engine has been notified of its loss before.
async fn remove(
    connection: &mut Connection,
    keys: &Keys,
    gateway: GatewayId,
    heartbeat: &str,
    shows: Vec<ShowId>,
) -> RedisResult<()> {
    for show in shows {
        redis::cmd("SREM").arg(keys.subscribers(show)).arg(gateway.0).query_async::<()>(connection).await?;
    }
    Ok(REGISTRY_REMOVE.run(connection, &[keys.gateway_registry()], &[&*gateway.to_string(), heartbeat]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: GatewayId = GatewayId(7);

    fn registry(heartbeat: &str) -> BTreeMap<u32, String> {
        BTreeMap::from([(GATEWAY.0, heartbeat.to_owned())])
    }

    #[test]
    fn a_gateway_without_heartbeats_for_long_enough_is_gone_once() {
        let gateways = Gateways::default();
        let mut gone = Vec::new();
        for check in 0..20 {
            gone.extend(gateways.update(&registry(if check < 5 { "1" } else { "2" }), CHECK));
            assert!(check != 5 + 7 || gone.is_empty(), "its heartbeat changed at check 5");
            if check == 5 + 8 {
                assert_eq!(gone, [(GATEWAY, "2".to_owned())]);
                break;
            }
        }
        assert_eq!(gateways.update(&BTreeMap::new(), TIMEOUT), []);
    }

    #[test]
    fn a_gateway_that_is_back_in_a_registry_that_lost_its_memory_is_not_gone() {
        let gateways = Gateways::default();
        assert_eq!(gateways.update(&registry("1"), CHECK), []);
        assert_eq!(gateways.update(&BTreeMap::new(), CHECK), []);
        assert_eq!(gateways.update(&registry("2"), CHECK), []);
        assert_eq!(gateways.update(&registry("2"), TIMEOUT - CHECK), []);
        assert_eq!(gateways.update(&BTreeMap::new(), CHECK), [(GATEWAY, "2".to_owned())]);
    }
}
