//! Servers for the tests, and arbiters on them.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat, ShowId};
use klaxon_servers::{Persistence, RedisCluster};
use tokio::sync::Mutex;

use crate::arbiter::{ClaimOutcome, RedisArbiter};
use crate::redis::Redis;
use crate::round::{ClaimSpace, Round, SeatClaim};

pub const SHOW: ShowId = ShowId(42);
pub const Q1: Round = round(1);
const CHOICES: ClaimSpace = ClaimSpace::one_below(6);

pub const fn round(id: u16) -> Round {
    Round { id: RoundId(id), space: CHOICES }
}

pub fn claim(seat: u32, choice: u8) -> SeatClaim {
    SeatClaim { seat: Seat(seat), key: ClaimKey(0), value: ClaimValue::Bits(choice.into()) }
}

pub fn before(choice: u8) -> ClaimOutcome {
    ClaimOutcome::Before(ClaimValue::Bits(choice.into()))
}

/// A server that the tests which run now share: the last one ends it.
struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    const fn new() -> Self {
        Self(Mutex::const_new(Weak::new()))
    }

    async fn get(&self, start: impl Future<Output = T>) -> Arc<T> {
        let mut shared = self.0.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(start.await);
        *shared = Arc::downgrade(&started);
        started
    }
}

/// A way to these servers under a prefix of its own: nothing is there yet.
pub fn way(urls: &[String]) -> Redis {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Redis::new(urls, &format!("t{}", NEXT.fetch_add(1, Relaxed))).unwrap()
}

pub async fn engine(way: &Redis, holder: &str) -> RedisArbiter {
    RedisArbiter::connect(way, holder).await.unwrap()
}

pub async fn shared_redis() -> (Redis, Arc<klaxon_servers::Redis>) {
    static SHARED: Shared<klaxon_servers::Redis> = Shared::new();
    let server = SHARED.get(async { klaxon_servers::Redis::start(Persistence::None).await.unwrap() }).await;
    (way(&[server.url()]), server)
}

pub async fn shared_cluster() -> (Redis, Arc<RedisCluster>) {
    static SHARED: Shared<RedisCluster> = Shared::new();
    let cluster = SHARED.get(async { RedisCluster::start().await.unwrap() }).await;
    (way(&cluster.urls()), cluster)
}

pub async fn on_shared_redis() -> (RedisArbiter, Arc<klaxon_servers::Redis>) {
    let (way, server) = shared_redis().await;
    (engine(&way, "engine").await, server)
}

pub async fn on_shared_cluster() -> (RedisArbiter, Arc<RedisCluster>) {
    let (way, cluster) = shared_cluster().await;
    (engine(&way, "engine").await, cluster)
}
