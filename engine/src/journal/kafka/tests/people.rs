//! Who is who in a cluster: kept beside the journal in Redis, in the spool and in Kafka.

use std::path::Path;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::{Record, frame_record};
use klaxon_servers::Storage;
use klaxon_servers::redis::Persistence;
use redis::AsyncCommands;
use redis::streams::StreamRangeReply;

use super::house::House;
use crate::journal::Journal;
use crate::journal::contract::{name_of, record, seated, sit};
use crate::journal::kafka::KafkaJournal;
use crate::seal::{SealKeys, open_records};

const SHOW: ShowId = ShowId(77);
const ANN: &str = "ann@unusual.org";
const BOB: &str = "bob@unusual.org";

fn show(fence: u64) -> Vec<Record> {
    vec![record(SHOW, 0, fence), sit(SHOW, 1, fence, ANN), record(SHOW, 2, fence), sit(SHOW, 3, fence, BOB)]
}

fn both() -> [Option<String>; 2] {
    [ANN, BOB].map(|player| Some(player.to_owned()))
}

fn names_somebody(bytes: &[u8]) -> bool {
    let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    [ANN, BOB].iter().any(|player| has(player) || has(name_of(player).as_str()))
}

async fn in_redis(house: &House) -> (Vec<u8>, usize) {
    let mut connection = house.way.connect().await.unwrap();
    let page: StreamRangeReply = connection.xrange_all(house.way.keys().journal(SHOW)).await.unwrap();
    let entries = page.ids.iter().flat_map(|entry| entry.map.values());
    let bytes = entries.flat_map(|value| redis::from_redis_value::<Vec<u8>>(value.clone()).unwrap());
    (bytes.collect(), connection.hlen(house.way.keys().people(SHOW)).await.unwrap())
}

fn files(directory: &Path, extension: &str) -> Vec<u8> {
    std::fs::read(directory.join(format!("{SHOW}.{extension}"))).unwrap_or_default()
}

