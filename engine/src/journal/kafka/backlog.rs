//! How many records of each show wait for Kafka. The records themselves are in the spool, so memory grows only with the
//! number of shows.

use std::collections::HashMap;

use klaxon_protocol::ids::ShowId;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

/// The backlogs of all shows that this engine uploads.
pub(super) struct Backlog {
    shows: Mutex<HashMap<ShowId, ShowBacklog>>,
    changed: Notify,
    /// The number of records, over all shows, that Kafka does not have.
    total: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct ShowBacklog {
    /// How many records the show has.
    written: u64,
    /// How many of them Kafka has.
    uploaded: u64,
    over: bool,
    /// Whether it changed since [`Backlog::take_changed`].
    changed: bool,
}

/// A show that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) show: ShowId,
    pub(super) over: bool,
}

impl Backlog {
    pub(super) fn new() -> Self {
        Self { shows: Mutex::default(), changed: Notify::new(), total: watch::Sender::new(0) }
    }

    fn change(&self, show: ShowId, change: impl FnOnce(&mut ShowBacklog)) {
        let mut shows = self.shows.lock();
        let backlog = shows.entry(show).or_default();
        let before = backlog.waiting();
        change(backlog);
        self.replace(before, backlog.waiting());
    }

    /// Updates the total: a show's backlog changed from `before` to `after` records. The caller holds the lock.
    fn replace(&self, before: u64, after: u64) {
        self.total.send_modify(|total| {
            *total = total.checked_sub(before).expect("the total is the sum over the shows") + after;
        });
        metrics::gauge!("klaxon_kafka_behind_records").set(*self.total.borrow() as f64);
    }

    /// Waits until records of a show were written, or a show ended.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Sets how many records the show has; never lowers it.
    pub(super) fn written(&self, show: ShowId, records: u64) {
        self.change(show, |backlog| {
            backlog.written = backlog.written.max(records);
            backlog.changed = true;
        });
        self.changed.notify_one();
    }

    /// Marks the show as over.
    pub(super) fn is_over(&self, show: ShowId) {
        self.change(show, |backlog| {
            backlog.over = true;
            backlog.changed = true;
        });
        self.changed.notify_one();
    }

    /// The shows that changed since the last call.
    pub(super) fn take_changed(&self) -> Vec<Changed> {
        let mut shows = self.shows.lock();
        let changed = shows.iter_mut().filter(|(_, backlog)| backlog.changed);
        changed
            .map(|(&show, backlog)| {
                backlog.changed = false;
                Changed { show, over: backlog.over }
            })
            .collect()
    }

    /// Sets how many records of the show Kafka has.
    pub(super) fn uploaded(&self, show: ShowId, records: u64) {
        self.change(show, |backlog| backlog.uploaded = records);
    }

    /// Sets how many records the show has to the length of its complete file, unless more were written in the meantime.
    pub(super) fn is_whole(&self, show: ShowId, records: u64) {
        self.change(show, |backlog| {
            if !backlog.changed {
                backlog.written = records;
            }
        });
    }

    /// How many records the show has.
    pub(super) fn written_records(&self, show: ShowId) -> u64 {
        self.shows.lock().get(&show).map_or(0, |backlog| backlog.written)
    }

    /// Removes the show, which is no longer in the spool, unless it changed in the meantime.
    pub(super) fn forget(&self, show: ShowId) {
        let mut shows = self.shows.lock();
        if let Some(backlog) = shows.get(&show).copied().filter(|backlog| !backlog.changed) {
            shows.remove(&show);
            self.replace(backlog.waiting(), 0);
        }
    }

    /// Waits until Kafka has all records.
    pub(super) async fn flushed(&self) {
        // The sender is a field of `self`, so the channel can't close while this waits.
        let _ = self.total.subscribe().wait_for(|&total| total == 0).await;
    }
}

impl ShowBacklog {
    /// How many records Kafka lacks. Kafka can have more records than were written here: another engine may have
    /// written them.
    const fn waiting(&self) -> u64 {
        self.written.saturating_sub(self.uploaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOW: ShowId = ShowId(1);

    #[tokio::test]
    async fn a_million_records_of_a_show_are_one_entry_and_a_wake_up() {
        let backlog = Backlog::new();
        (1..=1_000_000).for_each(|records| backlog.written(SHOW, records));
        assert_eq!((backlog.shows.lock().len(), *backlog.total.borrow()), (1, 1_000_000));
        backlog.changed().await;
        assert_eq!(backlog.take_changed(), [Changed { show: SHOW, over: false }]);
        assert_eq!(backlog.take_changed(), []);
        backlog.uploaded(SHOW, 1_000_005);
        assert_eq!(*backlog.total.borrow(), 0, "another engine wrote more");
        backlog.flushed().await;
        backlog.written(SHOW, 1_000_010);
        backlog.forget(SHOW);
        assert_eq!(*backlog.total.borrow(), 5, "it changed just now, so it is not forgotten");
        backlog.take_changed();
        backlog.forget(SHOW);
        assert_eq!((backlog.shows.lock().len(), *backlog.total.borrow()), (0, 0));
    }
}
