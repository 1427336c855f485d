//! An archive's reader of who is who: where it begins, how much it keeps, and whom it does not name.

use std::time::Duration;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::{Record, frame_record};
use klaxon_protocol::time::Millis;
use klaxon_servers::redis::Persistence;
use klaxon_servers::{Postgres, Storage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::house::House;
use crate::journal::contract::{seated, sit};
use crate::journal::kafka::Kafka;
use crate::journal::kafka::people::PersonKey;
use crate::journal::kafka::people_reader::{CLOCKS_DIFFER, PeopleReader, ReadAhead};
use crate::journal::kafka::topic::partition_of;

const SHOW: ShowId = ShowId(77);
/// 2026-11-29.
const NOW: u64 = 1_795_910_400_000;

/// A record by which this player takes a seat at this time.
fn sat(show: ShowId, number: u64, at: u64, player: &str) -> Record {
    Record { at: Millis(at), ..sit(show, number, 1, player) }
}

/// Sends the person of each record, or with `false` its tombstone, each at this time.
async fn send(kafka: &Kafka, messages: Vec<(Record, bool, u64)>) {
    let kafka = kafka.clone();
    let sending = move || {
        // The tests' broker, when it keeps messages in memory, sends none to who begins in the middle of a batch.
        let producer: BaseProducer = kafka.producing().set("batch.num.messages", "1").create().unwrap();
        for (record, is_person, time) in messages {
            let person = record.apart().unwrap();
            let (key, mut framed) = (PersonKey::of(&person).text(), Vec::new());
            frame_record(&person, &mut framed).unwrap();
            let partition = partition_of(record.show, i32::from(kafka.partitions));
            let message = BaseRecord::to(&kafka.people_topic).key(&key).partition(partition);
            let message = message.timestamp(i64::try_from(time).unwrap());
            let message = if is_person { message.payload(&framed) } else { message };
            producer.send(message).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(Duration::from_secs(10)).unwrap();
    };
    tokio::task::spawn_blocking(sending).await.unwrap();
}

/// Whom the reader names for this record, which comes to it without its person.
async fn named(reader: &PeopleReader, record: &Record) -> Option<String> {
    let mut bare = record.clone();
    if let klaxon_protocol::journal::Command::Sit { who, .. } = &mut bare.command {
        *who = klaxon_protocol::apart::Apart::unknown();
    }
    assert_eq!(seated(&[bare.clone()]), [None]);
    seated(&[reader.fill(bare).await.unwrap()]).remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_begins_at_the_time_of_the_record_that_is_asked_for() {
    let database = Postgres::start().await.unwrap();
    let mut house = House::without_kafka(Persistence::None).await;
    house.start_kafka(Storage::Postgres(database.url())).await;
    let kafka = house.kafka();
    kafka.make_topics().await.unwrap();
    let [long_ago, lately, older] = [1, 2, 3].map(|number| sat(SHOW, number, NOW, &format!("p{number}")));
    let older = Record { at: Millis(NOW - 4 * CLOCKS_DIFFER), ..older };
    let sent = [
        (long_ago.clone(), true, NOW - 2 * CLOCKS_DIFFER),
        (older.clone(), true, NOW - 2 * CLOCKS_DIFFER + 1),
        (lately.clone(), true, NOW - CLOCKS_DIFFER / 2),
    ];
    send(&kafka, sent.to_vec()).await;
    let reader = PeopleReader::new(&kafka);
    assert_eq!(named(&reader, &lately).await.as_deref(), Some("p2"));
    assert_eq!(named(&reader, &long_ago).await, None, "no person's message is so much older than the record");
    assert_eq!(named(&reader, &older).await.as_deref(), Some("p3"), "for an older record reading begins anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_persons_than_the_limit_are_kept_and_each_is_found() {
    let house = House::new().await;
    let kafka = Kafka { partitions: 1, ..house.kafka() };
    kafka.make_topics().await.unwrap();
    // Of two shows, one after another; the journals have them in turns.
    let shows: [Vec<Record>; 2] =
        [1, 2].map(|show| (0..40).map(|number| sat(ShowId(show), number, NOW, &format!("{show}-{number}"))).collect());
    send(&kafka, shows.concat().into_iter().map(|record| (record, true, NOW)).collect()).await;
    let limits = ReadAhead { messages: 5, people: 10 };
    let reader = PeopleReader::limited(&kafka, limits);
    for (one, other) in shows[0].iter().zip(&shows[1]) {
        for record in [one, other] {
            assert_eq!(named(&reader, record).await, seated(std::slice::from_ref(record))[0]);
            assert!(reader.kept() <= limits.people, "{}", reader.kept());
        }
    }
    reader.restart();
    assert_eq!(named(&reader, &shows[1][0]).await.as_deref(), Some("2-0"), "the journals are read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tombstone_counts_however_far_behind_it_is_and_whatever_is_sent_after_it() {
    let house = House::new().await;
    let kafka = Kafka { partitions: 1, ..house.kafka() };
    kafka.make_topics().await.unwrap();
    let records: Vec<Record> = (0..40).map(|number| sat(SHOW, number, NOW, &format!("p{number}"))).collect();
    let mut sent: Vec<_> = records.iter().map(|record| (record.clone(), true, NOW)).collect();
    sent.extend([(records[0].clone(), false, NOW), (records[7].clone(), false, NOW), (records[7].clone(), true, NOW)]);
    send(&kafka, sent).await;
    let reader = PeopleReader::limited(&kafka, ReadAhead { messages: 2, people: 4 });
    for (number, record) in records.iter().enumerate() {
        let name = Some(format!("p{number}")).filter(|_| number != 0 && number != 7);
        assert_eq!(named(&reader, record).await, name);
    }
}
