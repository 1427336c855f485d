//! The engine's publisher: one task for each show publishes it in order, once, and only under the show's newest lease.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{Fence, GatewayId, ShowCode, ShowId};
use klaxon_protocol::link::ToGateway;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::directory::Directory;
use super::entry::id;
use super::publish_queue::{Batch, PublishLease, PublishQueue};
use super::show_status::ShowStatus;
use super::{RETENTION, millis, pause};
use crate::bus::queue::count_full;
use crate::redis::scripts::{BUS_PUBLISH, ScriptError};
use crate::redis::{Connection, Keys};

/// Entries in the stream for all gateways: at four figures messages a second, about a quarter of an hour.
const MAX_EVENTS: usize = 4096;
/// Entries in the stream for one gateway. They are replies to the gateway's messages, so none are added while it is
/// disconnected.
const MAX_GATEWAY_EVENTS: usize = 1024;

/// Published entries are kept for this time, [`MAX_RECENT`] at most, to be published again: a Redis that is killed
/// loses the writes that are not on disk yet, up to two seconds with `appendfsync everysec`.
const RESEND_WINDOW: Duration = Duration::from_secs(5);
const MAX_RECENT: usize = 1024;

/// What all publishers of an engine share.
pub(super) struct PublisherContext {
    pub connection: Connection,
    pub keys: Keys,
    /// Takes replies to hosts. When there is no room they are dropped, and the host repeats the command.
    pub host_replies: mpsc::Sender<(GatewayId, ToGateway)>,
}

/// Publishes one show.
pub(super) struct ShowPublisher {
    show: ShowId,
    context: PublisherContext,
    directory: Directory,
    queue: Arc<PublishQueue>,
    status: ShowStatus,
    fence: Fence,
    /// How many entries were published under `fence`.
    published: u64,
    /// The entries that were published last, see [`RESEND_WINDOW`].
    recent: VecDeque<(Instant, PublishedEntry)>,
    /// Whether Redis has a newer lease than `fence` that this engine has not taken over under.
    is_fenced: bool,
    code: Option<ShowCode>,
}

/// The gateway that an entry is for, none for all; and the encoded messages.
type PublishedEntry = (Option<GatewayId>, Vec<u8>);

/// How many of the recent entries have to be published again, and whether older ones are missing too.
#[derive(Default, Clone, Copy)]
struct Resend {
    count: usize,
    has_gap: bool,
}

impl ShowPublisher {
    pub fn new(show: ShowId, context: PublisherContext, queue: Arc<PublishQueue>, status: ShowStatus) -> Self {
        Self {
            show,
            directory: Directory::new(context.connection.clone(), context.keys.clone()),
            context,
            queue,
            status,
            fence: Fence(0),
            published: 0,
            recent: VecDeque::new(),
            is_fenced: false,
            code: None,
        }
    }

    /// Publishes until the show is released and the queue is empty.
    pub async fn run(mut self) {
        while !self.queue.has_overflowed() {
            self.update_lease();
            let released = self.queue.released();
            if self.is_fenced {
                if released.is_some() {
                    return;
                }
                self.queue.changed().await;
            } else if let Some(batch) = self.queue.take_batch() {
                self.publish(batch).await;
            } else if let Some(line) = self.queue.take_line() {
                self.list(line).await;
            } else if let Some(is_over) = released {
                if is_over {
                    self.clear().await;
                }
                return;
            } else {
                self.queue.changed().await;
            }
        }
    }

    /// Applies a new lease from the queue. Returns whether there was one.
    fn update_lease(&mut self) -> bool {
        let Some(PublishLease { fence, published }) = self.queue.take_lease() else { return false };
        if fence != self.fence {
            (self.fence, self.published) = (fence, published);
            self.recent.clear();
        }
        self.is_fenced = false;
        true
    }

