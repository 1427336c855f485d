//! The records of a turn that are not in the journal yet.

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::ToPlayer;
use klaxon_protocol::time::Millis;

/// Records that wait to be written, numbered consecutively from the first one that the journal lacks.
pub(super) struct UnwrittenRecords {
    show: ShowId,
    records: Vec<Record>,
    /// How many records the journal has.
    written: u64,
}

impl UnwrittenRecords {
    /// No records yet, for a show whose journal has `written` records.
    pub const fn new(show: ShowId, written: u64) -> Self {
        Self { show, records: Vec::new(), written }
    }

    /// Adds the next record.
    pub fn add(&mut self, fence: Fence, at: Millis, command: Command, events: Vec<ToPlayer>, state: u64) {
        if let Some(last) = self.records.last() {
            assert!(fence >= last.fence && at >= last.at, "a record is never older than the one before it");
        }
        let (show, number) = (self.show, self.written + self.records.len() as u64);
        self.records.push(Record { show, number, fence, at, command, events, state });
    }

    /// How many records the journal has.
    pub const fn written(&self) -> u64 {
        self.written
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn as_slice(&self) -> &[Record] {
        &self.records
    }

    /// Moves all records to a new lease: none of them is written yet.
    pub fn move_to_lease(&mut self, fence: Fence) {
        self.records.iter_mut().for_each(|record| record.fence = fence);
    }

    /// Called when the journal has them all.
    pub fn note_written(&mut self) {
        self.written += self.records.len() as u64;
        self.records.clear();
    }

    /// Drops the records, which will not be written.
    pub fn discard(&mut self) {
        self.records.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(records: &mut UnwrittenRecords, fence: u64, at: u64) {
        records.add(Fence(fence), Millis(at), Command::Tick, Vec::new(), 7);
    }

    fn numbers(records: &UnwrittenRecords) -> Vec<(u64, u64)> {
        records.as_slice().iter().map(|record| (record.number, record.fence.0)).collect()
    }

    #[test]
    fn records_are_numbered_on_from_what_the_journal_has() {
        let mut records = UnwrittenRecords::new(ShowId(1), 40);
        add(&mut records, 2, 100);
        add(&mut records, 2, 100);
        assert_eq!((numbers(&records), records.written()), (vec![(40, 2), (41, 2)], 40));
        records.note_written();
        assert!(records.is_empty());
        add(&mut records, 2, 101);
        assert_eq!((numbers(&records), records.written()), (vec![(42, 2)], 42));
        records.discard();
        add(&mut records, 2, 101);
        assert_eq!(numbers(&records), [(42, 2)], "what was never written leaves no hole");
    }

    #[test]
    fn what_is_not_written_yet_moves_to_the_new_lease() {
        let mut records = UnwrittenRecords::new(ShowId(1), 0);
        add(&mut records, 2, 100);
        records.move_to_lease(Fence(5));
        add(&mut records, 5, 100);
        assert_eq!(numbers(&records), [(0, 5), (1, 5)]);
    }

    #[test]
    #[should_panic(expected = "never older")]
    fn a_fence_that_falls_is_a_fault() {
        let mut records = UnwrittenRecords::new(ShowId(1), 0);
        add(&mut records, 5, 100);
        add(&mut records, 4, 100);
    }
}
