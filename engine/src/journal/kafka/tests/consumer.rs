//! The journals as a group of readers gets them.

use std::collections::BTreeMap;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::Record;

use super::house::House;
use crate::journal::Journal;
use crate::journal::contract::records;
use crate::journal::kafka::{ConsumerEvent, JournalConsumer, KafkaJournal};
use crate::journal::{Offset, Partition};

const SHOWS: [ShowId; 3] = [ShowId(5), ShowId(6), ShowId(77)];

/// Reads until it has so many records, beginning where `offsets` says and noting there how far it came.
async fn read(
    consumer: &mut JournalConsumer,
    offsets: &mut BTreeMap<Partition, Offset>,
    count: usize,
) -> Vec<(Partition, Record)> {
    let mut heard = Vec::new();
    while heard.len() < count {
        match consumer.next().await.unwrap() {
            ConsumerEvent::Assigned(assignment) => {
                let mut at = Vec::new();
                for &partition in &assignment.partitions {
                    let earliest = consumer.earliest(partition).await.unwrap();
                    at.push((partition, offsets.get(&partition).copied().unwrap_or(earliest)));
                }
                consumer.start(&assignment, &at).unwrap();
            }
            ConsumerEvent::Revoked(_) => {}
            ConsumerEvent::Record(partition, offset, record) => {
                offsets.insert(partition, Offset(offset.0 + 1));
                heard.push((partition, *record));
            }
            ConsumerEvent::Damaged(partition, offset, problem) => panic!("{partition:?} {offset:?}: {problem}"),
        }
    }
    let next: Vec<_> = offsets.iter().map(|(&partition, &offset)| (partition, offset)).collect();
    consumer.commit(&next).unwrap();
    heard
}

async fn write(house: &House, journal: &KafkaJournal, numbers: std::ops::Range<u64>) {
    for show in SHOWS {
        house.lease(show, 1).await;
        journal.append(&records(show, numbers.clone(), 1)).await.unwrap();
    }
    journal.flushed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_each_show_in_order_and_goes_on_where_it_says() {
    let house = House::new().await;
    let journal = house.journal(0).await;
    write(&house, &journal, 0..20).await;
    let mut offsets = BTreeMap::new();
    let mut consumer = JournalConsumer::open(&house.kafka(), "archive", "reader").unwrap();
    let mut all = read(&mut consumer, &mut offsets, 60).await;
    drop(consumer);

    write(&house, &journal, 20..30).await;
    let mut consumer = JournalConsumer::open(&house.kafka(), "archive", "reader").unwrap();
    let kept = offsets.clone();
    all.extend(read(&mut consumer, &mut offsets, 30).await);
    for show in SHOWS {
        let of_show: Vec<Record> =
            all.iter().map(|(_, record)| record).filter(|record| record.show == show).cloned().collect();
        assert_eq!(of_show, records(show, 0..30, 1));
        let mut partitions: Vec<Partition> =
            all.iter().filter(|(_, record)| record.show == show).map(|&(partition, _)| partition).collect();
        partitions.dedup();
        assert_eq!(partitions.len(), 1, "a show is in one partition");
    }
    drop(consumer);

    // A database that was put back to an older day reads again what it lacks.
    let mut offsets = kept;
    let mut consumer = JournalConsumer::open(&house.kafka(), "archive", "reader").unwrap();
    let again = read(&mut consumer, &mut offsets, 30).await;
    assert!(again.iter().all(|(_, record)| record.number >= 20));
}
