//! An engine's end of the bus over Redis.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dashmap::DashMap;
use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, Fence, GatewayId, ShowCode, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};
use parking_lot::Mutex;
use redis::{RedisError, pipe};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval};

use super::directory::Directory;
use super::gateway_registry::{Gateways, watch_gateways};
use super::host_replies::{MAX_REPLIES, send_replies};
use super::host_requests::{InProgress, MAX_IN_PROGRESS, delete, delete_processed, read_requests};
use super::publish_queue::{PublishLease, PublishQueue};
use super::show_publisher::{PublisherContext, ShowPublisher};
use super::show_status::ShowStatus;
use super::show_subscriber::{InboxItem, subscribe};
use super::{ClockSync, Task, entry, unavailable};
use crate::bus::queue::{count_full, record_length};
use crate::bus::{BusError, EngineEnd, Publication, Received, ShowRegistration, StreamPosition, Takeover};
use crate::clock::Clock;
use crate::redis::{Connection, Redis};

/// Items that one `receive` takes from the inbox.
const MAX_RECEIVED: usize = 256;
/// Items in the inbox, each with what one read of Redis returned. When there is no room readers wait, and the rest stays in Redis.
pub(super) const MAX_INBOX: usize = 256;

/// How often the queues' metrics are recorded.
const RECORD: Duration = Duration::from_secs(1);

/// An engine's end of the bus over Redis. Dropping it drops what is not published yet; see [`Self::finish`].
pub struct RedisEngineEnd {
    redis: Redis,
    connection: Connection,
    directory: Directory,
    shows: Arc<DashMap<ShowId, LiveShow>>,
    gateways: Gateways,
    items: mpsc::Sender<InboxItem>,
    inbox: tokio::sync::Mutex<EngineInbox>,
    closed: watch::Sender<bool>,
    /// None once it is finished.
    host_replies: Mutex<Option<HostReplies>>,
    publishers: Mutex<JoinSet<()>>,
    clock_sync: ClockSync,
    /// Reads requests; none once it is closed.
    requests: Mutex<Option<Task>>,
    _tasks: [Task; 3],
}

/// A show that is played here.
struct LiveShow {
    fence: Fence,
    queue: Arc<PublishQueue>,
    status: ShowStatus,
    _subscriber: Task,
}

struct EngineInbox {
    items: mpsc::Receiver<InboxItem>,
    /// Requests that the last `receive` returned: the next call counts them as processed.
    requests: Vec<String>,
    processed: mpsc::Sender<String>,
    closed: watch::Receiver<bool>,
}

struct HostReplies {
    replies: mpsc::Sender<(GatewayId, ToGateway)>,
    sending: JoinHandle<()>,
}

