//! A reactor's backlog: messages that other threads sent to its handler and that are not processed yet, whether they are in the mailbox or
//! with the handler.
//!
//! A sender that can wait does so while the backlog is full. One that can't, as it is a reactor itself, sends all the same: the code that does
//! so has to show that the sum is bounded.
//!
//! It costs each message an addition, and each turn of the reactor at most one: nothing per connection, no lock and no allocation. The sender
//! is woken only when it may wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};

use tokio::sync::Notify;

/// Messages in one reactor's backlog at which senders wait. A few megabytes, and more than a second of a shard's work even if all are joins.
pub const MAX_BACKLOG: usize = 16_384;
/// At this length a sender that waits goes on: waking it up for every message would cost more than the messages.
const LOW_WATER: usize = MAX_BACKLOG / 2;

/// The senders' side.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    length: AtomicUsize,
    /// The reactor has ended: no sender has to wait for it.
    is_over: AtomicBool,
    low: Notify,
}

/// The reactor's side. Dropping it lets all senders go on.
#[derive(Debug, Default)]
pub(super) struct ReactorBacklog {
    shared: Arc<Backlog>,
    /// Messages that the handler was given and that still count.
    with_handler: usize,
}

impl Backlog {
    /// A message is about to be put into the mailbox.
    pub fn add(&self) {
        self.length.fetch_add(1, AcqRel);
    }

    /// Messages now.
    pub fn len(&self) -> usize {
        self.length.load(Acquire)
    }

    /// Whether a sender need not wait.
    pub fn has_room(&self) -> bool {
        self.len() < MAX_BACKLOG || self.is_over.load(Acquire)
    }

    /// Waits until the backlog is half empty. For one sender.
    pub async fn wait_for_room(&self) {
        while self.len() > LOW_WATER && !self.is_over.load(Acquire) {
            // A notification that comes before this is kept.
            self.low.notified().await;
        }
    }
}

impl ReactorBacklog {
    /// What the senders of this reactor share.
    pub fn shared(&self) -> Arc<Backlog> {
        Arc::clone(&self.shared)
    }

    /// The handler was given a message.
    pub const fn hand_over(&mut self) {
        self.with_handler += 1;
    }

    /// The handler has this number of messages left to process; the others no longer count.
    pub fn left(&mut self, unprocessed: usize) {
        let processed = self.with_handler - unprocessed;
        if processed == 0 {
            return;
        }
        self.with_handler = unprocessed;
        let before = self.shared.length.fetch_sub(processed, AcqRel);
        if before > LOW_WATER && before - processed <= LOW_WATER {
            self.shared.low.notify_one();
        }
    }
}

impl Drop for ReactorBacklog {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Release);
        self.shared.low.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    /// A backlog at its limit, all of it with the handler.
    fn full() -> ReactorBacklog {
        let mut backlog = ReactorBacklog::default();
        for _ in 0..MAX_BACKLOG {
            assert!(backlog.shared.has_room());
            backlog.shared.add();
            backlog.hand_over();
        }
        backlog
    }

    #[test]
    fn a_sender_waits_at_the_limit_until_half_is_processed() {
        let mut backlog = full();
        let shared = backlog.shared();
        assert!(!shared.has_room());
        let mut room = pin!(shared.wait_for_room());
        assert_eq!(room.as_mut().now_or_never(), None);
        backlog.left(LOW_WATER + 1);
        assert_eq!(room.as_mut().now_or_never(), None);
        backlog.left(LOW_WATER);
        assert_eq!(room.now_or_never(), Some(()));
        assert!(shared.has_room());
    }

    #[test]
    fn what_was_processed_before_the_sender_waits_is_not_missed() {
        let mut backlog = full();
        let shared = backlog.shared();
        backlog.left(0);
        assert_eq!(shared.wait_for_room().now_or_never(), Some(()));
        assert_eq!(shared.len(), 0);
    }

    #[test]
    fn what_is_in_the_mailbox_counts_when_the_handler_has_nothing_left() {
        let mut backlog = ReactorBacklog::default();
        (0..3).for_each(|_| backlog.shared.add());
        backlog.hand_over();
        backlog.left(0);
        assert_eq!(backlog.shared.len(), 2);
    }

    #[test]
    fn no_sender_waits_for_a_reactor_that_has_ended() {
        let backlog = full();
        let shared = backlog.shared();
        let mut room = pin!(shared.wait_for_room());
        assert_eq!(room.as_mut().now_or_never(), None);
        drop(backlog);
        assert_eq!(room.now_or_never(), Some(()));
        assert!(shared.has_room());
    }
}
