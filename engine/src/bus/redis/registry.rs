//! Which gateways are up: each says so again and again, and engines notice when one does not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use klaxon_protocol::ids::{GatewayId, ShowId};
use redis::RedisResult;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::hearing::Item;
use super::millis;
use crate::redis::scripts::{REGISTRY_REGISTER, REGISTRY_REMOVE};
use crate::redis::{Connection, Keys};

/// How often a gateway says that it is up.
pub(super) const SAY: Duration = Duration::from_millis(500);
/// For so long other gateways take it to be up after that.
const ALIVE: Duration = Duration::from_millis(2500);
/// How often an engine looks.
const LOOK: Duration = Duration::from_millis(250);
/// A gateway that says nothing for so long is gone.
const SILENT: Duration = Duration::from_millis(2000);

/// Says that a gateway is up. The URLs of all others that are.
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
        REGISTRY_REGISTER.run(connection, &[keys.gateways()], &arguments).await?;
    let url = |(_, line): (u32, String)| {
        let (until, url) = line.split_once(' ')?;
        (until.parse::<u64>().ok()? >= now && !url.is_empty()).then(|| url.to_owned())
    };
    Ok(all.into_iter().filter(|(id, _)| *id != gateway.0).filter_map(url).collect())
}

/// A gateway is no longer up.
///
/// # Errors
/// If Redis does not answer.
pub(super) async fn leave(connection: &mut Connection, keys: &Keys, gateway: GatewayId) -> RedisResult<()> {
    redis::cmd("HDEL").arg(keys.gateways()).arg(gateway.0).query_async(connection).await
}

/// An engine's view of the gateways.
///
/// How long one has been silent is counted by looks that succeeded: while Redis is away nobody is.
#[derive(Debug, Clone, Default)]
pub(super) struct Gateways(Arc<Mutex<BTreeMap<GatewayId, Seen>>>);

#[derive(Debug)]
struct Seen {
    said: String,
    silent: Duration,
    /// It was told that it is gone, and is about to be struck out.
    is_gone: bool,
}

impl Gateways {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<GatewayId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the audience that are up. One that has only just come is in the registry, and not known to be silent.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn up(
        &self,
        connection: &mut Connection,
        keys: &Keys,
        audience: BTreeSet<u32>,
    ) -> RedisResult<BTreeSet<GatewayId>> {
        let registered: BTreeSet<u32> = redis::cmd("HKEYS").arg(keys.gateways()).query_async(connection).await?;
        let seen = self.seen();
        let is_up = |id: &GatewayId| match seen.get(id) {
            Some(known) => !known.is_gone,
            None => registered.contains(&id.0),
        };
        Ok(audience.into_iter().map(GatewayId).filter(is_up).collect())
    }

    /// What the registry holds, after `passed`. Who is gone, with what it said last.
    fn look(&self, registered: &BTreeMap<u32, String>, passed: Duration) -> Vec<(GatewayId, String)> {
        let mut seen = self.seen();
        seen.retain(|id, known| !known.is_gone || registered.contains_key(&id.0));
        for (&id, said) in registered {
            let new = || Seen { said: String::new(), silent: Duration::ZERO, is_gone: false };
            let known = seen.entry(GatewayId(id)).or_insert_with(new);
            if known.said != *said {
                *known = Seen { said: said.clone(), ..new() };
                continue;
            }
            known.silent += passed;
        }
        // One that is not there may have left, or Redis may have lost its memory: it has time to come back.
        for (_, known) in seen.iter_mut().filter(|(id, _)| !registered.contains_key(&id.0)) {
            known.silent += passed;
        }
        let silent = seen.iter_mut().filter(|(_, known)| known.silent >= SILENT && !known.is_gone);
        silent
            .map(|(&id, known)| {
                known.is_gone = true;
                (id, known.said.clone())
            })
            .collect()
    }
}

/// Looks for gateways that are gone until the engine's end is.
pub(super) async fn watch(
    mut connection: Connection,
    keys: Keys,
    gateways: Gateways,
    shows: impl Fn() -> Vec<ShowId>,
    engine: mpsc::UnboundedSender<Item>,
) {
    let mut turns = interval(LOOK);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looked = Instant::now();
    while !engine.is_closed() {
        turns.tick().await;
        let registered = redis::cmd("HGETALL").arg(keys.gateways()).query_async(&mut connection).await;
        // While this process or Redis stood still, gateways could not be heard.
        let passed = std::mem::replace(&mut looked, Instant::now()).elapsed().min(2 * LOOK);
        let Ok(registered) = registered else { continue };
        for (gateway, said) in gateways.look(&registered, passed) {
            tracing::warn!(%gateway, "a gateway is silent; nothing is waited for from it");
            let _ = engine.send(Item::Gone(gateway));
            if let Err(error) = remove(&mut connection, &keys, gateway, &said, shows()).await {
                tracing::debug!(%gateway, %error, "a gateway that is gone could not be struck out");
            }
        }
    }
}

/// It finds itself missing from an audience, if it comes back, and says that it is here: after the engine heard that it is gone.
async fn remove(
    connection: &mut Connection,
    keys: &Keys,
    gateway: GatewayId,
    said: &str,
    shows: Vec<ShowId>,
) -> RedisResult<()> {
    for show in shows {
        redis::cmd("SREM").arg(keys.audience(show)).arg(gateway.0).query_async::<()>(connection).await?;
    }
    Ok(REGISTRY_REMOVE.run(connection, &[keys.gateways()], &[&*gateway.to_string(), said]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: GatewayId = GatewayId(7);

    fn registry(said: &str) -> BTreeMap<u32, String> {
        BTreeMap::from([(GATEWAY.0, said.to_owned())])
    }

    #[test]
    fn a_gateway_that_says_nothing_for_long_enough_is_gone_once() {
        let gateways = Gateways::default();
        let mut gone = Vec::new();
        for look in 0..20 {
            gone.extend(gateways.look(&registry(if look < 5 { "1" } else { "2" }), LOOK));
            assert!(look != 5 + 7 || gone.is_empty(), "it spoke at look 5");
            if look == 5 + 8 {
                assert_eq!(gone, [(GATEWAY, "2".to_owned())]);
                break;
            }
        }
        assert_eq!(gateways.look(&BTreeMap::new(), SILENT), []);
    }

    #[test]
    fn a_registry_that_lost_its_memory_takes_no_gateway_down_that_comes_back() {
        let gateways = Gateways::default();
        assert_eq!(gateways.look(&registry("1"), LOOK), []);
        assert_eq!(gateways.look(&BTreeMap::new(), LOOK), []);
        assert_eq!(gateways.look(&registry("2"), LOOK), []);
        assert_eq!(gateways.look(&registry("2"), SILENT - LOOK), []);
        assert_eq!(gateways.look(&BTreeMap::new(), LOOK), [(GATEWAY, "2".to_owned())]);
    }
}