impl RedisEngineEnd {
    /// Connects the engine named `name`, which must be unique among running engines.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn connect(redis: &Redis, name: &str) -> Result<Self, RedisError> {
        let connection = redis.connect().await?;
        let clock_sync = ClockSync::start(redis, Clock::of_process()).await?;
        let keys = redis.keys().clone();
        let (items, inbox) = mpsc::channel(MAX_INBOX);
        let (processed, to_delete) = mpsc::channel(MAX_IN_PROGRESS);
        let (replies, to_send) = mpsc::channel(MAX_REPLIES);
        let (closed, is_closed) = watch::channel(false);
        let (shows, gateways, in_progress) =
            (Arc::<DashMap<ShowId, LiveShow>>::default(), Gateways::default(), InProgress::default());
        let played = {
            let shows = Arc::clone(&shows);
            move || shows.iter().map(|show| *show.key()).collect()
        };
        let requests = Task::spawn(read_requests(redis.clone(), name.to_owned(), in_progress.clone(), items.clone()));
        let tasks = [
            Task::spawn(delete_processed(connection.clone(), keys.clone(), in_progress, to_delete)),
            Task::spawn(record_lengths(Arc::clone(&shows), items.clone(), replies.downgrade())),
            Task::spawn(watch_gateways(connection.clone(), keys.clone(), gateways.clone(), played, items.clone())),
        ];
        let sending = tokio::spawn(send_replies(connection.clone(), keys.clone(), redis.seal_keys().clone(), to_send));
        Ok(Self {
            redis: redis.clone(),
            directory: Directory::new(connection.clone(), keys),
            connection,
            shows,
            gateways,
            items,
            inbox: tokio::sync::Mutex::new(EngineInbox {
                items: inbox,
                requests: Vec::new(),
                processed,
                closed: is_closed,
            }),
            closed,
            host_replies: Mutex::new(Some(HostReplies { replies, sending })),
            publishers: Mutex::new(JoinSet::new()),
            clock_sync,
            requests: Mutex::new(Some(requests)),
            _tasks: tasks,
        })
    }

    /// The uncertainty of this process's clock, in microseconds either way.
    #[must_use]
    pub fn clock_uncertainty(&self) -> u32 {
        self.clock_sync.uncertainty()
    }

    /// Stops reading from Redis: `receive` returns what is in the inbox, and then false.
    pub fn close(&self) {
        drop(self.requests.lock().take());
        self.closed.send_replace(true);
    }

    /// Waits until everything is published that this engine has queued, also for shows that it released.
    pub async fn finish(&self) {
        self.close();
        let mut publishers = std::mem::take(&mut *self.publishers.lock());
        while publishers.join_next().await.is_some() {}
        let host_replies = self.host_replies.lock().take();
        if let Some(HostReplies { replies, sending }) = host_replies {
            drop(replies);
            if let Err(error) = sending.await {
                tracing::error!(%error, "replies to hosts were not sent");
            }
        }
        let processed = std::mem::take(&mut self.inbox.lock().await.requests);
        if !processed.is_empty() {
            delete(&mut self.connection.clone(), self.redis.keys(), &processed).await;
        }
    }

    /// Starts a publisher for the show, or passes the new lease to the publisher that is running.
    fn play(&self, show: ShowId, lease: PublishLease, position: StreamPosition) {
        let (queue, status) = match self.shows.remove(&show) {
            Some((_, played)) if !played.queue.has_overflowed() => (played.queue, played.status),
            _ => self.start_publisher(show),
        };
        queue.take_over(lease);
        let fence = lease.fence;
        let subscriber = subscribe(self.redis.clone(), show, fence, position, self.items.clone(), status.clone());
        self.shows.insert(show, LiveShow { fence, queue, status, _subscriber: Task::spawn(subscriber) });
    }

    fn start_publisher(&self, show: ShowId) -> (Arc<PublishQueue>, ShowStatus) {
        let (queue, status) = (Arc::<PublishQueue>::default(), ShowStatus::default());
        if let Some(host_replies) = &*self.host_replies.lock() {
            let (connection, keys) = (self.connection.clone(), self.redis.keys().clone());
            let context = PublisherContext { connection, keys, host_replies: host_replies.replies.clone() };
            let publisher = ShowPublisher::new(show, context, Arc::clone(&queue), status.clone());
            let mut publishers = self.publishers.lock();
            while publishers.try_join_next().is_some() {}
            publishers.spawn(publisher.run());
        }
        (queue, status)
    }

    /// Appends an item's messages, unless the show is no longer played here under the lease under which they were read.
    fn take(&self, item: InboxItem, requests: &mut Vec<String>, into: &mut Vec<Received>) {
        match item {
            InboxItem::Input(show, fence, received) => {
                let is_played = |played: &LiveShow| played.fence == fence && !played.status.is_fenced(fence);
                if self.shows.get(&show).is_some_and(|played| is_played(&played)) {
                    into.extend(received);
                }
            }
            InboxItem::Request(id, message) => {
                requests.push(id);
                into.push(message.into());
            }
            InboxItem::GatewayGone(gateway) => into.push(ToEngine::Bye { gateway }.into()),
        }
    }
}

/// Publishes how full the queues are.
async fn record_lengths(
    shows: Arc<DashMap<ShowId, LiveShow>>,
    items: mpsc::Sender<InboxItem>,
    replies: mpsc::WeakSender<(GatewayId, ToGateway)>,
) {
    let mut ticks = interval(RECORD);
    loop {
        ticks.tick().await;
        record_length("engine_inbox", MAX_INBOX - items.capacity());
        record_length("publish", shows.iter().map(|show| show.queue.len()).sum());
        if let Some(replies) = replies.upgrade() {
            record_length("host_replies", MAX_REPLIES - replies.capacity());
        }
    }
}

