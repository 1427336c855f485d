//! Messages for shows that a shard has yet to process: in order within a show, and shows take turns, so that none waits until a
//! message has reached all of another show's players (deficit round robin with a quantum of one piece of work).

use std::collections::{HashMap, VecDeque};

use klaxon_protocol::ids::ShowId;

use super::ToShard;
use super::rooms::FanOut;

/// The queues of all shows that have work.
#[derive(Default)]
pub(super) struct FairQueue {
    shows: HashMap<ShowId, ShowQueue>,
    /// Whose turn is next. Each show that has a queue is here once.
    order: VecDeque<ShowId>,
    /// The length of all queues together.
    length: usize,
}

/// One show's messages.
#[derive(Default)]
pub(super) struct ShowQueue {
    /// In progress; the messages come after it.
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

    /// Takes the queue of the show whose turn it is. [`Self::put_back`] returns it.
    pub fn take_next(&mut self) -> Option<(ShowId, ShowQueue)> {
        let show = self.order.pop_front()?;
        let queue = self.shows.remove(&show).unwrap_or_default();
        self.length -= queue.len();
        Some((show, queue))
    }

    /// Ends a show's turn; if it has more work, its next turn comes after all others'.
    pub fn put_back(&mut self, show: ShowId, queue: ShowQueue) {
        if queue.len() > 0 {
            self.length += queue.len();
            self.shows.insert(show, queue);
            self.order.push_back(show);
        }
    }

    /// Messages that are not processed, those in progress included. The reactor's backlog limits them: see
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
