//! The bounded queue of messages to a host's connection.

use std::collections::VecDeque;
use std::sync::Arc;

use klaxon_protocol::host::ToHost;
use klaxon_protocol::ids::ShowId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Messages that may wait for one host.
pub const MOST_WAITING: usize = 256;

/// The messages that wait for one host, in order. Newer figures of a show replace older ones, and at the limit figures
/// are dropped first. A host for which [`MOST_WAITING`] other messages wait is disconnected.
#[derive(Default)]
pub struct HostOutbox {
    queue: Mutex<Queue>,
    filled: Notify,
    overflowed: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Arc<ToHost>>,
    overflowed: bool,
}

impl HostOutbox {
    /// Appends a message.
    pub fn push(&self, message: Arc<ToHost>) {
        let mut queue = self.queue.lock();
        if queue.overflowed {
            return;
        }
        if let Some(show) = figures_of(&message) {
            queue.waiting.retain(|waiting| figures_of(waiting) != Some(show));
            if queue.waiting.len() == MOST_WAITING {
                return;
            }
        } else if queue.waiting.len() == MOST_WAITING {
            let Some(figures) = queue.waiting.iter().position(|waiting| figures_of(waiting).is_some()) else {
                queue.overflowed = true;
                queue.waiting.clear();
                self.overflowed.notify_one();
                return;
            };
            queue.waiting.remove(figures);
        }
        queue.waiting.push_back(message);
        self.filled.notify_one();
    }

    /// Waits for the next message. Only one task may call this.
    pub async fn next(&self) -> Arc<ToHost> {
        loop {
            if let Some(message) = self.queue.lock().waiting.pop_front() {
                return message;
            }
            self.filled.notified().await;
        }
    }

    /// Waits until the queue overflows. Only one task may call this.
    pub async fn overflowed(&self) {
        self.overflowed.notified().await;
    }
}

fn figures_of(message: &ToHost) -> Option<ShowId> {
    match message {
        ToHost::Figures(figures) => Some(figures.show),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::host::Figures;
    use klaxon_protocol::player::Pong;
    use klaxon_protocol::time::Millis;

    use super::*;

    fn figures(show: u64, joined: u32) -> Arc<ToHost> {
        Arc::new(ToHost::Figures(Box::new(Figures { joined, ..klaxon_fixtures::figures(ShowId(show)) })))
    }

    fn pong(sent: u64) -> Arc<ToHost> {
        Arc::new(ToHost::Pong(Pong { sent: Millis(sent), now: Millis(0) }))
    }

    async fn drain(outbox: &HostOutbox) -> Vec<Arc<ToHost>> {
        let count = outbox.queue.lock().waiting.len();
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(outbox.next().await);
        }
        all
    }

    #[tokio::test]
    async fn newer_figures_supersede_older_ones_of_their_show() {
        let outbox = HostOutbox::default();
        for message in [figures(1, 10), pong(1), figures(2, 20), figures(1, 11)] {
            outbox.push(message);
        }
        assert_eq!(drain(&outbox).await, [pong(1), figures(2, 20), figures(1, 11)]);
    }

    #[tokio::test]
    async fn figures_are_given_up_before_anything_else() {
        let outbox = HostOutbox::default();
        outbox.push(figures(1, 10));
        for sent in 0..MOST_WAITING as u64 {
            outbox.push(pong(sent));
        }
        outbox.push(figures(1, 11));
        let kept = drain(&outbox).await;
        assert_eq!(kept.len(), MOST_WAITING);
        assert!(kept.iter().all(|message| figures_of(message).is_none()));
        assert_eq!(kept[0], pong(0));
    }

    #[tokio::test]
    async fn a_host_that_is_behind_without_figures_is_cut_off() {
        let outbox = HostOutbox::default();
        for sent in 0..=MOST_WAITING as u64 {
            outbox.push(pong(sent));
        }
        outbox.overflowed().await;
        assert_eq!(drain(&outbox).await, []);
        outbox.push(pong(0));
        assert_eq!(drain(&outbox).await, [], "nothing is kept for a host that is gone");
    }
}
