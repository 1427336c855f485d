//! Hosts' requests to any engine: each is processed by one engine, and by another one if that engine dies in between.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::{RedisError, RedisResult, Value};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::entry::{self, StreamEntry, id};
use super::gateway_publisher::retry;
use super::sealed_entry::open_to_engine;
use super::show_subscriber::InboxItem;
use super::{READ_BLOCK, millis, pause};
use crate::bus::queue::{count_full, record_length, send_waiting};
use crate::redis::{Connection, Keys, Redis};
use crate::seal::{SealKeys, Stream};

/// The consumer group of all engines.
const GROUP: &str = "engines";
/// A request that an engine has read and not processed for this long is claimed by another engine.
const IDLE: Duration = Duration::from_secs(3);
/// A request that this engine can't decode, and that no engine has claimed for this long, is deleted: no engine can
/// decode it.
pub(super) const UNREAD: Duration = Duration::from_secs(30);
/// Requests that are read at once.
const MAX_READ: usize = 16;
/// Requests that wait in Redis. Beyond this the oldest are dropped, and hosts repeat them.
const MAX_WAITING: usize = 10_000;
/// Requests that this engine has read and not processed. At this limit it stops reading, and other engines read on.
pub(super) const MAX_IN_PROGRESS: usize = 1024;

/// Ids of requests that this engine can't decode. At this limit all ids are removed, and the requests are tried once
/// more.
const MAX_REFUSED: usize = 1024;

/// The requests that this engine has read and not processed.
#[derive(Debug, Clone, Default)]
pub(super) struct InProgress(Arc<Mutex<HashSet<String>>>);

impl InProgress {
    /// Returns false if the id is already in the set.
    fn insert(&self, id: &str) -> bool {
        self.0.lock().insert(id.to_owned())
    }

    fn contains(&self, id: &str) -> bool {
        self.0.lock().contains(id)
    }

    fn remove(&self, id: &str) {
        self.0.lock().remove(id);
    }

    fn len(&self) -> usize {
        self.0.lock().len()
    }
}

/// The gateway's side: sends requests in order, until all senders are dropped. After a failure a request may be in
/// Redis twice.
pub(super) async fn send_requests(mut connection: Connection, keys: Keys, mut requests: mpsc::Receiver<Vec<u8>>) {
    while let Some(request) = requests.recv().await {
        let mut append = redis::cmd("XADD");
        append.arg(keys.host_requests()).arg("MAXLEN").arg("~").arg(MAX_WAITING).arg("*").arg("m").arg(request);
        let mut failures = 0;
        while let Err(error) = append.query_async::<()>(&mut connection).await {
            retry("a host's request can't be sent", &error, &mut failures).await;
        }
    }
}

/// The engine's side: reads requests, as the engine of this name, until the inbox is gone.
pub(super) async fn read_requests(redis: Redis, name: String, in_progress: InProgress, inbox: mpsc::Sender<InboxItem>) {
    let (keys, seal_keys) = (redis.keys().clone(), redis.seal_keys().clone());
    let mut reader = Reader { keys, name, in_progress, refused: HashSet::new(), inbox, seal_keys };
    let mut failures = 0;
    while !reader.inbox.is_closed() {
        if let Err(error) = reader.read(&redis, &mut failures).await {
            tracing::debug!(%error, "hosts' requests can't be read; trying again");
        }
        sleep(pause(failures)).await;
        failures += 1;
    }
}

struct Reader {
    keys: Keys,
    name: String,
    in_progress: InProgress,
    /// Requests that this engine can't read, [`MAX_REFUSED`] at most: an engine of another version may.
    refused: HashSet<String>,
    inbox: mpsc::Sender<InboxItem>,
    seal_keys: SealKeys,
}

impl Reader {
    async fn read(&mut self, redis: &Redis, failures: &mut u32) -> RedisResult<()> {
        let mut connection = redis.connect_waiting(READ_BLOCK).await?;
        self.create_group(&mut connection).await?;
        let mut claimed_at = Instant::now();
        while !self.inbox.is_closed() {
            record_length("host_requests", self.in_progress.len());
            if self.in_progress.len() >= MAX_IN_PROGRESS {
                count_full("host_requests");
                sleep(READ_BLOCK).await;
                continue;
            }
            let mut read = redis::cmd("XREADGROUP");
            read.arg("GROUP")
                .arg(GROUP)
                .arg(&self.name)
                .arg("COUNT")
                .arg(MAX_READ)
                .arg("BLOCK")
                .arg(millis(READ_BLOCK));
            read.arg("STREAMS").arg(self.keys.host_requests()).arg(">");
            let reply: Value = read.query_async(&mut connection).await?;
            self.hand_on(entry::streams(reply).into_iter().flat_map(|(_, entries)| entries)).await;
            *failures = 0;
            if claimed_at.elapsed() > READ_BLOCK {
                claimed_at = Instant::now();
                self.claim(&mut connection).await?;
            }
        }
        Ok(())
    }

