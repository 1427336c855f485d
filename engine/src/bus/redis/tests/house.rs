//! A Redis of its own, with engines and gateways on it.

use std::time::Duration;

use klaxon_protocol::ids::{Fence, GatewayId, ShowId};
use klaxon_protocol::link::ToEngine;
use klaxon_servers::Persistence;
use redis::RedisResult;

use crate::bus::contract::{self, PATIENCE, SHOW};
use crate::bus::redis::entry::place;
use crate::bus::redis::{RedisEngineEnd, RedisGatewayEnd};
use crate::bus::{EngineEnd, GatewayEnd, Heard, Place};
use crate::redis::Redis;

pub struct House {
    server: Option<klaxon_servers::Redis>,
    pub redis: Redis,
    pub engine: RedisEngineEnd,
}

impl House {
    pub async fn start() -> Self {
        Self::with(Persistence::None).await
    }

    pub async fn with(persistence: Persistence) -> Self {
        let server = klaxon_servers::Redis::start(persistence).await.unwrap();
        let house = Self::on(&[server.url()], "klaxon").await;
        Self { server: Some(server), ..house }
    }

    /// On servers that somebody else has started.
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

    /// What Redis answers.
    pub async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        command.query_async(&mut self.redis.connect().await?).await
    }

    /// Waits until it is so.
    pub async fn until(&self, mut is_so: impl AsyncFnMut() -> bool) {
        self.until_some(async || is_so().await.then_some(())).await;
    }

    /// Waits until there is something.
    pub async fn until_some<T>(&self, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to be so")
    }

    /// The place of what was said last.
    pub async fn last_said(&self) -> Option<Place> {
        let last: Option<Vec<u8>> =
            self.ask(redis::cmd("HGET").arg(self.redis.keys().said(SHOW)).arg("last")).await.unwrap();
        last.and_then(|last| place(&last))
    }

    /// What the arbiter would note.
    pub async fn lease(&self, show: ShowId, fence: Fence) {
        self.try_lease(show, fence).await.unwrap();
    }

    pub async fn try_lease(&self, show: ShowId, fence: Fence) -> RedisResult<()> {
        let mut lease = redis::cmd("HSET");
        lease.arg(self.redis.keys().lease(show)).arg("fence").arg(fence.0);
        self.ask(&lease).await
    }
}

impl contract::House for House {
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

/// How many messages are wanted.
pub fn count(heard: &[Heard], wanted: impl Fn(&ToEngine) -> bool) -> usize {
    heard.iter().filter(|heard| wanted(&heard.message)).count()
}
