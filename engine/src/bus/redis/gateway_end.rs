//! A gateway's end of the bus over Redis.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use klaxon_protocol::ids::{GatewayId, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};
use parking_lot::Mutex;
use redis::RedisError;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::gateway_publisher::GatewayContext;
use super::gateway_queues::{GatewayQueues, MAX_REFUSALS};
use super::gateway_subscriber::read_host_replies;
use super::{ClockSync, Task, gateway_registry};
use crate::bus::GatewayEnd;
use crate::bus::queue::record_length;
use crate::clock::Clock;
use crate::redis::{Connection, Redis};

/// How many messages one `receive` returns, not counting those that come with the last of them.
const MAX_RECEIVED: usize = 1024;
/// Reads of Redis that the gateway has not received. When there is no room, subscribers do not read until there is.
const MAX_READS: usize = 64;
/// How long closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A gateway's end of the bus over Redis. If it is dropped without [`Self::close`], engines treat the gateway as
/// crashed: they notice two seconds later.
pub struct RedisGatewayEnd {
    id: GatewayId,
    redis: Redis,
    connection: Connection,
    queues: GatewayQueues,
    inbox: tokio::sync::Mutex<GatewayInbox>,
    others: Arc<Mutex<Vec<String>>>,
    clock_sync: ClockSync,
    closed: watch::Sender<bool>,
    /// None once it is closed.
    registration: Mutex<Option<Task>>,
    _host_replies: Task,
}

struct GatewayInbox {
    received: mpsc::Receiver<Vec<ToGateway>>,
    refusals: mpsc::Receiver<ToGateway>,
    closed: watch::Receiver<bool>,
}

impl RedisGatewayEnd {
    /// Connects a gateway. `id` must be unique among running gateways; `public_url` is where its players connect, if
    /// known.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn connect(redis: &Redis, id: GatewayId, public_url: Option<String>) -> Result<Self, RedisError> {
        let connection = redis.connect().await?;
        let clock_sync = ClockSync::start(redis, Clock::of_process()).await?;
        let url = public_url.unwrap_or_default();
        let others = gateway_registry::register(&connection, redis.keys(), id, &url).await?;
        let others = Arc::new(Mutex::new(others));
        let (read, received) = mpsc::channel(MAX_READS);
        let (refused, refusals) = mpsc::channel(MAX_REFUSALS);
        let host_replies = Task::spawn(read_host_replies(redis.clone(), id, read.clone()));
        let context = GatewayContext {
            redis: redis.clone(),
            connection: connection.clone(),
            gateway: id,
            received: read.clone(),
        };
        let queues = GatewayQueues::new(context, refused, clock_sync.shared_uncertainty());
        let (closed, is_closed) = watch::channel(false);
        let registration = {
            let (redis, connection, others, queues) =
                (redis.clone(), connection.clone(), Arc::clone(&others), queues.clone());
            Task::spawn(async move {
                let mut heartbeat = interval(gateway_registry::HEARTBEAT);
                heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    heartbeat.tick().await;
                    queues.record_lengths();
                    record_length("gateway_inbox", MAX_READS - read.capacity());
                    match gateway_registry::register(&connection, redis.keys(), id, &url).await {
                        Ok(now) => *others.lock() = now,
                        Err(error) => tracing::debug!(%error, "the gateway can't register; trying again"),
                    }
                }
            })
        };
        Ok(Self {
            id,
            redis: redis.clone(),
            connection,
            queues,
            inbox: tokio::sync::Mutex::new(GatewayInbox { received, refusals, closed: is_closed }),
            others,
            clock_sync,
            closed,
            registration: Mutex::new(Some(registration)),
            _host_replies: host_replies,
        })
    }

    /// The public URLs of the other gateways that are up.
    #[must_use]
    pub fn others(&self) -> Vec<String> {
        self.others.lock().clone()
    }

    /// The uncertainty of this process's stamps, in microseconds either way.
    #[must_use]
    pub fn clock_uncertainty(&self) -> u32 {
        self.clock_sync.uncertainty()
    }

    /// Leaves the bus once Redis has everything that was sent: barriers no longer wait for this gateway, and `receive`
    /// returns false. If Redis is unavailable, unsent messages are dropped after five seconds.
    pub async fn close(&self) {
        drop(self.registration.lock().take());
        let closing = async {
            self.queues.close().await;
            gateway_registry::leave(&mut self.connection.clone(), self.redis.keys(), self.id).await
        };
        match timeout(CLOSE_TIMEOUT, closing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the gateway can't leave the bus; engines notice in two seconds"),
            Err(_) => tracing::warn!("the gateway can't leave the bus in time; engines notice in two seconds"),
        }
        self.closed.send_replace(true);
    }
}

impl Drop for RedisGatewayEnd {
    fn drop(&mut self) {
        self.queues.abort();
    }
}

#[async_trait]
impl GatewayEnd for RedisGatewayEnd {
    fn send(&self, message: ToEngine) {
        self.queues.send(message);
    }

    fn subscribe(&self, show: ShowId) {
        self.queues.subscribe(show);
    }

    fn retain_subscriptions(&self, shows: &BTreeSet<ShowId>) {
        self.queues.retain_subscriptions(shows);
    }

    fn is_distributed(&self) -> bool {
        true
    }

    async fn receive(&self, into: &mut Vec<ToGateway>) -> bool {
        let mut inbox = self.inbox.lock().await;
        let GatewayInbox { received, refusals, closed } = &mut *inbox;
        let before = into.len();
        while into.len() == before {
            tokio::select! {
                biased;
                Some(refusal) = refusals.recv() => into.push(refusal),
                Some(messages) = received.recv() => into.extend(messages),
                _ = closed.wait_for(|closed| *closed) => return false,
            }
        }
        while into.len() < MAX_RECEIVED
            && let Ok(messages) = received.try_recv()
        {
            into.extend(messages);
        }
        true
    }

    fn id(&self) -> GatewayId {
        self.id
    }
}
