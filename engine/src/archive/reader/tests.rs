use klaxon_protocol::ids::Seat;
use proptest::prelude::*;

use super::super::recorded::{answers_in, open_show, whole_show};
use super::*;
use crate::archive::ShowResults;

const PARTITION: Partition = Partition(3);

fn reader() -> ArchiveReader {
    ArchiveReader::new("shows", Games::default(), SealKeys::default())
}

/// Reads records that stand one after the other from `first` on.
fn read<'a>(reader: &mut ArchiveReader, first: i64, records: impl IntoIterator<Item = &'a Record>) {
    for (offset, record) in (first..).zip(records) {
        reader.take(PARTITION, Offset(offset), record.clone());
    }
}

fn assert_tells(batch: &JournalBatch, records: &[Record], results: &ShowResults) {
    let mut answers = batch.answers.clone();
    answers.sort_unstable();
    assert_eq!(answers, answers_in(records));
    assert_eq!(batch.results, std::slice::from_ref(results));
}

#[test]
fn a_journal_tells_each_answer_once_and_how_the_show_ended() {
    let (records, results) = whole_show(1, 3, 10);
    let mut reader = reader();
    read(&mut reader, 100, &records);
    let batch = reader.batch();
    assert_tells(&batch, &records, &results);
    assert_eq!(batch.results[0].players.iter().map(|player| player.prize).sum::<u64>(), results.summary.paid);
    assert!(results.summary.paid > 0);
    let end = 100 + i64::try_from(records.len()).unwrap();
    assert_eq!(batch.offsets, [(PARTITION, Offset(end))]);
    let [progress] = batch.progress[..] else { panic!("{:?}", batch.progress) };
    assert_eq!((progress.first, progress.next), (Offset(100), records.len() as u64));
    assert_eq!((progress.state, progress.fence), (JournalState::Over, records[records.len() - 1].fence));
    assert_eq!(reader.batch(), JournalBatch { topic: "shows".into(), ..JournalBatch::default() }, "it is told once");
}

proptest! {
    #[test]
    fn the_order_within_reach_and_repetitions_change_nothing(swaps in proptest::collection::vec((0usize..60, 0usize..60), 0..40)) {
        let (records, results) = whole_show(1, 2, 6);
        let mut shaken: Vec<&Record> = records.iter().collect();
        for (from, to) in swaps {
            let (from, to) = (from % shaken.len(), to % shaken.len());
            let record = shaken[from];
            shaken.insert(to, record);
            shaken.swap(from, to);
        }
        let mut reader = reader();
        read(&mut reader, 0, shaken);
        let batch = reader.batch();
        assert_tells(&batch, &records, &results);
        prop_assert_eq!(reader.counts().played, records.len() as u64);
    }
}

#[test]
fn what_an_engine_writes_that_lost_the_show_is_dropped() {
    let (records, results) = whole_show(1, 3, 10);
    let mut reader = reader();
    for (offset, record) in (0..).zip(&records) {
        reader.take(PARTITION, Offset(offset * 3), record.clone());
        // It did not hear of the other engine, and goes on where it was.
        let mut late = record.clone();
        late.fence = Fence(0);
        late.number += 1;
        late.state ^= 1;
        if let Command::Answers { answers, .. } = &mut late.command {
            answers.iter_mut().for_each(|answer| answer.seat = Seat(answer.seat.0 + 1000));
        }
        reader.take(PARTITION, Offset(offset * 3 + 1), late.clone());
        late.number += 1;
        reader.take(PARTITION, Offset(offset * 3 + 2), late);
    }
    let batch = reader.batch();
    assert_tells(&batch, &records, &results);
    assert!(reader.counts().stale >= records.len() as u64, "{:?}", reader.counts());
    assert_eq!(reader.counts().set_aside, 0);
}

#[test]
fn a_journal_that_does_not_replay_is_set_aside_and_stops_no_other() {
    let (mut bad, _) = whole_show(1, 3, 10);
    let (good, results) = whole_show(2, 3, 10);
    let half = bad.len() / 2;
    bad[half].state ^= 1;
    let mut reader = reader();
    for (offset, (bad, good)) in (0..).zip(bad.iter().zip(&good)) {
        reader.take(PARTITION, Offset(2 * offset), bad.clone());
        reader.take(PARTITION, Offset(2 * offset + 1), good.clone());
    }
    let batch = reader.batch();
    assert_eq!(batch.results, [results]);
    let states: Vec<_> = batch.progress.iter().map(|progress| (progress.show.0, progress.state)).collect();
    assert_eq!(states, [(1, JournalState::SetAside), (2, JournalState::Over)]);
    assert_eq!(batch.progress[0].next, half as u64, "what it told before stays");
    assert_eq!(reader.counts().set_aside, 1);
}