    /// Creates the consumer group, if this Redis has none.
    async fn create_group(&self, connection: &mut Connection) -> RedisResult<()> {
        let mut create = redis::cmd("XGROUP");
        create.arg("CREATE").arg(self.keys.host_requests()).arg(GROUP).arg("0").arg("MKSTREAM");
        match create.query_async::<()>(connection).await {
            Err(error) if !exists(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Claims requests of engines that died, or whose delivery to this engine was lost; not those in progress here.
    /// Deletes those that no engine can decode.
    async fn claim(&mut self, connection: &mut Connection) -> RedisResult<()> {
        let mut pending = redis::cmd("XPENDING");
        // Enough to get past the requests that are skipped and still claim some, so that skipped ones do not block
        // those behind them.
        let count = MAX_IN_PROGRESS + MAX_REFUSED + MAX_READ;
        pending.arg(self.keys.host_requests()).arg(GROUP).arg("IDLE").arg(millis(IDLE)).arg("-").arg("+").arg(count);
        let idle: Vec<(String, String, u64, u64)> = pending.query_async(connection).await?;
        let (mut to_take, mut unread) = (Vec::new(), Vec::new());
        for (id, _, idle, _) in idle {
            if !self.refused.contains(&id) {
                if !self.in_progress.contains(&id) && to_take.len() < MAX_READ {
                    to_take.push(id);
                }
            } else if idle >= millis(UNREAD) {
                unread.push(id);
            }
        }
        if !unread.is_empty() {
            tracing::error!(count = unread.len(), "hosts' requests that no engine can read are deleted");
            delete(connection, &self.keys, &unread).await;
            unread.iter().for_each(|id| _ = self.refused.remove(id));
        }
        if to_take.is_empty() {
            return Ok(());
        }
        let mut claim = redis::cmd("XCLAIM");
        claim.arg(self.keys.host_requests()).arg(GROUP).arg(&self.name).arg(millis(IDLE)).arg(to_take);
        self.hand_on(entry::entries(claim.query_async(connection).await?)).await;
        Ok(())
    }

    async fn hand_on(&mut self, entries: impl IntoIterator<Item = StreamEntry>) {
        for entry in entries {
            let id = id(entry.id);
            if !self.in_progress.insert(&id) {
                continue;
            }
            match open_to_engine(&self.seal_keys, Stream::Requests, &entry.messages) {
                Ok(messages) => {
                    for message in messages {
                        // If the inbox is dropped, another engine claims the request.
                        send_waiting(&self.inbox, "engine_inbox", InboxItem::Request(id.clone(), message)).await;
                    }
                }
                // It stays in Redis: an engine that has the version or the key claims it.
                Err(error) => {
                    entry::refuse(&self.keys.host_requests(), entry.id, &error);
                    self.in_progress.remove(&id);
                    if self.refused.len() >= MAX_REFUSED {
                        self.refused.clear();
                    }
                    self.refused.insert(id);
                }
            }
        }
    }
}

fn exists(error: &RedisError) -> bool {
    error.code() == Some("BUSYGROUP")
}

/// Deletes processed requests, until the channel is closed.
pub(super) async fn delete_processed(
    mut connection: Connection,
    keys: Keys,
    in_progress: InProgress,
    mut processed: mpsc::Receiver<String>,
) {
    let mut ids = Vec::new();
    while processed.recv_many(&mut ids, MAX_READ).await > 0 {
        delete(&mut connection, &keys, &ids).await;
        ids.drain(..).for_each(|id| in_progress.remove(&id));
    }
}

/// Deletes these requests.
pub(super) async fn delete(connection: &mut Connection, keys: &Keys, ids: &[String]) {
    let mut delete = redis::pipe();
    delete.cmd("XACK").arg(keys.host_requests()).arg(GROUP).arg(ids).ignore();
    delete.cmd("XDEL").arg(keys.host_requests()).arg(ids).ignore();
    if let Err(error) = delete.query_async::<()>(connection).await {
        // They are delivered again, and engines ignore repeated commands.
        tracing::debug!(%error, "requests that were processed can't be deleted");
    }
}