/// The records in Kafka as they are there.
fn framed(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    records.iter().for_each(|record| frame_record(record, &mut bytes).unwrap());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_journal_names_anybody_and_each_place_knows_who_is_who() {
    for keys in [SealKeys::default(), SealKeys::of_secrets(&["6a1e94c05bd27f38e6097c1b4fa8d253"])] {
        let house = House::new().await;
        house.lease(SHOW, 1).await;
        let journal = house.journal(0).await;
        let records: Vec<Record> = show(1).iter().map(|record| keys.seal_record(record)).collect();
        journal.append(&records).await.unwrap();
        let (stream, persons) = in_redis(&house).await;
        assert!(!stream.is_empty() && !names_somebody(&stream));
        assert_eq!(persons, 2);
        let (spooled, people) = (files(house.disk(0), "klxj"), files(house.disk(0), "klxp"));
        assert!(!spooled.is_empty() && !names_somebody(&spooled));
        assert_eq!(names_somebody(&people), keys.is_empty(), "who is who is sealed, too");
        journal.flushed().await;
        let in_kafka = house.in_kafka(SHOW).await;
        assert!(!names_somebody(&framed(&in_kafka)));
        for records in [in_kafka, journal.read(SHOW).await.unwrap().records] {
            assert_eq!(seated(&open_records(&keys, records).unwrap()), both());
        }
        // Once the show is over and Kafka has it, neither Redis nor the spool has anybody.
        journal.retire(SHOW, klaxon_protocol::ids::Fence(1)).await.unwrap();
        house.until("nothing is left", async |house| in_redis(house).await == (vec![], 0)).await;
        house.until("the spool is empty", async |house| files(house.disk(0), "klxp").is_empty()).await;
        assert_eq!(seated(&open_records(&keys, journal.read(SHOW).await.unwrap().records).unwrap()), both());
    }
}

async fn lose_redis(house: &mut House, fence: u64) {
    house.redis.process().kill();
    house.redis.start_again().await.unwrap();
    house.lease(SHOW, fence).await;
}

async fn names_after_takeover(journal: &KafkaJournal) -> Vec<Option<String>> {
    seated(&journal.read(SHOW).await.unwrap().records)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_keeps_names_from_redis_from_kafka_and_from_the_spool() {
    let mut house = House::without_kafka(Persistence::None).await;
    house.lease(SHOW, 1).await;
    let first = house.journal(0).await;
    first.append(&show(1)).await.unwrap();
    // From Redis, by an engine that has none of it on its disk.
    let second = house.journal(1).await;
    house.lease(SHOW, 2).await;
    assert_eq!(names_after_takeover(&second).await, both());
    second.append(&[sit(SHOW, 4, 2, "cid")]).await.unwrap();
    let three = [&both()[..], &[Some("cid".to_owned())]].concat();
    // From its spool: Redis lost everything, and Kafka has nothing yet.
    lose_redis(&mut house, 3).await;
    drop(second);
    let second = house.journal(1).await;
    assert_eq!(names_after_takeover(&second).await, three);
    // What Redis lost is written to it again, with names.
    second.append(&[sit(SHOW, 5, 3, "dan")]).await.unwrap();
    assert_eq!(in_redis(&house).await.1, 4);
    house.start_kafka(Storage::Memory).await;
    second.flushed().await;
    // From Kafka, by an engine whose disk is empty.
    lose_redis(&mut house, 4).await;
    drop((first, second));
    std::fs::remove_dir_all(house.disk(0)).unwrap();
    let four = [&three[..], &[Some("dan".to_owned())]].concat();
    assert_eq!(names_after_takeover(&house.journal(0).await).await, four);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_dies_between_a_person_and_the_record_leaves_nobody_unnamed() {
    let house = House::new().await;
    house.lease(SHOW, 1).await;
    let all: Vec<Record> = (0..3_000).map(|number| sit(SHOW, number, 1, &format!("p{number}"))).collect();
    let named = |records: &[Record]| seated(records).iter().all(Option::is_some);
    let first = house.journal(0).await;
    for records in all.chunks(50) {
        first.append(records).await.unwrap();
    }
    drop(first);
    // Some persons are there whose records are not; of no record the person is missing.
    let before = house.in_kafka(SHOW).await;
    assert!(named(&before) && before.len() < all.len());
    let second = house.journal(1).await;
    house.lease(SHOW, 2).await;
    second.append(&[sit(SHOW, 3_000, 2, "last")]).await.unwrap();
    second.flushed().await;
    let after = house.in_kafka(SHOW).await;
    assert_eq!(after, [&all[..], &[sit(SHOW, 3_000, 2, "last")]].concat());
    assert!(named(&after));
}

/// Changes a byte of the second of the persons in the spool of engine 0. Returns the file as it is then.
fn damage(house: &House) -> Vec<u8> {
    let file = house.disk(0).join(format!("{SHOW}.klxp"));
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(BOB.len()).position(|part| part == BOB.as_bytes()).unwrap();
    bytes[at] ^= 1;
    std::fs::write(file, &bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_in_the_spool_is_restored_from_redis_or_else_set_aside_and_the_show_goes_to_kafka() {
    for redis_has_it in [true, false] {
        let mut house = House::without_kafka(Persistence::None).await;
        house.lease(SHOW, 1).await;
        let journal = house.journal(0).await;
        journal.append(&show(1)).await.unwrap();
        journal.append(&[sit(SHOW, 4, 1, "cid")]).await.unwrap();
        drop(journal);
        let damaged = damage(&house);
        if !redis_has_it {
            lose_redis(&mut house, 1).await;
        }
        house.start_kafka(Storage::Memory).await;
        let journal = house.journal(0).await;
        journal.flushed().await;
        let [ann, bob] = both();
        let cid = Some("cid".to_owned());
        let names = if redis_has_it { vec![ann, bob, cid] } else { vec![ann, None, None] };
        assert_eq!(seated(&house.in_kafka(SHOW).await), names);
        let aside = files(house.disk(0), "klxp-damaged");
        assert_eq!(aside, if redis_has_it { vec![] } else { damaged }, "not a byte is lost");
        // It goes on.
        journal.append(&[sit(SHOW, 5, 1, "dan")]).await.unwrap();
        journal.flushed().await;
        assert_eq!(seated(&house.in_kafka(SHOW).await), [names, vec![Some("dan".to_owned())]].concat());
    }
}