    /// Publishes a batch, and retries until it succeeds, is fenced or the queue overflows.
    async fn publish(&mut self, batch: Batch) {
        let (mut failures, mut resend) = (0, Resend::default());
        while !self.queue.has_overflowed() {
            match self.try_publish(&batch, resend).await {
                Ok(()) => {
                    self.keep(batch.entries);
                    for reply in batch.host_replies {
                        if self.context.host_replies.try_send(reply).is_err() {
                            count_full("host_replies");
                        }
                    }
                    return;
                }
                Err(ScriptError::Fenced { newest, .. }) if newest > self.fence => {
                    self.set_fenced();
                    while self.is_fenced {
                        if self.queue.released().is_some() {
                            return;
                        }
                        self.queue.changed().await;
                        self.update_lease();
                    }
                }
                Err(ScriptError::Behind { published }) => {
                    tracing::warn!(show = %self.show, "Redis lost the show's last events; they are published again");
                    let missing = usize::try_from(self.published.saturating_sub(published)).unwrap_or(usize::MAX);
                    let count = missing.min(self.recent.len());
                    resend = Resend { count, has_gap: count < missing };
                }
                Err(ScriptError::Fenced { .. } | ScriptError::NoLease) => {
                    if self.queue.released().is_some() {
                        tracing::warn!(show = %self.show, "the show's last events are not published: its lease is gone");
                        return;
                    }
                    self.wait(failures).await;
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(show = %self.show, %error, "the show's events can't be published; trying again");
                    }
                    metrics::counter!("klaxon_bus_failures_total", "what" => "publish").increment(1);
                    self.wait(failures).await;
                }
            }
            failures += 1;
        }
    }

    async fn try_publish(&self, batch: &Batch, resend: Resend) -> Result<(), ScriptError> {
        let (keys, show) = (&self.context.keys, self.show);
        let mut names = vec![keys.lease(show), keys.progress(show), keys.input(show), keys.events(show)];
        let resend_from = self.recent.len().saturating_sub(resend.count);
        let first = self.published + 1 - (self.recent.len() - resend_from) as u64;
        let words = [
            self.fence.to_string(),
            batch.records.to_string(),
            id(batch.acknowledged),
            first.to_string(),
            MAX_EVENTS.to_string(),
            MAX_GATEWAY_EVENTS.to_string(),
            millis(RETENTION).to_string(),
            u8::from(resend.has_gap).to_string(),
        ];
        let mut arguments: Vec<Cow<'_, [u8]>> = words.into_iter().map(|word| Cow::Owned(word.into_bytes())).collect();
        let recent = self.recent.range(resend_from..).map(|(_, entry)| entry);
        let mut gateways: Vec<GatewayId> = Vec::new();
        for (to, messages) in recent.chain(&batch.entries) {
            let key = match to {
                None => 4,
                Some(to) => {
                    let index = gateways.iter().position(|gateway| gateway == to).unwrap_or_else(|| {
                        names.push(keys.gateway_events(show, *to));
                        gateways.push(*to);
                        gateways.len() - 1
                    });
                    5 + index
                }
            };
            arguments.push(Cow::Owned(key.to_string().into_bytes()));
            arguments.push(Cow::Borrowed(messages));
        }
        let arguments: Vec<&[u8]> = arguments.iter().map(|argument| &**argument).collect();
        BUS_PUBLISH.run(&self.context.connection, &names, &arguments).await
    }

    /// Keeps published entries, so that they can be published again if Redis loses them.
    fn keep(&mut self, entries: Vec<PublishedEntry>) {
        self.published += entries.len() as u64;
        let now = Instant::now();
        self.recent.extend(entries.into_iter().map(|entry| (now, entry)));
        let is_old = |(at, _): &mut (Instant, PublishedEntry)| now.duration_since(*at) > RESEND_WINDOW;
        while self.recent.len() > MAX_RECENT || self.recent.front_mut().is_some_and(is_old) {
            self.recent.pop_front();
        }
    }

    /// Called when the show has a newer lease. If another engine has it, that engine publishes the rest, and the show
    /// is released here. If this engine has it, the show is about to be taken over under it.
    fn set_fenced(&mut self) {
        tracing::warn!(show = %self.show, fence = %self.fence, "the show has a newer lease; nothing is published under this one");
        metrics::counter!("klaxon_bus_fenced_total").increment(1);
        self.is_fenced = true;
        self.status.set_fenced(self.fence);
    }

    /// Pauses after a failure; ends early when the show is taken over again.
    async fn wait(&mut self, failures: u32) {
        self.status.set_failed();
        let until = Instant::now() + pause(failures);
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                () = self.queue.changed() => if self.update_lease() { return },
            }
        }
    }

    async fn list(&mut self, line: ShowLine) {
        let mut failures = 0;
        // Stops when a newer line is queued, which replaces this one.
        while !self.queue.has_line() && !self.is_fenced {
            match self.directory.list(&line).await {
                Ok(()) => break,
                Err(error) => tracing::debug!(show = %self.show, %error, "the show can't be listed; trying again"),
            }
            self.wait(failures).await;
            failures += 1;
        }
        self.code = Some(line.code);
    }

    /// Deletes the keys of a show that is over, except its last events, which gateways can read for a while.
    async fn clear(&mut self) {
        for failures in 0..10 {
            match self.directory.remove(self.show, self.code.as_ref()).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(show = %self.show, %error, "the show's keys can't be deleted; trying again")
                }
            }
            self.wait(failures).await;
        }
        tracing::warn!(show = %self.show, "the show's keys are not deleted; they expire");
    }
}
