//! Messages that a shard has not processed yet: in order within a show, and shows take turns, so that no show waits
//! until a message has reached all players of another (deficit round robin with a quantum of one piece of work).

use std::collections::{HashMap, VecDeque};

use klaxon_protocol::ids::ShowId;

use super::ToShard;
use super::rooms::FanOut;

/// The queues of all shows that have work.
#[derive(Default)]
pub(super) struct FairQueue {
    shows: HashMap<ShowId, ShowQueue>,
    /// The shows with work, in the order of their turns; each is here once.
    order: VecDeque<ShowId>,
    /// The number of messages in all queues.
    length: usize,
}

/// One show's messages.
#[derive(Default)]
pub(super) struct ShowQueue {
    /// The fan-out in progress; it comes before the messages.
    pub fan_out: Option<FanOut>,
    pub messages: VecDeque<ToShard>,
}

impl ShowQueue {
    fn len(&self) -> usize {
        self.messages.len() + usize::from(self.fan_out.is_some())
    }
}

impl FairQueue {
    /// Appends a message to its show's queue.
    pub fn push(&mut self, show: ShowId, message: ToShard) {
        let queue = self.shows.entry(show).or_insert_with(|| {
            self.order.push_back(show);
            ShowQueue::default()
        });
        queue.messages.push_back(message);
        self.length += 1;
    }

    /// Takes the queue of the next show; [`Self::put_back`] returns it.
    pub fn take_next(&mut self) -> Option<(ShowId, ShowQueue)> {
        let show = self.order.pop_front()?;
        let queue = self.shows.remove(&show).unwrap_or_default();
        self.length -= queue.len();
        Some((show, queue))
    }

    /// Ends a show's turn; if it has more work, it is queued after all other shows.
    pub fn put_back(&mut self, show: ShowId, queue: ShowQueue) {
        if queue.len() > 0 {
            self.length += queue.len();
            self.shows.insert(show, queue);
            self.order.push_back(show);
        }
    }

    /// The number of unprocessed messages, including those in progress. The reactor's backlog limits it: see
    /// [`MAX_BACKLOG`](crate::transport::MAX_BACKLOG).
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no work.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Whether a fan-out of this show is in progress.
    pub fn has_fan_out(&self, show: ShowId) -> bool {
        self.shows.get(&show).is_some_and(|queue| queue.fan_out.is_some())
    }
}
