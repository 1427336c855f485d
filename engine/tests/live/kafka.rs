//! A show whose journal is sealed in Redis and on Kafka, beside the same show's journal on disk.

use std::sync::Arc;

use async_trait::async_trait;
use klaxon_engine::game::Games;
use klaxon_engine::journal::kafka::{Kafka, read_show};
use klaxon_engine::journal::{FileJournal, Journal, JournalError, KafkaJournal, Restored, SealedJournal, SyncPolicy};
use klaxon_engine::redis::Redis;
use klaxon_engine::replay::replay;
use klaxon_engine::seal::{SealKeys, open_records};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::Record;
use klaxon_protocol::register::as_files;
use klaxon_servers::redis::Persistence;
use klaxon_servers::{Broker, Storage};
use redis::AsyncCommands;
use tempfile::TempDir;

use crate::house::{House, settings};

/// Writes to both.
struct Both {
    kafka: Arc<KafkaJournal>,
    sealed: SealedJournal<KafkaJournal>,
    file: FileJournal,
    way: Redis,
}

#[async_trait]
impl Journal for Both {
    fn keeps_apart(&self) -> bool {
        self.sealed.keeps_apart()
    }

    async fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        // As an arbiter on Redis would have it.
        let mut connection = self.way.connect().await.unwrap();
        for record in records {
            let lease = self.way.keys().lease(record.show);
            let _: () = connection.hset(lease, "fence", record.fence.0).await.unwrap();
        }
        self.sealed.append(records).await?;
        self.file.append(records).await
    }

    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError> {
        self.sealed.first(show).await
    }

    async fn read(&self, show: ShowId) -> Result<Restored, JournalError> {
        self.sealed.read(show).await
    }

    async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        self.sealed.shows().await
    }

    async fn retire(&self, show: ShowId, fence: Fence) -> Result<(), JournalError> {
        self.sealed.retire(show, fence).await
    }

    async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        self.sealed.tail(show, last).await
    }
}

fn keys() -> SealKeys {
    SealKeys::of_secrets(&["b8d04e6f13c72a95e1806d4bfa2973c5"])
}

async fn both(data: &TempDir, way: &Redis, kafka: &Kafka) -> Both {
    let spool = data.path().join("spool");
    let kafka = loop {
        match KafkaJournal::open(way, kafka.clone(), &spool).await {
            Ok(journal) => break Arc::new(journal),
            // The engine before it is just leaving.
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let file = FileJournal::open(&data.path().join("journal"), SyncPolicy::Never).await.unwrap();
    let sealed = SealedJournal::new(Arc::clone(&kafka), keys());
    Both { kafka, sealed, file, way: way.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_show_replayed_from_kafka_is_the_show_replayed_from_a_file() {
    let redis = klaxon_servers::Redis::start(Persistence::None).await.unwrap();
    let broker = Broker::start(Storage::Memory).await.unwrap();
    let way = Redis::new(&[redis.url()], "klaxon").unwrap();
    let kafka = Kafka::new(&broker.address(), "journals");
    let data = TempDir::new().unwrap();
    let mut house = House::open_with(data.path(), both(&data, &way, &kafka).await).await;
    let show = house.lobby(settings(), 2).await;
    for player in 0..3 {
        house.join(player).await;
    }
    house.command(show, "next", Action::Next).await;
    house.answer(show, 1, house.clock.now(), &[(0, 1), (1, 0)]);
    house.verdicts().await;
    // The next engine takes the show over from Redis.
    house.crash().await;
    let mut house = House::open_with(data.path(), both(&data, &way, &kafka).await).await;
    house.join(0).await;
    house.answer(show, 1, house.clock.now(), &[(2, 1)]);
    house.verdicts().await;
    house.command(show, "end", Action::End { pay: true }).await;
    house.stop().await;
    let journal = both(&data, &way, &kafka).await;
    journal.kafka.flushed().await;

    let sealed = read_show(&kafka, show).await.unwrap();
    let (sealed_bytes, _) = as_files(&sealed).unwrap();
    let secret = b"Question 2?";
    assert!(!sealed_bytes.windows(secret.len()).any(|window| window == secret), "it was never asked");
    let (from_kafka, people) = as_files(&open_records(&keys(), sealed).unwrap()).unwrap();
    assert!(from_kafka.windows(secret.len()).any(|window| window == secret));
    assert_eq!(from_kafka, std::fs::read(data.path().join(format!("journal/{show}.klxj"))).unwrap());
    assert_eq!(people, std::fs::read(data.path().join(format!("journal/{show}.klxp"))).unwrap());
    assert!(people.len() > 6, "who is who stands apart");
    let mut records = 0;
    replay(&Games::default(), &from_kafka, |_, _| records += 1).unwrap();
    assert!(records > 8, "{records} records");
}
