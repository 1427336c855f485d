//! Follows the topic of what stands apart, beside a reader of the journals: who takes a seat by a record of theirs.
//!
//! A person was acknowledged by Kafka before the record was sent that they belong to. So when that record is read, the person is in the
//! topic, or was never written, or is forgotten: whoever is not found before the end of the topic is missing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::Record;
use klaxon_protocol::register::Register;
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::people::person_in_message;
use super::scan::{IDLE_TIMEOUT, POLL_TIMEOUT, ScanError};
use super::topic::{Kafka, Quiet, REQUEST_TIMEOUT, count_partitions, partition_of};

/// How many messages are read beyond the one that was asked for, so that the next ones need not be fetched one by one.
const READ_AHEAD: usize = 10_000;
/// A person is uploaded at most this long before the time of the record that they belong to, and kept for as long: Kafka may be away in
/// between. In milliseconds: a day.
const KEPT: u64 = 24 * 3600 * 1000;

/// The readers of the topic's partitions.
pub struct PeopleReader {
    kafka: Kafka,
    partitions: Arc<Mutex<Partitions>>,
}

#[derive(Default)]
struct Partitions {
    /// How many the topic has; 0 while that is unknown.
    count: i32,
    readers: HashMap<i32, PartitionReader>,
}

struct PartitionReader {
    consumer: BaseConsumer<Quiet>,
    /// The offset of the next message.
    next: Offset,
    shows: HashMap<ShowId, ShowPeople>,
}

#[derive(Default)]
struct ShowPeople {
    people: Register,
    /// The time of the newest message, in milliseconds.
    newest: u64,
}

impl PeopleReader {
    /// Does not connect yet.
    #[must_use]
    pub fn new(kafka: &Kafka) -> Self {
        Self { kafka: kafka.clone(), partitions: Arc::default() }
    }

    /// Begins anew: the journals are read again from earlier offsets.
    pub fn restart(&self) {
        *self.partitions.lock() = Partitions::default();
    }

    /// The record with what stands apart from it, if Kafka has that.
    ///
    /// # Errors
    /// [`ScanError`]; it can be asked again.
    pub async fn fill(&self, mut record: Record) -> Result<Record, ScanError> {
        let (kafka, partitions) = (self.kafka.clone(), Arc::clone(&self.partitions));
        let read = move || {
            let mut partitions = partitions.lock();
            partitions.fill(&kafka, &mut record).map(|()| record)
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Err(KafkaError::Canceled.into()))
    }
}

impl Partitions {
    fn fill(&mut self, kafka: &Kafka, record: &mut Record) -> Result<(), ScanError> {
        let consumer = || -> Result<BaseConsumer<Quiet>, KafkaError> {
            let mut config = kafka.consuming("klaxon-reader");
            config.set("enable.partition.eof", "true").create_with_context(Quiet)
        };
        if self.count == 0 {
            // Without the topic there would be no such record: it is not there yet, or another one is meant.
            self.count = count_partitions(consumer()?.client(), &kafka.people_topic, REQUEST_TIMEOUT)?;
        }
        let partition = partition_of(record.show, self.count);
        let reader = match self.readers.entry(partition) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                new.insert(PartitionReader { consumer: consumer()?, next: Offset::Beginning, shows: HashMap::new() })
            }
        };
        reader.find(&kafka.people_topic, partition, record)
    }
}

impl PartitionReader {
    fn find(&mut self, topic: &str, partition: i32, record: &mut Record) -> Result<(), ScanError> {
        let floor = record.at.0.saturating_sub(KEPT);
        if self.put_into(record) {
            return Ok(());
        }
        self.shows.retain(|_, show| show.newest >= floor);
        // Assigned anew each time, as the end of a partition is reported once for each assignment.
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, partition, self.next)?;
        self.consumer.assign(&assignment)?;
        let (mut is_found, mut ahead, mut received_at) = (false, 0, Instant::now());
        while ahead < READ_AHEAD {
            let message = match self.consumer.poll(POLL_TIMEOUT) {
                Some(Ok(message)) => message,
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                Some(Err(error)) if received_at.elapsed() > IDLE_TIMEOUT => return Err(error.into()),
                None if received_at.elapsed() > IDLE_TIMEOUT => return Err(ScanError::Silent),
                Some(Err(_)) | None => continue,
            };
            received_at = Instant::now();
            self.next = Offset::Offset(message.offset() + 1);
            ahead += usize::from(is_found);
            let sent = message.timestamp().to_millis().and_then(|sent| u64::try_from(sent).ok());
            match person_in_message(&message) {
                Ok(_) if sent.is_some_and(|sent| sent < floor) => {}
                Ok((_, Some(person))) => {
                    is_found |=
                        (person.show, person.number, person.fence) == (record.show, record.number, record.fence);
                    let show = self.shows.entry(person.show).or_default();
                    show.newest = show.newest.max(sent.unwrap_or(record.at.0));
                    show.people.add(person);
                }
                Ok((key, None)) => {
                    is_found &= (key.show, key.number, key.fence) != (record.show, record.number, record.fence);
                    if let Some(show) = self.shows.get_mut(&key.show) {
                        show.people.forget(key.number, key.fence);
                    }
                }
                Err(problem) => {
                    tracing::error!(
                        topic,
                        partition,
                        offset = message.offset(),
                        problem,
                        "a message that is no person record is skipped"
                    );
                }
            }
        }
        self.put_into(record);
        Ok(())
    }

    fn put_into(&mut self, record: &mut Record) -> bool {
        if let Some(show) = self.shows.get_mut(&record.show) {
            show.people.fill(record);
        }
        record.apart().is_some()
    }
}
