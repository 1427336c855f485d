//! What a show says, on its way to a gateway that hears it; and what hosts of the gateway are answered.

use klaxon_protocol::ids::{GatewayId, ShowId};
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::player::ToPlayer;
use redis::{RedisResult, Value};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::entry::{self, Entry, id};
use super::hearing::read_one;
use super::orders::Order;
use super::{READ, millis, pause};
use crate::bus::Place;
use crate::redis::{Connection, Redis};

/// Reads what a show says.
pub(super) struct Reader {
    redis: Redis,
    show: ShowId,
    /// The keys of what all hear, and of what this gateway hears; both are read up to a place.
    keys: [String; 2],
    cursors: [Place; 2],
    said: mpsc::Sender<Vec<ToGateway>>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Reader {
    /// Reads what `show` says after `last`. How far the show has heard is told to the gateway's sender.
    pub fn new(
        redis: Redis,
        (show, gateway): (ShowId, GatewayId),
        last: Place,
        said: mpsc::Sender<Vec<ToGateway>>,
        orders: mpsc::UnboundedSender<Order>,
    ) -> Self {
        let keys = [redis.keys().to_all(show), redis.keys().to_one(show, gateway)];
        Self { redis, show, keys, cursors: [last; 2], said, orders }
    }

    /// Hands on what is said until nobody hears it.
    pub async fn run(mut self) {
        let mut failures = 0;
        while !self.said.is_closed() {
            if let Err(error) = self.read(&mut failures).await {
                tracing::debug!(show = %self.show, %error, "what the show says can't be read; trying again");
                metrics::counter!("klaxon_bus_failures_total", "what" => "read").increment(1);
            }
            sleep(pause(failures)).await;
            failures += 1;
        }
    }

    async fn read(&mut self, failures: &mut u32) -> RedisResult<()> {
        let mut connection = self.redis.connect_waiting(READ).await?;
        loop {
            let before = self.cursors;
            let read = self.next(&mut connection, true).await?;
            *failures = 0;
            if read.is_empty() {
                if self.said.is_closed() {
                    return Ok(());
                }
                continue;
            }
            // A read that had to wait gives what came first into one of the streams: what came before it into the other, from the
            // same script, is not among it.
            let rest = if read.len() == 1 { self.next(&mut connection, false).await } else { Ok(Vec::new()) };
            // What was read is not handed on without the rest, and so is read again.
            let rest = rest.inspect_err(|_| self.cursors = before)?;
            let mut entries: Vec<Entry> = read.into_iter().chain(rest).flatten().collect();
            entries.sort_by_key(|entry| entry.id);
            let heard = entries.iter().filter_map(|entry| entry.heard).max().unwrap_or_default();
            let messages: Vec<ToGateway> =
                entries.into_iter().flat_map(|entry| messages(entry, &self.keys[0])).collect();
            if messages.iter().any(says_end) {
                // Before anybody hears it, who might then join the next show with the same code. Without the sender nobody joins.
                let _ = self.orders.send(Order::Ended(self.show));
            }
            let at = self.cursors[1];
            if self.said.send(messages).await.is_err() || self.orders.send(Order::Heard(self.show, heard, at)).is_err()
            {
                return Ok(());
            }
        }
    }

    /// What is new in each stream that has something new, in one look at both.
    async fn next(&mut self, connection: &mut Connection, waits: bool) -> RedisResult<Vec<Vec<Entry>>> {
        let mut read = redis::cmd("XREAD");
        if waits {
            read.arg("BLOCK").arg(millis(READ));
        }
        read.arg("STREAMS").arg(&self.keys[..]).arg(self.cursors.map(id).as_slice());
        let answer: Value = read.query_async(connection).await?;
        let mut all = Vec::new();
        for (key, entries) in entry::streams(answer) {
            let which = usize::from(key != self.keys[0]);
            if let Some(last) = entries.last() {
                self.cursors[which] = last.id;
            }
            all.push(entries);
        }
        Ok(all)
    }
}

fn says_end(message: &ToGateway) -> bool {
    matches!(message, ToGateway::Broadcast(broadcast) if matches!(broadcast.message, ToPlayer::End(_)))
}

fn messages(entry: Entry, key: &str) -> Vec<ToGateway> {
    entry::from_engine(&entry.messages).unwrap_or_else(|error| {
        tracing::error!(key, id = id(entry.id), %error, "an entry holds no messages of an engine");
        Vec::new()
    })
}

/// Hands on what hosts of this gateway are answered, until nobody hears it.
pub(super) async fn hear_answers(redis: Redis, gateway: GatewayId, said: mpsc::Sender<Vec<ToGateway>>) {
    let key = redis.keys().to_hosts(gateway);
    let (mut cursor, mut failures) = (Place::default(), 0);
    while !said.is_closed() {
        let read = async {
            let mut connection = redis.connect_waiting(READ).await?;
            loop {
                let entries = read_one(&mut connection, &key, cursor, READ).await?;
                failures = 0;
                if let Some(last) = entries.last() {
                    cursor = last.id;
                }
                let messages = entries.into_iter().flat_map(|entry| messages(entry, &key)).collect();
                if said.send(messages).await.is_err() {
                    return RedisResult::Ok(());
                }
            }
        };
        if let Err(error) = read.await {
            tracing::debug!(%error, "answers to hosts can't be read; trying again");
        }
        sleep(pause(failures)).await;
        failures += 1;
    }
}
