use std::collections::BTreeSet;
use std::path::Path;

use klaxon_protocol::ids::Fence;
#[cfg(feature = "cluster")]
use klaxon_servers::{MariaDb, Postgres};
use tempfile::TempDir;

use super::super::recorded::{answers_in, open_show, whole_show};
use super::*;
use crate::archive::sql::{ArchivedAnswer, JournalState, Progress};
use crate::archive::{Archive, ShowResults};

const TOPIC: &str = "shows";
const PARTITION: Partition = Partition(0);
/// How many records are read between two writes.
const STRIDE: i64 = 7;

/// All that a database holds of a topic.
#[derive(Debug, PartialEq)]
struct Held {
    results: Vec<Option<ShowResults>>,
    answers: Vec<Vec<ArchivedAnswer>>,
    progress: Vec<Option<Progress>>,
    offsets: Vec<(Partition, Offset)>,
}

async fn held(archive: &SqlArchive, log: &[Record]) -> Held {
    let shows: BTreeSet<ShowId> = log.iter().map(|record| record.show).collect();
    let offsets = archive.offsets(TOPIC).await.unwrap();
    let mut held = Held { results: Vec::new(), answers: Vec::new(), progress: Vec::new(), offsets };
    for show in shows {
        held.results.push(archive.results(show).await.unwrap());
        held.answers.push(archive.answers(show).await.unwrap());
        held.progress.push(archive.progress(TOPIC, show).await.unwrap());
    }
    held
}

/// Two shows that are over, one that goes on and one that does not replay, in one partition, with repetitions and what an engine
/// wrote that had lost its show.
fn log() -> Vec<Record> {
    let (first, _) = whole_show(1, 2, 5);
    let (second, _) = whole_show(u64::MAX, 3, 4);
    let third = open_show(3, 1, 3).records;
    let mut bad = whole_show(4, 1, 3).0;
    bad[6].state ^= 1;
    let longest = second.len().max(first.len());
    let mut log: Vec<Record> = Vec::new();
    for turn in 0..longest {
        // The second begins when the first is half over.
        let second = turn.checked_sub(first.len() / 2).and_then(|turn| second.get(turn));
        for record in [first.get(turn), second, third.get(turn), bad.get(turn)].into_iter().flatten() {
            log.push(record.clone());
            if turn % 5 == 4 {
                log.push(record.clone());
                let mut zombie = record.clone();
                (zombie.number, zombie.fence) = (record.number + 1, Fence(0));
                log.push(zombie);
            }
            if turn % 6 == 5 {
                let back = log.len() / 2;
                log.push(log[back].clone());
            }
        }
    }
    let rest = second[longest - first.len() / 2..].to_vec();
    log.extend(rest);
    log
}

/// Reads the log from where the archive says, as far as `until`, writing now and then; what is read after the last write is lost
/// with the reader.
async fn read(archive: &SqlArchive, log: &[Record], until: usize) -> Result<Ingestion, ArchiveError> {
    let mut ingestion = Ingestion::new(archive.clone(), TOPIC, Games::default(), SealKeys::default());
    let from = ingestion.assign(PARTITION, Offset(0)).await?;
    for (offset, record) in (0..).zip(&log[..until]).skip(usize::try_from(from.0).unwrap()) {
        ingestion.take(PARTITION, Offset(offset), record).await?;
        if offset % STRIDE == STRIDE - 1 {
            ingestion.write().await?;
        }
    }
    Ok(ingestion)
}

async fn open(directory: &Path) -> SqlArchive {
    SqlArchive::open_file(&directory.join("archive.db")).await.unwrap()
}

/// What a database holds that has read the log in one go.
async fn held_undisturbed(log: &[Record]) -> Held {
    let directory = TempDir::new().unwrap();
    let archive = open(directory.path()).await;
    read(&archive, log, log.len()).await.unwrap().write().await.unwrap();
    held(&archive, log).await
}

#[tokio::test]
async fn the_database_agrees_with_the_journals_to_the_last_prize() {
    let log = log();
    let held = held_undisturbed(&log).await;
    let ((first, of_first), (second, of_second)) = (whole_show(1, 2, 5), whole_show(u64::MAX, 3, 4));
    assert_eq!(held.results, [Some(of_first), None, None, Some(of_second)]);
    assert_eq!(held.answers[0], answers_in(&first));
    assert_eq!(held.answers[1], answers_in(&open_show(3, 1, 3).records));
    assert_eq!(held.answers[3], answers_in(&second));
    let states: Vec<_> = held.progress.iter().flatten().map(|progress| progress.state).collect();
    assert_eq!(states, [JournalState::Over, JournalState::GoesOn, JournalState::SetAside, JournalState::Over]);
    assert_eq!(held.offsets, [(PARTITION, Offset(log.len() as i64))]);
}

