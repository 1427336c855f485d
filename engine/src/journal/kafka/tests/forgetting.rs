//! Who is who in a cluster is taken out of Kafka, of Redis and of the spool, and does not come back.

use std::collections::BTreeSet;

use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::journal::Record;
use klaxon_servers::redis::Persistence;
use klaxon_servers::{Postgres, Storage};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::Message;

use super::house::House;
use crate::journal::contract::{name_of, seated, sit};
use crate::journal::kafka::scan::{Messages, for_each_message};
use crate::journal::kafka::{ForgetError, Forgetting, Kafka, ScanError, forget_in_cluster, read_show};
use crate::journal::{FileJournal, Journal, SyncPolicy};
use crate::seal::{SealKeys, open_records};

const SHOW: ShowId = ShowId(77);
const OTHER: ShowId = ShowId(5);
const ANN: &str = "ann@unusual.org";
const BOB: &str = "bob@unusual.org";

fn keys() -> SealKeys {
    SealKeys::of_secrets(&["6a1e94c05bd27f38e6097c1b4fa8d253"])
}

fn forgetting(show: Option<ShowId>, keys: &SealKeys) -> Forgetting {
    Forgetting { player: PlayerId::parse(ANN).unwrap(), show, keys: keys.clone() }
}

fn both_sit(show: ShowId, keys: &SealKeys) -> Vec<Record> {
    [sit(show, 0, 1, ANN), sit(show, 1, 1, BOB)].iter().map(|record| keys.seal_record(record)).collect()
}

fn both() -> [Option<String>; 2] {
    [ANN, BOB].map(|player| Some(player.to_owned()))
}

fn only_bob() -> [Option<String>; 2] {
    [None, Some(BOB.to_owned())]
}

async fn names(house: &House, show: ShowId, keys: &SealKeys) -> Vec<Option<String>> {
    seated(&open_records(keys, read_show(&house.kafka(), show).await.unwrap()).unwrap())
}

