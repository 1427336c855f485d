//! Reconstructs a show's journal from its records in Kafka, where several engines may have written, some of them twice
//! or too late.

use std::cmp::Ordering;

use klaxon_protocol::ids::Fence;

/// The status of a record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordStatus {
    /// The next record of the show.
    Next,
    /// It was read before.
    Duplicate,
    /// Written by an engine that had lost the show's lease.
    Stale,
    /// Earlier records are missing. They will follow, and then this record again.
    Early,
    /// Redis lost the records from this number on, and the show continued without them: records already read from this
    /// number on are void, and this record replaces them.
    Replacement,
}

/// Classifies records, one after another, by their numbers and fences. Has no I/O.
#[derive(Debug, Clone, Default)]
pub struct JournalReader {
    next: u64,
    /// Each fence with the first record number under it; both increase.
    fences: Vec<(u64, Fence)>,
}

impl JournalReader {
    /// Continues after `next` records, the last of them under `fence`.
    #[must_use]
    pub fn after(next: u64, fence: Fence) -> Self {
        Self { next, fences: if next == 0 { Vec::new() } else { vec![(0, fence)] } }
    }

    /// The number of the next record.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Classifies the next record that was read.
    pub fn judge(&mut self, number: u64, fence: Fence) -> RecordStatus {
        let newest = self.fences.last().map_or(Fence(0), |&(_, fence)| fence);
        match number.cmp(&self.next) {
            Ordering::Greater if fence < newest => RecordStatus::Stale,
            Ordering::Greater => RecordStatus::Early,
            Ordering::Equal if fence < newest => RecordStatus::Stale,
            Ordering::Equal => {
                self.take(number, fence);
                RecordStatus::Next
            }
            Ordering::Less => match fence.cmp(&self.fence_of(number)) {
                Ordering::Less => RecordStatus::Stale,
                Ordering::Equal => RecordStatus::Duplicate,
                Ordering::Greater if fence < newest => RecordStatus::Stale,
                Ordering::Greater => {
                    self.fences.retain(|&(first, _)| first < number);
                    self.take(number, fence);
                    RecordStatus::Replacement
                }
            },
        }
    }

    fn take(&mut self, number: u64, fence: Fence) {
        if self.fences.last().is_none_or(|&(_, newest)| newest < fence) {
            self.fences.push((number, fence));
        }
        self.next = number + 1;
    }

    fn fence_of(&self, number: u64) -> Fence {
        let runs = self.fences.partition_point(|&(first, _)| first <= number);
        self.fences[..runs].last().map_or(Fence(0), |&(_, fence)| fence)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(stream: &[(u64, Fence)]) -> Vec<(u64, Fence)> {
        let mut reader = JournalReader::default();
        let mut journal = Vec::new();
        for &(number, fence) in stream {
            match reader.judge(number, fence) {
                RecordStatus::Replacement => {
                    journal.truncate(usize::try_from(number).unwrap());
                    journal.push((number, fence));
                }
                RecordStatus::Next => journal.push((number, fence)),
                RecordStatus::Duplicate | RecordStatus::Stale | RecordStatus::Early => {}
            }
        }
        journal
    }

    /// A show that several engines wrote one after another.
    fn journal() -> impl Strategy<Value = Vec<(u64, Fence)>> {
        prop::collection::vec(1_usize..6, 1..5).prop_map(|runs| {
            let fences = (1..).zip(runs).flat_map(|(fence, records)| std::iter::repeat_n(Fence(fence * 3), records));
            (0..).zip(fences).collect()
        })
    }

    /// What one engine sends of a show: from some number on, in order; after a failure it goes back and sends again.
    fn sent(journal: Vec<(u64, Fence)>, backs: &[usize]) -> Vec<(u64, Fence)> {
        let mut sent = Vec::new();
        let mut at = 0;
        let mut backs = backs.iter().cycle();
        let mut steps = 0;
        while at < journal.len() {
            sent.push(journal[at]);
            at += 1;
            steps += 1;
            if steps % 4 == 0 && steps < 40 {
                at = at.saturating_sub(*backs.next().unwrap_or(&0));
            }
        }
        sent
    }

    /// A merge of streams, each in its own order.
    fn merge(mut streams: Vec<Vec<(u64, Fence)>>, picks: &[usize]) -> Vec<(u64, Fence)> {
        let mut merged = Vec::new();
        let mut picks = picks.iter().cycle();
        for stream in &mut streams {
            stream.reverse();
        }
        while streams.iter().any(|stream| !stream.is_empty()) {
            let waiting: Vec<usize> = (0..streams.len()).filter(|&at| !streams[at].is_empty()).collect();
            let pick = waiting[picks.next().unwrap_or(&0) % waiting.len()];
            merged.extend(streams[pick].pop());
        }
        merged
    }

    proptest! {
        #[test]
        fn any_interleaving_of_engines_with_duplicates_gives_the_journal(
            journal in journal(),
            ends in prop::collection::vec(0_usize..30, 0..4),
            backs in prop::collection::vec(0_usize..4, 1..5),
            picks in prop::collection::vec(0_usize..5, 1..20),
        ) {
            // Engines that lost the show sent a part of it from its start; the last one sends it whole.
            let mut streams: Vec<_> = ends
                .iter()
                .map(|&end| sent(journal[..end.min(journal.len())].to_vec(), &backs))
                .collect();
            streams.push(sent(journal.clone(), &backs));
            prop_assert_eq!(read(&merge(streams, &picks)), journal);
        }

        #[test]
        fn what_a_zombie_wrote_past_the_head_is_dropped_or_replaced(
            journal in journal(),
            past in 1_u64..6,
            from in 0_usize..20,
            picks in prop::collection::vec(0_usize..5, 1..20),
        ) {
            // It has a true beginning, and then records of its own that no head kept, under a fence older than the next engine's.
            let starts: Vec<usize> = (1..journal.len()).filter(|&at| journal[at].1 != journal[at - 1].1).collect();
            prop_assume!(!starts.is_empty());
            let at = starts[from % starts.len()];
            let mut zombie = journal[..at].to_vec();
            zombie.extend((0..past).map(|more| (at as u64 + more, journal[at - 1].1)));
            prop_assert_eq!(read(&merge(vec![zombie, journal.clone()], &picks)), journal);
        }
    }

    #[test]
    fn a_record_that_is_early_is_next_when_it_comes_again() {
        let mut reader = JournalReader::default();
        let judged: Vec<RecordStatus> = [0, 2, 1, 2].map(|number| reader.judge(number, Fence(1))).to_vec();
        assert_eq!(judged, [RecordStatus::Next, RecordStatus::Early, RecordStatus::Next, RecordStatus::Next]);
        assert_eq!(reader.next(), 3);
    }

    #[test]
    fn a_reader_that_goes_on_drops_what_it_has_read() {
        let mut reader = JournalReader::after(5, Fence(2));
        assert_eq!(reader.judge(4, Fence(2)), RecordStatus::Duplicate);
        assert_eq!(reader.judge(5, Fence(1)), RecordStatus::Stale);
        assert_eq!(reader.judge(5, Fence(3)), RecordStatus::Next);
    }
}