#[tokio::test]
async fn a_crash_anywhere_leaves_the_same_tables_in_the_end() {
    let log = log();
    let wanted = held_undisturbed(&log).await;
    for crash in 0..=log.len() {
        let directory = TempDir::new().unwrap();
        let archive = open(directory.path()).await;
        drop(read(&archive, &log, crash).await.unwrap());
        drop(read(&archive, &log, (crash + 5).min(log.len())).await.unwrap());
        read(&archive, &log, log.len()).await.unwrap().write().await.unwrap();
        assert_eq!(held(&archive, &log).await, wanted, "after a crash before record {crash}");
    }
}

#[tokio::test]
async fn a_batch_written_twice_or_late_changes_nothing() {
    let (records, results) = whole_show(1, 2, 5);
    let directory = TempDir::new().unwrap();
    let archive = open(directory.path()).await;
    let mut reader = ArchiveReader::new(TOPIC, Games::default(), SealKeys::default());
    let mut batches = Vec::new();
    for (offset, record) in (0..).zip(&records) {
        reader.take(PARTITION, Offset(offset), record.clone());
        batches.push(reader.batch());
    }
    for batch in &batches {
        archive.ingest(batch).await.unwrap();
        archive.ingest(batch).await.unwrap();
    }
    let wanted = held(&archive, &records).await;
    for late in &batches {
        archive.ingest(late).await.unwrap();
    }
    assert_eq!(held(&archive, &records).await, wanted);
    assert_eq!(wanted.results, [Some(results)]);
}

#[tokio::test]
async fn results_that_the_archive_refuses_are_set_aside_and_stop_nothing_else() {
    let (records, results) = whole_show(1, 1, 3);
    let (others, of_others) = whole_show(2, 1, 3);
    let directory = TempDir::new().unwrap();
    let archive = open(directory.path()).await;
    let mut ingestion = Ingestion::new(archive.clone(), TOPIC, Games::default(), SealKeys::default());
    for (offset, record) in (0..).zip(records.iter().chain(&others)) {
        ingestion.take(PARTITION, Offset(offset), record).await.unwrap();
    }
    let mut batch = ingestion.reader.batch();
    batch.results[0].players[1].seat = results.players[0].seat;
    ingestion.unwritten = Some(batch);
    ingestion.write().await.unwrap();
    assert_eq!(ingestion.counts().set_aside, 1);
    assert_eq!(archive.show(ShowId(1)).await.unwrap(), None);
    assert_eq!(archive.results(ShowId(2)).await.unwrap(), Some(of_others));
    let progress = archive.progress(TOPIC, ShowId(1)).await.unwrap().unwrap();
    assert_eq!(progress.state, JournalState::SetAside);
    assert_eq!(archive.answers(ShowId(1)).await.unwrap(), answers_in(&records));
}

/// Reads the log into a real server that is killed (-9) twice while it writes.
#[cfg(feature = "cluster")]
macro_rules! killed_in_the_middle {
    ($server:ident) => {{
        let log = log();
        let wanted = held_undisturbed(&log).await;
        let mut server = $server::start().await.unwrap();
        let url = server.url();
        for kill in [log.len() / 3, log.len() / 2] {
            let archive = SqlArchive::open(&url).await.unwrap();
            let mut ingestion = read(&archive, &log, kill).await.unwrap();
            let writing = tokio::spawn(async move { ingestion.write().await });
            tokio::task::yield_now().await;
            server.process().kill();
            drop(writing.await.unwrap());
            archive.close().await;
            server.start_again().await.unwrap();
        }
        let archive = SqlArchive::open(&url).await.unwrap();
        read(&archive, &log, log.len()).await.unwrap().write().await.unwrap();
        assert_eq!(held(&archive, &log).await, wanted);
    }};
}

#[cfg(feature = "cluster")]
#[tokio::test]
async fn postgres_killed_in_the_middle_has_the_same_tables_in_the_end() {
    killed_in_the_middle!(Postgres);
}

#[cfg(feature = "cluster")]
#[tokio::test]
async fn mariadb_killed_in_the_middle_has_the_same_tables_in_the_end() {
    killed_in_the_middle!(MariaDb);
}