/// What the topic of what stands apart has: the key and the payload of each message.
async fn messages(kafka: &Kafka) -> Vec<(String, Option<Vec<u8>>)> {
    let kafka = kafka.clone();
    let read = move || {
        let mut messages = Vec::new();
        for_each_message(&kafka, &kafka.people_topic, Messages::All, |message| {
            let key = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
            messages.push((key, message.payload().map(<[u8]>::to_vec)));
            Ok(())
        })
        .unwrap();
        messages
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

fn name_ann(messages: &[(String, Option<Vec<u8>>)]) -> bool {
    let name = name_of(ANN);
    let names = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    messages.iter().flat_map(|(_, payload)| payload).any(|bytes| names(bytes, ANN) || names(bytes, name.as_str()))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_is_so_in_kafka_in_redis_and_in_the_spool() {
    for keys in [SealKeys::default(), keys()] {
        let house = House::new().await;
        let journal = house.journal(0).await;
        for show in [SHOW, OTHER] {
            house.lease(show, 1).await;
            journal.append(&both_sit(show, &keys)).await.unwrap();
        }
        journal.flushed().await;
        drop(journal);
        let kafka = house.kafka();
        let done = forget_in_cluster(Some(&kafka), None, &forgetting(Some(SHOW), &keys)).await.unwrap().kafka;
        assert_eq!((done.records, done.shows, done.unread), (1, BTreeSet::from([SHOW]), vec![]));
        assert_eq!(names(&house, SHOW, &keys).await, only_bob());
        assert_eq!(names(&house, OTHER, &keys).await, both());
        let done = forget_in_cluster(Some(&kafka), Some(&house.way), &forgetting(None, &keys)).await.unwrap();
        assert_eq!((done.kafka.records, done.kafka.shows), (1, BTreeSet::from([OTHER])), "only where they still were");
        assert_eq!((done.redis.records, done.redis.shows), (2, BTreeSet::from([SHOW, OTHER])));
        assert_eq!(done.not_uploaded, 0);
        assert_eq!(names(&house, OTHER, &keys).await, only_bob());

        let spool = FileJournal::open(house.disk(0), SyncPolicy::Always).await.unwrap();
        let done = spool.forget(&PlayerId::parse(ANN).unwrap(), None, &keys).await.unwrap();
        assert_eq!((done.records, done.unread), (2, vec![]));
        let journal = house.journal(0).await;
        assert_eq!(seated(&open_records(&keys, journal.read(SHOW).await.unwrap().records).unwrap()), only_bob());
        if !keys.is_empty() {
            let blind = forget_in_cluster(Some(&kafka), None, &forgetting(None, &SealKeys::default())).await.unwrap();
            assert_eq!(blind.kafka.unread.len(), 2, "it can't tell whom they are about");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_was_not_named_uploads_nobody_who_was_forgotten_meanwhile() {
    for keys in [SealKeys::default(), keys()] {
        let mut house = House::without_kafka(Persistence::None).await;
        house.lease(SHOW, 1).await;
        let journal = house.journal(0).await;
        journal.append(&both_sit(SHOW, &keys)).await.unwrap();
        // The engine is gone, and its spool has both. Kafka never had anybody.
        drop(journal);
        house.start_kafka(Storage::Memory).await;
        house.kafka().make_topics().await.unwrap();
        let forgetting = forgetting(None, &keys);
        let done = forget_in_cluster(Some(&house.kafka()), Some(&house.way), &forgetting).await.unwrap();
        assert_eq!((done.kafka.records, done.redis.records, done.not_uploaded), (0, 1, 1));
        let journal = house.journal(0).await;
        journal.flushed().await;
        assert_eq!(names(&house, SHOW, &keys).await, only_bob());
        let messages = messages(&house.kafka()).await;
        assert_eq!(messages.iter().filter(|(_, payload)| payload.is_some()).count(), 1);
        assert!(!name_ann(&messages));
        let done = forget_in_cluster(Some(&house.kafka()), Some(&house.way), &forgetting).await.unwrap();
        assert_eq!((done.kafka.records, done.redis.records, done.not_uploaded), (0, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_starts_again_with_a_show_half_uploaded_sends_no_person_over_a_tombstone() {
    let keys = SealKeys::default();
    let house = House::new().await;
    house.lease(SHOW, 1).await;
    let journal = house.journal(0).await;
    journal.append(&both_sit(SHOW, &keys)).await.unwrap();
    journal.flushed().await;
    drop(journal);
    let done = forget_in_cluster(Some(&house.kafka()), Some(&house.way), &forgetting(None, &keys)).await.unwrap();
    assert_eq!((done.kafka.records, done.redis.records, done.not_uploaded), (1, 1, 0));
    // Without its progress in Redis the engine uploads the whole file once more.
    let mut connection = house.way.connect().await.unwrap();
    let _: () = redis::AsyncCommands::del(&mut connection, house.way.keys().shipped(SHOW)).await.unwrap();
    let journal = house.journal(0).await;
    journal.append(&[sit(SHOW, 2, 1, "cid")]).await.unwrap();
    journal.flushed().await;
    assert_eq!(names(&house, SHOW, &keys).await, [&only_bob()[..], &[Some("cid".to_owned())]].concat());
    let messages = messages(&house.kafka()).await;
    let of_ann: Vec<bool> =
        messages.iter().filter(|(key, _)| key == "77-0-1").map(|(_, payload)| payload.is_some()).collect();
    assert_eq!(of_ann[..2], [true, false]);
    assert!(!of_ann[2..].contains(&true), "nothing but tombstones since");
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_in_a_topic_that_is_not_there_is_an_error() {
    let house = House::new().await;
    let kafka = house.kafka().with_people_topic(Some("misspelt"));
    house.kafka().make_topics().await.unwrap();
    let done = forget_in_cluster(Some(&kafka), Some(&house.way), &forgetting(None, &SealKeys::default())).await;
    assert!(matches!(&done, Err(ForgetError::Kafka(ScanError::NoTopic(topic))) if topic == "misspelt"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_without_compaction_is_told_of() {
    let house = House::new().await;
    let kafka = house.kafka();
    let mut config = rdkafka::ClientConfig::new();
    let client: AdminClient<DefaultClientContext> = config.set("bootstrap.servers", &kafka.brokers).create().unwrap();
    let other = NewTopic::new("other", 1, TopicReplication::Fixed(1)).set("cleanup.policy", "delete");
    client.create_topics([&other], &AdminOptions::new()).await.unwrap().remove(0).unwrap();
    kafka.make_topics().await.unwrap();
    assert_eq!(kafka.people_topic_problems().await.unwrap(), [""; 0]);
    let problems = kafka.with_people_topic(Some("other")).people_topic_problems().await.unwrap();
    assert!(problems[0].contains("without cleanup.policy=compact"), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_itself_drops_who_is_forgotten_when_it_compacts() {
    let database = Postgres::start().await.unwrap();
    let mut house = House::without_kafka(Persistence::None).await;
    house.start_kafka(Storage::Postgres(database.url())).await;
    house.lease(SHOW, 1).await;
    let journal = house.journal(0).await;
    let keys = SealKeys::default();
    journal.append(&both_sit(SHOW, &keys)).await.unwrap();
    journal.flushed().await;
    assert!(name_ann(&messages(&house.kafka()).await));
    forget_in_cluster(Some(&house.kafka()), Some(&house.way), &forgetting(None, &keys)).await.unwrap();
    assert!(name_ann(&messages(&house.kafka()).await), "until then the bytes are there");
    // This broker compacts when it starts, and every ten minutes.
    let broker = house.broker.as_mut().unwrap();
    broker.process().kill();
    broker.start_again().await.unwrap();
    house.until("it has compacted", async |house| !name_ann(&messages(&house.kafka()).await)).await;
    assert_eq!(names(&house, SHOW, &keys).await, only_bob());
}
