//! A gateway's subscriber: one task for each show reads what the show publishes, and one task reads replies to hosts.
//!
//! What is read is put into the gateway's inbox; while the inbox is full, a subscriber does not read.

use std::sync::Arc;

use klaxon_protocol::ids::GatewayId;
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::player::ToPlayer;
use redis::{RedisResult, Value};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::entry::{self, EntryError, StreamEntry, id};
use super::sealed_entry::open_to_gateway;
use super::send_queue::SendQueue;
use super::show_subscriber::read_stream;
use super::{READ_BLOCK, millis, pause};
use crate::bus::StreamPosition;
use crate::bus::queue::send_waiting;
use crate::redis::{Connection, Redis};
use crate::seal::Stream;

/// Reads what a show publishes.
pub(super) struct Subscriber {
    redis: Redis,
    /// The show's send queue: what the show acknowledges is removed from it.
    queue: Arc<SendQueue>,
    /// The keys of the events for all gateways, and of those for this one.
    keys: [String; 2],
    /// The positions up to which the two streams are read.
    positions: [StreamPosition; 2],
    received: mpsc::Sender<Vec<ToGateway>>,
}

impl Subscriber {
    /// Reads what the show publishes after `last`.
    pub fn new(
        redis: Redis,
        gateway: GatewayId,
        queue: Arc<SendQueue>,
        last: StreamPosition,
        received: mpsc::Sender<Vec<ToGateway>>,
    ) -> Self {
        let keys = [redis.keys().events(queue.show), redis.keys().gateway_events(queue.show, gateway)];
        Self { redis, queue, keys, positions: [last; 2], received }
    }

    /// Reads until the inbox is dropped.
    pub async fn run(mut self) {
        let mut failures = 0;
        while !self.received.is_closed() {
            if let Err(error) = self.read(&mut failures).await {
                tracing::debug!(show = %self.queue.show, %error, "the show's events can't be read; trying again");
                metrics::counter!("klaxon_bus_failures_total", "what" => "read").increment(1);
            }
            sleep(pause(failures)).await;
            failures += 1;
        }
    }

    async fn read(&mut self, failures: &mut u32) -> RedisResult<()> {
        let mut connection = self.redis.connect_waiting(READ_BLOCK).await?;
        while !self.received.is_closed() {
            let before = self.positions;
            let read = self.read_next(&mut connection, true).await?;
            *failures = 0;
            if read.is_empty() {
                continue;
            }
            // A blocking read returns the first write, in one of the streams. What the same script wrote to the other
            // stream is read here.
            let rest = if read.len() == 1 { self.read_next(&mut connection, false).await } else { Ok(Vec::new()) };
            // If this read fails, nothing is passed on, and everything is read again.
            let rest = rest.inspect_err(|_| self.positions = before)?;
            let mut entries: Vec<StreamEntry> = read.into_iter().chain(rest).flatten().collect();
            entries.sort_by_key(|entry| entry.id);
            let acknowledged = entries.iter().filter_map(|entry| entry.acknowledged).max().unwrap_or_default();
            let messages: Vec<ToGateway> = entries.into_iter().flat_map(|entry| decode(entry, &self.keys[0])).collect();
            if messages.iter().any(is_end) {
                // Set before any player learns of the end: a player might join the next show with the same code right
                // away.
                self.queue.set_ended();
            }
            if !send_waiting(&self.received, "gateway_inbox", messages).await {
                return Ok(());
            }
            self.queue.acknowledge(acknowledged, self.positions[1]);
        }
        Ok(())
    }

    /// The new entries of each stream that has any, from one read of both streams.
    async fn read_next(&mut self, connection: &mut Connection, blocks: bool) -> RedisResult<Vec<Vec<StreamEntry>>> {
        let mut read = redis::cmd("XREAD");
        if blocks {
            read.arg("BLOCK").arg(millis(READ_BLOCK));
        }
        read.arg("STREAMS").arg(&self.keys[..]).arg(self.positions.map(id).as_slice());
        let reply: Value = read.query_async(connection).await?;
        let mut all = Vec::new();
        for (key, entries) in entry::streams(reply) {
            let which = usize::from(key != self.keys[0]);
            if let Some(last) = entries.last() {
                self.positions[which] = last.id;
            }
            all.push(entries);
        }
        Ok(all)
    }
}

fn is_end(message: &ToGateway) -> bool {
    matches!(message, ToGateway::Broadcast(broadcast) if matches!(broadcast.message, ToPlayer::End(_)))
}

fn decode(entry: StreamEntry, key: &str) -> Vec<ToGateway> {
    or_refuse(key, entry.id, entry::decode_to_gateway(&entry.messages))
}

fn or_refuse(key: &str, id: StreamPosition, messages: Result<Vec<ToGateway>, EntryError>) -> Vec<ToGateway> {
    messages.unwrap_or_else(|error| {
        entry::refuse(key, id, &error);
        Vec::new()
    })
}

/// Reads replies to hosts of this gateway, until the inbox is dropped.
pub(super) async fn read_host_replies(redis: Redis, gateway: GatewayId, received: mpsc::Sender<Vec<ToGateway>>) {
    let (key, stream) = (redis.keys().host_replies(gateway), Stream::HostReplies(gateway));
    let (mut position, mut failures) = (StreamPosition::default(), 0);
    while !received.is_closed() {
        let read = async {
            let mut connection = redis.connect_waiting(READ_BLOCK).await?;
            loop {
                let entries = read_stream(&mut connection, &key, position).await?;
                failures = 0;
                if let Some(last) = entries.last() {
                    position = last.id;
                }
                let open = |entry: &StreamEntry| open_to_gateway(redis.seal_keys(), stream, &entry.messages);
                let messages = entries.iter().flat_map(|entry| or_refuse(&key, entry.id, open(entry))).collect();
                if !send_waiting(&received, "gateway_inbox", messages).await {
                    return RedisResult::Ok(());
                }
            }
        };
        if let Err(error) = read.await {
            tracing::debug!(%error, "replies to hosts can't be read; trying again");
        }
        sleep(pause(failures)).await;
        failures += 1;
    }
}
