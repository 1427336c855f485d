//! What gateways say about a show, on its way to the show's engine.

use std::time::Duration;

use klaxon_protocol::ids::{Fence, GatewayId, ShowId};
use klaxon_protocol::link::ToEngine;
use redis::Value;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::entry::{self, Entry, id};
use super::trouble::Trouble;
use super::{READ, millis, pause};
use crate::bus::{Heard, Place};
use crate::redis::Redis;

/// So many entries are read at once.
const TAKE: usize = 512;

/// Something for the engine.
pub(super) enum Item {
    /// What gateways said about a show, heard under this lease.
    Heard(ShowId, Fence, Vec<Heard>),
    /// What a host asked of any engine, and the request's id.
    Request(String, ToEngine),
    /// A gateway is gone.
    Gone(GatewayId),
    /// The lease of this show is not the newest.
    Fenced(ShowId, Fence),
    /// Nothing comes any more.
    Closed,
}

/// Reads what gateways say about a show, from behind `heard` on, and hands it on until nobody hears it.
pub(super) async fn hear(
    redis: Redis,
    show: ShowId,
    fence: Fence,
    heard: Place,
    engine: mpsc::UnboundedSender<Item>,
    trouble: Trouble,
) {
    let key = redis.keys().to_show(show);
    let mut cursor = heard;
    let mut failures = 0;
    loop {
        let read = async {
            let mut connection = redis.connect_waiting(READ).await?;
            loop {
                let entries = read_one(&mut connection, &key, cursor, READ).await?;
                failures = 0;
                if entries.is_empty() {
                    continue;
                }
                let heard = heard_in(show, &mut cursor, entries);
                if engine.send(Item::Heard(show, fence, heard)).is_err() {
                    return redis::RedisResult::Ok(());
                }
            }
        };
        match read.await {
            Ok(()) => return,
            Err(error) => tracing::debug!(%show, %error, "what gateways say can't be read; trying again"),
        }
        trouble.note();
        sleep(pause(failures)).await;
        failures += 1;
    }
}

/// The next entries of a stream, waited for.
pub(super) async fn read_one(
    connection: &mut crate::redis::Connection,
    key: &str,
    cursor: Place,
    wait: Duration,
) -> redis::RedisResult<Vec<Entry>> {
    let mut read = redis::cmd("XREAD");
    read.arg("COUNT").arg(TAKE).arg("BLOCK").arg(millis(wait)).arg("STREAMS").arg(key).arg(id(cursor));
    let answer: Value = read.query_async(connection).await?;
    Ok(entry::streams(answer).into_iter().flat_map(|(_, entries)| entries).collect())
}

/// The messages of entries, in order. An entry is dealt with when its last message is.
fn heard_in(show: ShowId, cursor: &mut Place, entries: Vec<Entry>) -> Vec<Heard> {
    let mut heard = Vec::new();
    for entry in entries {
        let before = std::mem::replace(cursor, entry.id);
        let messages = entry::from_gateway(&entry.messages).unwrap_or_else(|error| {
            tracing::error!(%show, id = id(entry.id), %error, "an entry holds no messages of a gateway");
            Vec::new()
        });
        heard.extend(messages.into_iter().map(|message| Heard { show: Some(show), place: before, message }));
        if let Some(last) = heard.last_mut() {
            last.place = entry.id;
        }
    }
    heard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_dealt_with_when_its_last_message_is() {
        let hello = |gateway| ToEngine::Hello { gateway: GatewayId(gateway) };
        let entry = |id, gateways: &[u32]| {
            let messages: Vec<ToEngine> = gateways.iter().copied().map(hello).collect();
            Entry { id: Place(id, 0), messages: entry::of_gateway(&messages), heard: None }
        };
        let mut cursor = Place(3, 0);
        let entries = vec![entry(4, &[1, 2, 3]), entry(6, &[4]), Entry { messages: vec![255], ..entry(7, &[]) }];
        let heard = heard_in(ShowId(1), &mut cursor, entries);
        let places: Vec<_> = heard.iter().map(|heard| (heard.place.0, heard.message.clone())).collect();
        assert_eq!(places, [(3, hello(1)), (3, hello(2)), (4, hello(3)), (7, hello(4))]);
        assert_eq!(cursor, Place(7, 0), "what can't be read is passed over");
    }
}
