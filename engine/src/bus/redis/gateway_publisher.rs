//! A gateway's publisher: one task for each show. It subscribes the gateway to the show, sends what is in the show's send queue, and
//! leaves the show when the gateway does not need it any more.

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::ids::GatewayId;
use klaxon_protocol::link::{ToEngine, ToGateway};
use redis::{RedisError, RedisResult, pipe};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::entry::{self, encode_to_engine};
use super::gateway_subscriber::Subscriber;
use super::send_queue::{SendQueue, Subscription};
use super::{RETENTION, Task, millis, pause};
use crate::bus::StreamPosition;
use crate::redis::scripts::BUS_SUBSCRIBE;
use crate::redis::{Connection, Redis};

/// Interval of the check that Redis still has the subscription and the entries that were sent.
const CHECK: Duration = Duration::from_millis(1000);

/// What the tasks of a gateway's shows share.
#[derive(Clone)]
pub(super) struct GatewayContext {
    pub redis: Redis,
    pub connection: Connection,
    pub gateway: GatewayId,
    /// Takes what subscribers read.
    pub received: mpsc::Sender<Vec<ToGateway>>,
}

/// Sends what is in the queue, until the gateway has left the show.
pub(super) async fn publish(context: GatewayContext, queue: Arc<SendQueue>) {
    let mut publisher = Publisher { context, queue, subscriber: None, checked_at: None };
    let mut failures = 0;
    loop {
        match publisher.step().await {
            Ok(Step::Left) => return,
            Ok(Step::Sent) => failures = 0,
            Ok(Step::Idle) => {
                let next_check = publisher.checked_at.map_or_else(Instant::now, |at| at + CHECK);
                tokio::select! {
                    () = publisher.queue.changed() => {}
                    () = sleep_until(next_check) => {}
                }
            }
            Err(error) => {
                // Redis may have lost its data in the meantime.
                publisher.checked_at = None;
                retry("the gateway can't send", &error, &mut failures).await;
            }
        }
    }
}

/// Logs and counts a failed call, and pauses before the caller repeats it.
pub(super) async fn retry(what: &str, error: &RedisError, failures: &mut u32) {
    tracing::debug!(%error, "{what}; trying again");
    metrics::counter!("klaxon_bus_failures_total", "what" => "send").increment(1);
    sleep(pause(*failures)).await;
    *failures += 1;
}

struct Publisher {
    context: GatewayContext,
    queue: Arc<SendQueue>,
    /// None until the gateway has subscribed.
    subscriber: Option<Task>,
    /// None if the next step is a check.
    checked_at: Option<Instant>,
}

/// The result of a step.
enum Step {
    Sent,
    Idle,
    Left,
}

impl Publisher {
    /// One call to Redis at a time, so that the order is kept.
    async fn step(&mut self) -> RedisResult<Step> {
        if self.queue.can_leave() {
            self.subscriber = None;
            self.leave().await?;
            return Ok(if self.queue.close() { Step::Left } else { Step::Sent });
        }
        let is_checked = self.checked_at.is_some_and(|at| at.elapsed() < CHECK);
        if self.subscriber.is_none() || !is_checked {
            self.check().await?;
            self.checked_at = Some(Instant::now());
            return Ok(Step::Sent);
        }
        let entries = self.queue.unsent();
        if entries.is_empty() {
            return Ok(Step::Idle);
        }
        let positions = self.send(&entries).await?;
        self.queue.sent(positions);
        Ok(Step::Sent)
    }

    /// Subscribes the gateway to the show if it is not subscribed, and checks whether Redis has what it was sent.
    async fn check(&mut self) -> RedisResult<()> {
        let (show, GatewayContext { redis, gateway, received, .. }) = (self.queue.show, &self.context);
        let gateway = *gateway;
        let subscription = self.subscribe().await?;
        if self.queue.check(subscription) {
            tracing::warn!(%show, "Redis lost messages about a show; they are sent again");
            metrics::counter!("klaxon_bus_resent_total").increment(1);
        }
        let is_new = self.subscriber.is_none();
        if is_new {
            let subscriber =
                Subscriber::new(redis.clone(), gateway, Arc::clone(&self.queue), subscription.last, received.clone());
            self.subscriber = Some(Task::spawn(subscriber.run()));
        }
        if is_new || subscription.was_missing {
            self.queue.push_first(ToEngine::Attend { gateway, show });
        }
        Ok(())
    }

    async fn subscribe(&self) -> RedisResult<Subscription> {
        let (show, gateway, keys) = (self.queue.show, self.context.gateway, self.context.redis.keys());
        let (newest, read) = self.queue.positions();
        let keys = [keys.subscribers(show), keys.progress(show), keys.input(show), keys.gateway_events(show, gateway)];
        // No entry has the id 0-0.
        let newest = entry::id(newest.unwrap_or_default());
        let arguments = [gateway.to_string(), newest, entry::id(read), millis(RETENTION).to_string()];
        let (missing, acknowledged, last, found): (u8, Vec<u8>, Vec<u8>, u8) =
            BUS_SUBSCRIBE.run(&self.context.connection, &keys, &arguments).await?;
        let position = |id: &[u8]| entry::position(id).unwrap_or_default();
        Ok(Subscription {
            was_missing: missing > 0,
            acknowledged: position(&acknowledged),
            last: position(&last),
            has_newest: found > 0,
        })
    }

    /// Appends these entries to the show's input, in order, and returns their positions. After an error Redis may have some of them.
    async fn send(&self, entries: &[Arc<[u8]>]) -> RedisResult<Vec<StreamPosition>> {
        let key = self.context.redis.keys().input(self.queue.show);
        let mut append = pipe();
        for entry in entries {
            append.cmd("XADD").arg(&key).arg("*").arg("m").arg(&entry[..]);
        }
        let ids: Vec<Vec<u8>> = append.query_async(&mut self.context.connection.clone()).await?;
        Ok(ids.iter().filter_map(|id| entry::position(id)).collect())
    }

    async fn leave(&self) -> RedisResult<()> {
        let (show, gateway, keys) = (self.queue.show, self.context.gateway, self.context.redis.keys());
        let message = encode_to_engine(&[ToEngine::Leave { gateway, show }]);
        let mut leave = pipe();
        leave.atomic().cmd("XADD").arg(keys.input(show)).arg("*").arg("m").arg(message).ignore();
        leave.srem(keys.subscribers(show), gateway.0).ignore().del(keys.gateway_events(show, gateway)).ignore();
        leave.query_async(&mut self.context.connection.clone()).await
    }
}
