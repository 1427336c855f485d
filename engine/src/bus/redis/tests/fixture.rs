//! A Redis with engines and gateways.

use std::time::Duration;

use klaxon_protocol::ids::{Fence, GatewayId, ShowId};
use klaxon_protocol::link::ToEngine;
use klaxon_servers::Persistence;
use redis::RedisResult;

use crate::bus::contract::{self, PATIENCE, SHOW};
use crate::bus::redis::entry::position;
use crate::bus::redis::{RedisEngineEnd, RedisGatewayEnd};
use crate::bus::{EngineEnd, GatewayEnd, Received, StreamPosition};
use crate::redis::Redis;

pub struct Fixture {
    server: Option<klaxon_servers::Redis>,
    pub redis: Redis,
    pub engine: RedisEngineEnd,
}

impl Fixture {
    pub async fn start() -> Self {
        Self::with(Persistence::None).await
    }

    pub async fn with(persistence: Persistence) -> Self {
        let server = klaxon_servers::Redis::start(persistence).await.unwrap();
        let fixture = Self::on(&[server.url()], "klaxon").await;
        Self { server: Some(server), ..fixture }
    }

    /// On servers that are running already.
    pub async fn on(urls: &[String], prefix: &str) -> Self {
        let redis = Redis::new(urls, prefix).unwrap();
        let engine = RedisEngineEnd::connect(&redis, "one").await.unwrap();
        Self { server: None, redis, engine }
    }

    pub fn server(&mut self) -> &mut klaxon_servers::Redis {
        self.server.as_mut().expect("a server of its own")
    }

    pub async fn other_engine(&self) -> RedisEngineEnd {
        RedisEngineEnd::connect(&self.redis, "other").await.unwrap()
    }

    pub async fn gateway(&self, id: GatewayId) -> RedisGatewayEnd {
        RedisGatewayEnd::connect(&self.redis, id, Some(format!("wss://{id}.example"))).await.unwrap()
    }

    /// The reply to a command.
    pub async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        command.query_async(&mut self.redis.connect().await?).await
    }

    /// Waits until the condition holds.
    pub async fn until(&self, mut holds: impl AsyncFnMut() -> bool) {
        self.until_some(async || holds().await.then_some(())).await;
    }

    /// Waits until there is a value.
    pub async fn until_some<T>(&self, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it happens in time")
    }

    /// The position of the last entry that was published.
    pub async fn last_published(&self) -> Option<StreamPosition> {
        let last: Option<Vec<u8>> =
            self.ask(redis::cmd("HGET").arg(self.redis.keys().progress(SHOW)).arg("last")).await.unwrap();
        last.and_then(|last| position(&last))
    }

    /// Sets the lease as the arbiter would.
    pub async fn lease(&self, show: ShowId, fence: Fence) {
        self.try_lease(show, fence).await.unwrap();
    }

    pub async fn try_lease(&self, show: ShowId, fence: Fence) -> RedisResult<()> {
        let mut lease = redis::cmd("HSET");
        lease.arg(self.redis.keys().lease(show)).arg("fence").arg(fence.0);
        self.ask(&lease).await
    }
}

impl contract::Fixture for Fixture {
    fn engine(&self) -> &dyn EngineEnd {
        &self.engine
    }

    async fn gateway(&self, id: GatewayId) -> Box<dyn GatewayEnd> {
        Box::new(Self::gateway(self, id).await)
    }

    async fn lease(&self, show: ShowId, fence: Fence) {
        Self::lease(self, show, fence).await;
    }
}

/// How many messages match.
pub fn count(received: &[Received], wanted: impl Fn(&ToEngine) -> bool) -> usize {
    received.iter().filter(|received| wanted(&received.message)).count()
}