#[test]
fn a_record_that_never_comes_is_waited_for_only_so_long() {
    let mut records = open_show(1, 1, 2).records;
    let last = records.pop().unwrap();
    let mut reader = reader();
    let missing = last.number;
    read(&mut reader, 0, &records);
    for more in 1..=MOST_EARLY as u64 {
        assert_eq!(reader.counts().set_aside, 0);
        reader.take(PARTITION, Offset(1_000), Record { number: missing + more, ..last.clone() });
    }
    assert_eq!(reader.counts().set_aside, 0);
    reader.take(PARTITION, Offset(1_000), Record { number: missing + 1 + MOST_EARLY as u64, ..last });
    assert_eq!(reader.counts().set_aside, 1);
}

#[test]
fn a_partition_is_read_again_from_the_first_record_of_a_show_that_goes_on() {
    let goes_on = |show, first| Progress {
        show: ShowId(show),
        partition: PARTITION,
        first: Offset(first),
        next: 5,
        fence: Fence(1),
        state: JournalState::GoesOn,
    };
    let next = Some(Offset(90));
    assert_eq!(reader().assign(PARTITION, None, [], Offset(7)), Offset(7));
    assert_eq!(reader().assign(PARTITION, next, [], Offset(7)), Offset(90));
    assert_eq!(reader().assign(PARTITION, next, [goes_on(1, 50), goes_on(2, 60)], Offset(7)), Offset(50));
    let mut reader = reader();
    assert_eq!(reader.assign(PARTITION, next, [goes_on(1, 50), goes_on(2, 60)], Offset(55)), Offset(60));
    assert_eq!(reader.counts().set_aside, 1, "what is not kept any more can't be played again");
    assert_eq!(reader.batch().progress.len(), 1, "and the archive hears of it");
}

#[test]
fn what_a_partition_told_goes_with_it() {
    let (records, results) = whole_show(1, 1, 3);
    let mut reader = reader();
    read(&mut reader, 0, &records);
    let (others, _) = whole_show(2, 1, 3);
    for (offset, record) in (0..).zip(others) {
        reader.take(Partition(4), Offset(offset), record);
    }
    reader.revoke(Partition(4));
    let batch = reader.batch();
    assert_tells(&batch, &records, &results);
    assert_eq!((batch.offsets.len(), batch.progress.len()), (1, 1));
}

const SECRET: &str = "d1f7a30c96be482537e8c0b4f95d21a6";

#[test]
fn a_sealed_show_is_left_for_the_next_reader_with_the_key_and_holds_up_no_other() {
    let keys = SealKeys::of_secrets(&[SECRET]);
    let (plain, of_plain) = whole_show(1, 2, 4);
    let (records, results) = whole_show(2, 2, 4);
    let sealed: Vec<Record> = records.iter().map(|record| keys.seal_record(record)).collect();
    let both: Vec<&Record> = sealed.iter().zip(&plain).flat_map(|(sealed, plain)| [sealed, plain]).collect();

    let mut without = reader();
    read(&mut without, 0, both.iter().copied());
    let batch = without.batch();
    assert_tells(&batch, &plain, &of_plain);
    assert_eq!(without.counts().set_aside, 0, "nothing is wrong with it");
    let left = *batch.progress.iter().find(|progress| progress.show == ShowId(2)).unwrap();
    assert_eq!((left.state, left.next, left.first), (JournalState::GoesOn, 0, Offset(0)));

    let mut with = ArchiveReader::new("shows", Games::default(), keys);
    let next = Offset(both.len() as i64);
    let from = with.assign(PARTITION, Some(next), [left], Offset(0));
    assert_eq!(from, Offset(0), "it is read from its first record");
    read(&mut with, 0, sealed.iter());
    assert_tells(&with.batch(), &records, &results);
}

#[test]
fn a_sealed_show_that_was_tampered_with_is_set_aside() {
    let keys = SealKeys::of_secrets(&[SECRET]);
    let (records, _) = whole_show(1, 2, 4);
    let sealed: Vec<Record> = records.iter().map(|record| keys.seal_record(record)).collect();
    let mut moved = sealed.clone();
    moved[4].command = sealed[5].command.clone();
    let mut unsealed = sealed.clone();
    unsealed[4] = records[4].clone();
    for tampered in [moved, unsealed] {
        let mut reader = ArchiveReader::new("shows", Games::default(), keys.clone());
        read(&mut reader, 0, &tampered);
        assert_eq!((reader.counts().set_aside, reader.counts().played), (1, 4));
    }
}

#[test]
fn what_an_engine_of_before_the_key_wrote_too_late_is_dropped() {
    let keys = SealKeys::of_secrets(&[SECRET]);
    let (records, results) = whole_show(1, 2, 4);
    let taken_over = records.iter().position(|record| record.fence > Fence(1)).unwrap();
    let mut log: Vec<Record> = records[..taken_over].to_vec();
    log.extend(records[taken_over..].iter().map(|record| keys.seal_record(record)));
    let zombie = Record { number: log[taken_over + 1].number, fence: Fence(1), ..records[taken_over - 1].clone() };
    log.insert(taken_over + 1, zombie);
    let mut reader = ArchiveReader::new("shows", Games::default(), keys);
    read(&mut reader, 0, &log);
    assert_eq!((reader.counts().stale, reader.counts().set_aside), (1, 0));
    assert_eq!(reader.batch().results, [results]);
}
