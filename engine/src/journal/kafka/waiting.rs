//! What waits for Kafka, by show.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use klaxon_protocol::ids::ShowId;
use tokio::sync::{Notify, watch};

/// What waits for Kafka. Its size is that of the shows, whatever they write.
pub(super) struct Waiting {
    shows: Mutex<HashMap<ShowId, Line>>,
    /// Somebody has to look.
    pub(super) wake: Notify,
    behind: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Line {
    /// How many records the show has.
    written: u64,
    /// How many of them Kafka has.
    shipped: u64,
    over: bool,
    /// Whether something is new here.
    fresh: bool,
}

/// A show of which something is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fresh {
    pub(super) show: ShowId,
    pub(super) over: bool,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Self { shows: Mutex::default(), wake: Notify::new(), behind: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ShowId, Line>> {
        self.shows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, show: ShowId, change: impl FnOnce(&mut Line)) {
        let mut shows = self.lock();
        let line = shows.entry(show).or_default();
        let before = line.behind();
        change(line);
        let after = line.behind();
        self.tell(before, after);
    }

    /// One show was `before` behind and is `after` behind now. The lock is held.
    fn tell(&self, before: u64, after: u64) {
        self.behind.send_modify(|behind| *behind = (*behind + after).saturating_sub(before));
        metrics::gauge!("klaxon_kafka_behind_records").set(*self.behind.borrow() as f64);
    }

    /// The show has so many records now.
    pub(super) fn written(&self, show: ShowId, records: u64) {
        self.change(show, |line| {
            line.written = line.written.max(records);
            line.fresh = true;
        });
        self.wake.notify_one();
    }

    /// The show is over.
    pub(super) fn is_over(&self, show: ShowId) {
        self.change(show, |line| {
            line.over = true;
            line.fresh = true;
        });
        self.wake.notify_one();
    }

    /// The shows of which something is new since the last call.
    pub(super) fn take_fresh(&self) -> Vec<Fresh> {
        let mut shows = self.lock();
        let fresh = shows.iter_mut().filter(|(_, line)| line.fresh);
        fresh
            .map(|(&show, line)| {
                line.fresh = false;
                Fresh { show, over: line.over }
            })
            .collect()
    }

    /// Kafka has so many records of the show.
    pub(super) fn shipped(&self, show: ShowId, records: u64) {
        self.change(show, |line| line.shipped = records);
    }

    /// The show's file was found to have so many records, and lacks none: unless more were written just now, there are no more.
    pub(super) fn is_whole(&self, show: ShowId, records: u64) {
        self.change(show, |line| {
            if !line.fresh {
                line.written = records;
            }
        });
    }

    /// How many records the show has.
    pub(super) fn written_of(&self, show: ShowId) -> u64 {
        self.lock().get(&show).map_or(0, |line| line.written)
    }

    /// Nothing of the show is left here, unless something new came.
    pub(super) fn forget(&self, show: ShowId) {
        let mut shows = self.lock();
        if let Some(line) = shows.get(&show).copied().filter(|line| !line.fresh) {
            shows.remove(&show);
            self.tell(line.behind(), 0);
        }
    }

    /// Returns when Kafka has all that was written before.
    pub(super) async fn settled(&self) {
        // It has not ended while this is borrowed.
        let _ = self.behind.subscribe().wait_for(|&behind| behind == 0).await;
    }
}

impl Line {
    const fn behind(&self) -> u64 {
        self.written.saturating_sub(self.shipped)
    }
}
