//! The queue between a show, which adds publications, and the show's publisher, which takes them.

use std::collections::VecDeque;

use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{Fence, GatewayId};
use klaxon_protocol::link::ToGateway;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::entry::Entries;
use crate::bus::queue::count_full;
use crate::bus::{BusError, Publication, StreamPosition};

/// Publications of a show that Redis has not taken. At this limit all of them are dropped, and the show ends at this engine: the engine that
/// takes it over publishes what is missing, from the journal. While Redis is away a show publishes next to nothing, as it waits for its
/// journal.
pub(super) const MAX_PUBLICATIONS: usize = 10_000;
/// Publications that are published together.
const MAX_BATCH: usize = 256;
/// No publication is added to a batch that has this many messages.
const MAX_BATCH_MESSAGES: usize = 4096;

/// The queue of one show's publisher.
#[derive(Default)]
pub(super) struct PublishQueue {
    state: Mutex<PublishState>,
    changed: Notify,
}

#[derive(Default)]
struct PublishState {
    publications: VecDeque<Publication>,
    lease: Option<PublishLease>,
    /// The newest directory line; it replaces one that was not taken yet.
    line: Option<ShowLine>,
    /// Set when the show is released, after which nothing is added; true if the show is over.
    released: Option<bool>,
    has_overflowed: bool,
}

/// The lease under which the show is published.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublishLease {
    pub fence: Fence,
    /// How many entries were published under it before.
    pub published: u64,
}

/// Publications that are published together.
pub(super) struct Batch {
    /// The gateway that each entry is for, none for all; and the encoded messages.
    pub entries: Vec<(Option<GatewayId>, Vec<u8>)>,
    pub host_replies: Vec<(GatewayId, ToGateway)>,
    pub records: u64,
    pub acknowledged: StreamPosition,
}

impl PublishQueue {
    fn change<T>(&self, change: impl FnOnce(&mut PublishState) -> T) -> T {
        let changed = change(&mut self.state.lock());
        self.changed.notify_one();
        changed
    }

    /// Waits until something has been added.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    pub fn publish(&self, publication: Publication) -> Result<(), BusError> {
        let show = publication.show;
        self.change(|state| {
            if state.publications.len() >= MAX_PUBLICATIONS && !state.has_overflowed {
                tracing::error!(%show, "Redis does not take what the show publishes; the show ends at this engine");
                count_full("publish");
                state.has_overflowed = true;
                state.publications.clear();
            }
            if state.has_overflowed {
                return Err(BusError::Full);
            }
            state.publications.push_back(publication);
            Ok(())
        })
    }

    pub fn take_over(&self, lease: PublishLease) {
        self.change(|state| state.lease = Some(lease));
    }

    pub fn update_directory(&self, line: ShowLine) {
        self.change(|state| state.line = Some(line));
    }

    pub fn release(&self, is_over: bool) {
        self.change(|state| state.released = Some(is_over));
    }

    /// The lease that was added last, if it was not taken yet.
    pub fn take_lease(&self) -> Option<PublishLease> {
        self.state.lock().lease.take()
    }

    /// The next publications.
    pub fn take_batch(&self) -> Option<Batch> {
        let mut state = self.state.lock();
        let (mut count, mut messages) = (0, 0);
        while count < state.publications.len().min(MAX_BATCH) && messages < MAX_BATCH_MESSAGES {
            messages += state.publications[count].messages.len();
            count += 1;
        }
        let taken: Vec<Publication> = state.publications.drain(..count).collect();
        drop(state);
        let Publication { records, acknowledged, .. } = *taken.last()?;
        let entries = Entries::of(taken.into_iter().flat_map(|publication| publication.messages));
        Some(Batch { entries: entries.events, host_replies: entries.host_replies, records, acknowledged })
    }

    pub fn take_line(&self) -> Option<ShowLine> {
        self.state.lock().line.take()
    }

    pub fn has_line(&self) -> bool {
        self.state.lock().line.is_some()
    }

    /// Whether the show was released, and if so whether it is over.
    pub fn released(&self) -> Option<bool> {
        self.state.lock().released
    }

    pub fn has_overflowed(&self) -> bool {
        self.state.lock().has_overflowed
    }

    pub fn len(&self) -> usize {
        self.state.lock().publications.len()
    }
}
