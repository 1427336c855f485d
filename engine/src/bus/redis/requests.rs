//! What hosts ask of any engine: each request goes to one of them, and to another if that one dies over it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{RedisError, RedisResult, Value};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::entry::{self, Entry, id};
use super::hearing::Item;
use super::{READ, millis, pause};
use crate::redis::{Connection, Keys, Redis};

/// The consumer group of all engines.
const GROUP: &str = "engines";
/// A request that an engine has had for so long without dealing with it goes to another.
const IDLE: Duration = Duration::from_secs(3);
/// So many requests are taken at once.
const TAKE: usize = 16;
/// So many requests wait at most.
const MOST: usize = 10_000;

/// The requests that this engine has not dealt with.
#[derive(Debug, Clone, Default)]
pub(super) struct Open(Arc<Mutex<HashSet<String>>>);

impl Open {
    /// False if it was there.
    fn insert(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned())
    }

    fn contains(&self, id: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    fn remove(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Makes a request.
///
/// # Errors
/// If Redis does not answer; it may have it all the same.
pub(super) async fn ask(connection: &mut Connection, keys: &Keys, message: &[u8]) -> RedisResult<()> {
    let mut ask = redis::cmd("XADD");
    ask.arg(keys.requests()).arg("MAXLEN").arg("~").arg(MOST).arg("*").arg("m").arg(message);
    ask.query_async(connection).await
}

/// Takes requests, as the engine of this name, until nobody hears of them.
pub(super) async fn take(redis: Redis, name: String, open: Open, engine: mpsc::UnboundedSender<Item>) {
    let mut taker = Taker { key: redis.keys().requests(), name, open, engine };
    let mut failures = 0;
    while !taker.engine.is_closed() {
        if let Err(error) = taker.take(&redis, &mut failures).await {
            tracing::debug!(%error, "what hosts ask can't be read; trying again");
        }
        sleep(pause(failures)).await;
        failures += 1;
    }
}

struct Taker {
    key: String,
    name: String,
    open: Open,
    engine: mpsc::UnboundedSender<Item>,
}

impl Taker {
    async fn take(&mut self, redis: &Redis, failures: &mut u32) -> RedisResult<()> {
        let mut connection = redis.connect_waiting(READ).await?;
        self.found(&mut connection).await?;
        let mut looked = Instant::now();
        while !self.engine.is_closed() {
            let mut read = redis::cmd("XREADGROUP");
            read.arg("GROUP").arg(GROUP).arg(&self.name).arg("COUNT").arg(TAKE).arg("BLOCK").arg(millis(READ));
            read.arg("STREAMS").arg(&self.key).arg(">");
            let answer: Value = read.query_async(&mut connection).await?;
            self.hand_on(entry::streams(answer).into_iter().flat_map(|(_, entries)| entries));
            *failures = 0;
            if looked.elapsed() > READ {
                looked = Instant::now();
                self.claim(&mut connection).await?;
            }
        }
        Ok(())
    }

    /// Founds the group, if this is a Redis that knows of none.
    async fn found(&self, connection: &mut Connection) -> RedisResult<()> {
        let mut found = redis::cmd("XGROUP");
        found.arg("CREATE").arg(&self.key).arg(GROUP).arg("0").arg("MKSTREAM");
        match found.query_async::<()>(connection).await {
            Err(error) if !is_there(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes over what other engines died over, or what this one asked for and did not get; not what it is still busy with.
    async fn claim(&self, connection: &mut Connection) -> RedisResult<()> {
        let mut look = redis::cmd("XPENDING");
        look.arg(&self.key).arg(GROUP).arg("IDLE").arg(millis(IDLE)).arg("-").arg("+").arg(TAKE);
        let idle: Vec<(String, String, u64, u64)> = look.query_async(connection).await?;
        let ids: Vec<String> = idle.into_iter().map(|(id, ..)| id).filter(|id| !self.open.contains(id)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut claim = redis::cmd("XCLAIM");
        claim.arg(&self.key).arg(GROUP).arg(&self.name).arg(millis(IDLE)).arg(ids);
        self.hand_on(entry::entries(claim.query_async(connection).await?));
        Ok(())
    }

    fn hand_on(&self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            let id = id(entry.id);
            if !self.open.insert(&id) {
                continue;
            }
            match entry::from_gateway(&entry.messages) {
                Ok(messages) => {
                    for message in messages {
                        // Without the engine's end another engine takes it.
                        let _ = self.engine.send(Item::Request(id.clone(), message));
                    }
                }
                Err(error) => {
                    tracing::error!(%id, %error, "a request holds no message of a gateway");
                }
            }
        }
    }
}

fn is_there(error: &RedisError) -> bool {
    error.code() == Some("BUSYGROUP")
}

/// Strikes out requests that were dealt with, until nobody deals with any more.
pub(super) async fn strike(
    mut connection: Connection,
    keys: Keys,
    open: Open,
    mut done: mpsc::UnboundedReceiver<String>,
) {
    let mut ids = Vec::new();
    while done.recv_many(&mut ids, TAKE).await > 0 {
        strike_out(&mut connection, &keys, &ids).await;
        ids.drain(..).for_each(|id| open.remove(&id));
    }
}

/// Strikes these out.
pub(super) async fn strike_out(connection: &mut Connection, keys: &Keys, ids: &[String]) {
    let mut strike = redis::pipe();
    strike.cmd("XACK").arg(keys.requests()).arg(GROUP).arg(ids).ignore();
    strike.cmd("XDEL").arg(keys.requests()).arg(ids).ignore();
    if let Err(error) = strike.query_async::<()>(connection).await {
        // They come again, and an engine does nothing twice.
        tracing::debug!(%error, "what was dealt with can't be struck out");
    }
}
