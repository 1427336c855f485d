//! Shows from their engine to the database, over a real Redis, a real broker and a real PostgreSQL.

use std::path::Path;
use std::time::Duration;

use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_servers::redis::Persistence;
use klaxon_servers::{Broker, Postgres, Storage};
use redis::AsyncCommands;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::super::recorded::{answers_in, whole_show, whole_show_apart};
use super::*;
use crate::journal::kafka::{Forgetting, forget_in_cluster};
use crate::journal::{Journal, KafkaJournal};
use crate::redis::Redis;

async fn start(database: &str, kafka: &Kafka) -> JoinHandle<()> {
    let archive = SqlArchive::open(database).await.unwrap();
    let service =
        ArchiveService::new(archive, Games::default(), SealKeys::default(), kafka, "archive", "reader").unwrap();
    tokio::spawn(service.run(std::future::pending()))
}

/// Has Redis know a lease of each show, and writes a part of them.
async fn write(way: &Redis, journal: &KafkaJournal, shows: &[Vec<klaxon_protocol::journal::Record>]) {
    let mut connection = way.connect().await.unwrap();
    for records in shows {
        for record in records {
            let _: () = connection.hset(way.keys().lease(record.show), "fence", record.fence.0).await.unwrap();
            journal.append(std::slice::from_ref(record)).await.unwrap();
        }
    }
}

async fn journal(way: &Redis, kafka: &Kafka, disk: &Path) -> KafkaJournal {
    KafkaJournal::open(way, kafka.clone(), disk).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_agrees_with_the_journals_though_all_were_killed_in_the_middle() {
    let redis = klaxon_servers::Redis::start(Persistence::None).await.unwrap();
    let mut database = Postgres::start().await.unwrap();
    let mut broker = Broker::start(Storage::Postgres(database.url())).await.unwrap();
    let (way, disk) = (Redis::new(&[redis.url()], "klaxon").unwrap(), TempDir::new().unwrap());
    let kafka = Kafka { partitions: 3, ..Kafka::new(&broker.address(), "journals") };
    let journal = journal(&way, &kafka, disk.path()).await;

    let make = |(show, is_apart)| if is_apart { whole_show_apart(show, 3, 6) } else { whole_show(show, 3, 6) };
    let shows: Vec<_> = [(1, true), (2, false), (7, true), (u64::MAX, true)].into_iter().map(make).collect();
    let part = |from: usize, until: usize| -> Vec<_> {
        shows.iter().map(|(records, _)| records[from.min(records.len())..until.min(records.len())].to_vec()).collect()
    };
    let third = shows[0].0.len() / 3;
    write(&way, &journal, &part(0, third)).await;
    let service = start(&database.url(), &kafka).await;
    broker.process().kill();
    write(&way, &journal, &part(third, 2 * third)).await;
    broker.start_again().await.unwrap();
    journal.flushed().await;
    service.abort();
    let service = start(&database.url(), &kafka).await;
    database.process().kill();
    write(&way, &journal, &part(2 * third, usize::MAX)).await;
    database.start_again().await.unwrap();

    let archive = SqlArchive::open(&database.url()).await.unwrap();
    let all_there = async {
        for (records, results) in &shows {
            while archive.results(results.summary.show).await.ok().flatten().is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let answers = archive.answers(results.summary.show).await.unwrap();
            assert_eq!(answers, answers_in(records));
            assert_eq!(archive.results(results.summary.show).await.unwrap().as_ref(), Some(results));
        }
    };
    tokio::time::timeout(Duration::from_secs(90), all_there).await.expect("all shows come to the database");
    assert_eq!(archive.results(ShowId(3)).await.unwrap(), None);
    service.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_in_kafka_is_named_by_no_archive_that_reads_it_later() {
    let redis = klaxon_servers::Redis::start(Persistence::None).await.unwrap();
    let broker = Broker::start(Storage::Memory).await.unwrap();
    let (way, disk) = (Redis::new(&[redis.url()], "klaxon").unwrap(), TempDir::new().unwrap());
    let kafka = Kafka::new(&broker.address(), "journals");
    let keys = SealKeys::of_secrets(&["6a1e94c05bd27f38e6097c1b4fa8d253"]);
    let (records, results) = whole_show_apart(7, 1, 3);
    let show = results.summary.show;
    let sealed: Vec<_> = records.iter().map(|record| keys.seal_record(record)).collect();
    let journal = journal(&way, &kafka, disk.path()).await;
    write(&way, &journal, &[sealed]).await;
    journal.flushed().await;
    let player = PlayerId::parse("player 1").unwrap();
    let forgetting = Forgetting { player: player.clone(), show: None, keys: keys.clone() };
    assert_eq!(forget_in_cluster(Some(&kafka), None, &forgetting).await.unwrap().kafka.records, 1);

    let archive = SqlArchive::open_file(&disk.path().join("archive.sqlite")).await.unwrap();
    let service = ArchiveService::new(archive.clone(), Games::default(), keys, &kafka, "archive", "reader").unwrap();
    let service = tokio::spawn(service.run(std::future::pending()));
    let read = async {
        loop {
            match archive.results(show).await.unwrap() {
                Some(results) => return results,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(60), read).await.expect("the show comes to the database");
    service.abort();
    assert_eq!(read.players.len(), 3);
    for (read, played) in read.players.iter().zip(&results.players) {
        if played.player == player {
            assert_eq!((read.player.as_str(), read.name.as_str()), ("forgotten-7-1", "Player 2"));
        } else {
            assert_eq!(read, played);
        }
    }
}
