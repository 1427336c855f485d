//! Follows the topic of what stands apart, beside a reader of the journals: who takes a seat by a record of theirs.
//!
//! A person was acknowledged by Kafka before the record was sent that they belong to. So when that record is read, the person is in the
//! topic, or was never written, or is forgotten: who is not found before the end of the topic is missing.
//!
//! A partition is read from the time of the first record that is asked for, and once to its end, for the tombstones: they may be far
//! behind the persons that they forget. Of the persons a limited number is kept ([`PeopleAhead`]). A record older than what is kept begins
//! this anew, from its own time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use klaxon_protocol::journal::Record;
use klaxon_protocol::register::PersonalData;
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::people::{PersonKey, person_in_message};
use super::people_ahead::PeopleAhead;
use super::scan::{IDLE_TIMEOUT, POLL_TIMEOUT, ScanError, offset_at};
use super::topic::{Kafka, Quiet, REQUEST_TIMEOUT, count_partitions, partition_of};

/// How many messages are read beyond the one that was asked for, so that the next ones need not be fetched one by one.
const MESSAGES_AHEAD: usize = 10_000;
/// How many persons are kept at most, over all partitions; some 200 bytes each.
const MAX_PEOPLE: usize = 500_000;
/// How many of them each partition may have in any case.
const MIN_PEOPLE: usize = 2 * MESSAGES_AHEAD;
/// How much earlier than its record a person's message may be, as the clocks of engines' machines and brokers may be wrong by that much, in
/// milliseconds: a day.
pub(super) const CLOCKS_DIFFER: u64 = 24 * 3600 * 1000;
/// How much older than the record that is asked for a show's newest person may be before the show is dropped, in milliseconds.
const KEPT: u64 = 2 * CLOCKS_DIFFER;

/// The readers of the topic's partitions.
pub struct PeopleReader {
    kafka: Kafka,
    partitions: Arc<Mutex<Partitions>>,
}

#[derive(Default)]
struct Partitions {
    /// How many the topic has; 0 while that is unknown.
    count: i32,
    /// None for those that suit the number of partitions.
    limits: Option<ReadAhead>,
    readers: HashMap<i32, PartitionReader>,
}

struct PartitionReader {
    consumer: BaseConsumer<Quiet>,
    /// The offset of the next message.
    next: Offset,
    /// The time from which on messages are read since reading began, in milliseconds since 1970.
    began: u64,
    /// The tombstones of messages from this time on are known: the partition was read from there to its end. At first none are.
    tombstones_from: u64,
    limits: ReadAhead,
    ahead: PeopleAhead,
}

/// How far is read ahead of the person who is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadAhead {
    /// How many messages.
    pub(super) messages: usize,
    /// How many persons are kept of a partition.
    pub(super) people: usize,
}

impl ReadAhead {
    /// For a topic of so many partitions.
    fn of_partitions(partitions: i32) -> Self {
        let partitions = usize::try_from(partitions).expect("a topic has no negative number of partitions");
        Self { messages: MESSAGES_AHEAD, people: (MAX_PEOPLE / partitions.max(1)).max(MIN_PEOPLE) }
    }
}

impl PeopleReader {
    /// Does not connect yet.
    #[must_use]
    pub fn new(kafka: &Kafka) -> Self {
        Self { kafka: kafka.clone(), partitions: Arc::default() }
    }

    /// The same with limits that a test can reach.
    #[cfg(test)]
    pub(super) fn limited(kafka: &Kafka, limits: ReadAhead) -> Self {
        let reader = Self::new(kafka);
        reader.partitions.lock().limits = Some(limits);
        reader
    }

    /// How many persons are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.partitions.lock().kept()
    }

    /// Begins anew: the journals are read again from earlier offsets.
    pub fn restart(&self) {
        let mut partitions = self.partitions.lock();
        *partitions = Partitions { limits: partitions.limits, ..Partitions::default() };
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
        let limits = self.limits.unwrap_or_else(|| ReadAhead::of_partitions(self.count));
        let partition = partition_of(record.show, self.count);
        let reader = match self.readers.entry(partition) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(PartitionReader {
                consumer: consumer()?,
                next: Offset::Beginning,
                began: 0,
                tombstones_from: u64::MAX,
                limits,
                ahead: PeopleAhead::new(limits.people),
            }),
        };
        let found = reader.find(&kafka.people_topic, partition, record);
        metrics::gauge!("klaxon_archive_people_ahead").set(self.kept() as f64);
        found
    }

    fn kept(&self) -> usize {
        self.readers.values().map(|reader| reader.ahead.kept()).sum()
    }
}

impl PartitionReader {
    fn find(&mut self, topic: &str, partition: i32, record: &mut Record) -> Result<(), ScanError> {
        let key = PersonKey { show: record.show, number: record.number, fence: record.fence };
        let found = match self.ahead.take(key) {
            None if !self.ahead.is_forgotten(key) => self.read(topic, partition, key, record.at.0)?,
            found => found,
        };
        if let Some(data) = found {
            record.command.put_apart(data);
        }
        Ok(())
    }

    /// Reads on until this person, of a record of this time, is found or the partition ends. After an error all is read again.
    fn read(
        &mut self,
        topic: &str,
        partition: i32,
        sought: PersonKey,
        at: u64,
    ) -> Result<Option<PersonalData>, ScanError> {
        let from = at.saturating_sub(CLOCKS_DIFFER);
        if !self.ahead.is_complete_from(from) {
            self.next = offset_at(&self.consumer, topic, partition, from)?;
            self.began = from;
            self.ahead.begin(from);
        }
        self.ahead.drop_before(at.saturating_sub(KEPT));
        // Assigned anew each time, as the end of a partition is reported once for each assignment.
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, partition, self.next)?;
        self.consumer.assign(&assignment)?;
        let (mut next, mut found, mut read_ahead, mut received_at) = (self.next, None, 0, Instant::now());
        // Where persons are no longer kept, as there is no room: reading goes on for the tombstones only.
        let mut kept_until = None;
        loop {
            let is_enough = read_ahead >= self.limits.messages || kept_until.is_some();
            if found.is_some() && is_enough && self.tombstones_from <= self.began {
                break;
            }
            let message = match self.consumer.poll(POLL_TIMEOUT) {
                Some(Ok(message)) => message,
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    self.tombstones_from = self.tombstones_from.min(self.began);
                    break;
                }
                Some(Err(error)) if received_at.elapsed() > IDLE_TIMEOUT => return Err(error.into()),
                None if received_at.elapsed() > IDLE_TIMEOUT => return Err(ScanError::Silent),
                Some(Err(_)) | None => continue,
            };
            received_at = Instant::now();
            read_ahead += usize::from(found.is_some());
            match person_in_message(&message) {
                Ok((key, None)) => {
                    found = found.filter(|_| key != sought);
                    self.ahead.forget(key);
                }
                Ok((key, Some(_))) if self.ahead.is_forgotten(key) => {}
                Ok((key, Some(person))) if key == sought => found = Some(person.data),
                Ok(_) if kept_until.is_some() => {}
                Ok((_, Some(_))) if self.ahead.is_full() && found.is_some() => kept_until = Some(next),
                Ok((_, Some(person))) => {
                    if self.ahead.is_full() {
                        self.ahead.drop_all();
                    }
                    let sent = message.timestamp().to_millis().and_then(|sent| u64::try_from(sent).ok());
                    self.ahead.add(person, sent.unwrap_or(at));
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
            next = Offset::Offset(message.offset() + 1);
        }
        self.next = kept_until.unwrap_or(next);
        Ok(found)
    }
}
