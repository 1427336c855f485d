//! The engine's subscriber: one task for each show reads what gateways send about it.

use klaxon_protocol::ids::{Fence, GatewayId, ShowId};
use klaxon_protocol::link::ToEngine;
use redis::{RedisResult, Value};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::entry::{self, StreamEntry, id};
use super::sealed_entry::open_to_engine;
use super::show_status::ShowStatus;
use super::{READ_BLOCK, millis, pause};
use crate::bus::queue::send_waiting;
use crate::bus::{Received, StreamPosition};
use crate::redis::{Connection, Redis};
use crate::seal::{SealKeys, Stream};

/// Entries that one read returns at most.
const MAX_ENTRIES: usize = 512;

/// An item in the engine's inbox.
pub(super) enum InboxItem {
    /// What gateways sent about a show, read under this lease.
    Input(ShowId, Fence, Vec<Received>),
    /// A request to any engine, and its id.
    Request(String, ToEngine),
    /// A gateway timed out.
    GatewayGone(GatewayId),
}

/// Reads what gateways send about a show after `position`, until the show has a newer lease or the inbox is dropped.
/// While the inbox is full it does not read, and the entries stay in Redis.
pub(super) async fn subscribe(
    redis: Redis,
    show: ShowId,
    fence: Fence,
    mut position: StreamPosition,
    inbox: mpsc::Sender<InboxItem>,
    status: ShowStatus,
) {
    let key = redis.keys().input(show);
    let mut failures = 0;
    loop {
        let read = async {
            let mut connection = redis.connect_waiting(READ_BLOCK).await?;
            while !status.is_fenced(fence) {
                let entries = read_stream(&mut connection, &key, position).await?;
                failures = 0;
                if entries.is_empty() {
                    continue;
                }
                let received = decode(redis.seal_keys(), show, &key, &mut position, entries);
                if !send_waiting(&inbox, "engine_inbox", InboxItem::Input(show, fence, received)).await {
                    break;
                }
            }
            RedisResult::Ok(())
        };
        match read.await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%show, %error, "the show's input can't be read; trying again"),
        }
        status.set_failed();
        sleep(pause(failures)).await;
        failures += 1;
    }
}

/// The next entries of a stream after a position. If there are none it blocks for up to [`READ_BLOCK`].
pub(super) async fn read_stream(
    connection: &mut Connection,
    key: &str,
    position: StreamPosition,
) -> RedisResult<Vec<StreamEntry>> {
    let mut read = redis::cmd("XREAD");
    read.arg("COUNT").arg(MAX_ENTRIES).arg("BLOCK").arg(millis(READ_BLOCK));
    read.arg("STREAMS").arg(key).arg(id(position));
    let reply: Value = read.query_async(connection).await?;
    Ok(entry::streams(reply).into_iter().flat_map(|(_, entries)| entries).collect())
}

/// The messages of entries, in order. An entry counts as processed after its last message.
fn decode(
    keys: &SealKeys,
    show: ShowId,
    key: &str,
    position: &mut StreamPosition,
    entries: Vec<StreamEntry>,
) -> Vec<Received> {
    let mut received = Vec::new();
    for entry in entries {
        let before = std::mem::replace(position, entry.id);
        let messages = open_to_engine(keys, Stream::Input(show), &entry.messages).unwrap_or_else(|error| {
            entry::refuse(key, entry.id, &error);
            Vec::new()
        });
        received.extend(messages.into_iter().map(|message| Received { show: Some(show), position: before, message }));
        if let Some(last) = received.last_mut() {
            last.position = entry.id;
        }
    }
    received
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_processed_when_its_last_message_is() {
        let hello = |gateway| ToEngine::Hello { gateway: GatewayId(gateway) };
        let entry = |id, gateways: &[u32]| {
            let messages: Vec<ToEngine> = gateways.iter().copied().map(hello).collect();
            StreamEntry { id: StreamPosition(id, 0), messages: entry::encode_to_engine(&messages), acknowledged: None }
        };
        let mut position = StreamPosition(3, 0);
        let entries = vec![entry(4, &[1, 2, 3]), entry(6, &[4]), StreamEntry { messages: vec![255], ..entry(7, &[]) }];
        let received = decode(&SealKeys::default(), ShowId(1), "input", &mut position, entries);
        let positions: Vec<_> =
            received.iter().map(|received| (received.position.0, received.message.clone())).collect();
        assert_eq!(positions, [(3, hello(1)), (3, hello(2)), (4, hello(3)), (7, hello(4))]);
        assert_eq!(position, StreamPosition(7, 0), "an entry that can't be decoded is skipped");
    }
}