#[async_trait]
impl EngineEnd for RedisEngineEnd {
    fn publish(&self, publication: Publication) -> Result<(), BusError> {
        match self.shows.get(&publication.show) {
            Some(played) => played.queue.publish(publication),
            None => {
                tracing::debug!(show = %publication.show, "a show that is not played here publishes nothing");
                Ok(())
            }
        }
    }

    fn reply_to_gateway(&self, to: GatewayId, message: ToGateway) {
        if let Some(host_replies) = &*self.host_replies.lock()
            && host_replies.replies.try_send((to, message)).is_err()
        {
            count_full("host_replies");
        }
    }

    async fn receive(&self, into: &mut Vec<Received>) -> bool {
        let mut inbox = self.inbox.lock().await;
        let EngineInbox { items, requests, processed, closed } = &mut *inbox;
        for id in requests.drain(..) {
            // The channel has room for all requests in progress.
            let _ = processed.try_send(id);
        }
        let (mut taken, before) = (Vec::new(), into.len());
        while into.len() == before && !*closed.borrow() {
            tokio::select! {
                biased;
                _ = closed.changed() => {}
                _ = items.recv_many(&mut taken, MAX_RECEIVED) => {}
            }
            taken.drain(..).for_each(|item| self.take(item, requests, into));
        }
        if !*closed.borrow() {
            return true;
        }
        for _ in 0..items.len() {
            if let Ok(item) = items.try_recv() {
                self.take(item, requests, into);
            }
        }
        false
    }

    async fn take_over(&self, show: ShowId, fence: Fence) -> Result<Takeover, BusError> {
        let keys = self.redis.keys();
        let mut connection = self.connection.clone();
        let mut read = pipe();
        read.hget(keys.lease(show), "fence");
        read.hmget(keys.progress(show), &["records", "acknowledged", "last"][..]).smembers(keys.subscribers(show));
        type Reply = (Option<u64>, (Option<u64>, Option<Vec<u8>>, Option<Vec<u8>>), BTreeSet<u32>);
        let (lease, (published, acknowledged, last), subscribers): Reply =
            read.query_async(&mut connection).await.map_err(unavailable)?;
        match lease {
            Some(lease) if lease == fence.0 => {}
            Some(_) => return Err(BusError::Fenced),
            None => return Err(BusError::Unavailable("the show's lease is not there".into())),
        }
        let gateways = self.gateways.up(&mut connection, keys, subscribers).await.map_err(unavailable)?;
        let position = |bytes: Option<Vec<u8>>| match bytes.map(|bytes| entry::position(&bytes).ok_or(bytes)) {
            None => Ok(StreamPosition::default()),
            Some(position) => position.map_err(|bytes| {
                let odd = String::from_utf8_lossy(&bytes);
                BusError::Unavailable(format!("{odd:?} is in Redis where a position in a stream should be"))
            }),
        };
        let (acknowledged, last) = (position(acknowledged)?, position(last)?);
        let under_this_lease = if last.0 == fence.0 { last.1 } else { 0 };
        self.play(show, PublishLease { fence, published: under_this_lease }, acknowledged);
        Ok(Takeover { published, gateways })
    }

    fn release(&self, show: ShowId, is_over: bool) {
        if let Some((_, played)) = self.shows.remove(&show) {
            played.queue.release(is_over);
        }
    }

    async fn register_show(
        &self,
        show: ShowId,
        code: &ShowCode,
        create: &CommandId,
        made_of: u64,
    ) -> Result<ShowRegistration, BusError> {
        // An unkeyed hash of a pack would let anyone who knows the questions compute which choices are right.
        let made_of = self.redis.seal_keys().blind(made_of);
        self.directory.clone().register(show, code, create, made_of).await.map_err(unavailable)
    }

    fn update_directory(&self, line: ShowLine) {
        match self.shows.get(&line.show) {
            Some(played) => played.queue.update_directory(line),
            None => tracing::debug!(show = %line.show, "a show that is not played here is not listed"),
        }
    }

    async fn list_shows(&self) -> Result<Option<Vec<ShowLine>>, BusError> {
        self.directory.clone().lines().await.map(Some).map_err(unavailable)
    }

    fn last_failure(&self, show: ShowId) -> Option<Instant> {
        self.shows.get(&show)?.status.last_failure()
    }

    fn is_distributed(&self) -> bool {
        true
    }
}
