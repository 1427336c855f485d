//! A reactor's backlog: messages from other threads that its handler has not processed yet, in the mailbox or in the
//! handler.
//!
//! A sender that can wait does so while the backlog is full. A sender that can't, because it is a reactor itself, sends
//! anyway: its code has to show that the sum is bounded.
//!
//! The cost is one addition per message, and at most one per turn of the reactor: nothing per connection, no lock, no
//! allocation. The sender is woken only when there is room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};

use tokio::sync::Notify;

/// The length of one reactor's backlog at which senders wait. A few megabytes, and more than a second of a shard's work
/// even if all messages are joins.
pub const MAX_BACKLOG: usize = 16_384;
/// The length at which a waiting sender is woken. Waking it for every message would cost more than the messages.
const LOW_WATER: usize = MAX_BACKLOG / 2;

/// The senders' side.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    length: AtomicUsize,
    /// Set when the reactor has ended, so that no sender waits for it.
    is_over: AtomicBool,
    low: Notify,
}

/// The reactor's side. Dropping it wakes all senders.
#[derive(Debug, Default)]
pub(super) struct ReactorBacklog {
    shared: Arc<Backlog>,
    /// Messages in the handler that are counted as unprocessed.
    with_handler: usize,
}

impl Backlog {
    /// Counts a message, before it is put into the mailbox.
    pub fn add(&self) {
        self.length.fetch_add(1, AcqRel);
    }

    /// The current length.
    pub fn len(&self) -> usize {
        self.length.load(Acquire)
    }

    /// Whether a sender may send without waiting.
    pub fn has_room(&self) -> bool {
        self.len() < MAX_BACKLOG || self.is_over.load(Acquire)
    }

    /// Waits until the backlog is half empty. Only one sender may wait.
    pub async fn wait_for_room(&self) {
        while self.len() > LOW_WATER && !self.is_over.load(Acquire) {
            // An earlier notification is stored, so none is missed.
            self.low.notified().await;
        }
    }
}

impl ReactorBacklog {
    /// The side for the senders.
    pub fn shared(&self) -> Arc<Backlog> {
        Arc::clone(&self.shared)
    }

    /// Counts a message that was passed to the handler.
    pub const fn hand_over(&mut self) {
        self.with_handler += 1;
    }

    /// Sets how many messages the handler has left to process; the others no longer count.
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
