//! Reads a whole show from Kafka.

use std::collections::HashSet;
use std::time::Duration;

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{MAGIC, Record, Records};
use klaxon_protocol::register::Register;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::people::{PersonKey, person_in_message};
use super::reader::{JournalReader, RecordStatus};
use super::topic::{Kafka, Quiet, REQUEST_TIMEOUT, count_partitions, partition_of};

/// The header with a record's number.
pub(super) const NUMBER: &str = "number";
/// The header with a record's fence.
pub(super) const FENCE: &str = "fence";
/// How long Kafka may send nothing in the middle of a show: a busy broker can take seconds for a fetch of some
/// megabytes.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a broker did not answer.
pub(super) const POLL_TIMEOUT: Duration = Duration::from_millis(100);

/// Why a show could not be read from Kafka.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Kafka can't be reached.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// Kafka answers, and does not have the topic.
    #[error("Kafka has no topic {0}")]
    NoTopic(String),
    /// Kafka stopped answering.
    #[error("Kafka sent nothing for {} s", IDLE_TIMEOUT.as_secs())]
    Silent,
    /// A message there is not a record.
    #[error("the message at offset {offset} is no record of the show: {problem}")]
    Damaged {
        /// The offset of the message.
        offset: i64,
        /// What is wrong.
        problem: String,
    },
}

/// Reads a whole show from Kafka, with what stands apart from its records. Duplicates, and records of engines that had lost the show, are dropped. Empty if
/// Kafka has no record of the show.
///
/// # Errors
/// [`ScanError`].
pub async fn read_show(kafka: &Kafka, show: ShowId) -> Result<Vec<Record>, ScanError> {
    let kafka = kafka.clone();
    match tokio::task::spawn_blocking(move || scan(&kafka, show)).await {
        Ok(read) => read,
        Err(error) => Err(ScanError::Damaged { offset: 0, problem: error.to_string() }),
    }
}

fn scan(kafka: &Kafka, show: ShowId) -> Result<Vec<Record>, ScanError> {
    let (mut reader, mut records) = (JournalReader::default(), Vec::new());
    for_each_record(kafka, show, |record| match reader.judge(record.number, record.fence) {
        RecordStatus::Next => records.push(record),
        RecordStatus::Replacement => {
            tracing::warn!(%show, number = record.number, "Redis had lost records that Kafka has; the show went on without them, so they are dropped");
            records.truncate(usize::try_from(record.number).expect("a show fits into memory"));
            records.push(record);
        }
        RecordStatus::Duplicate | RecordStatus::Stale | RecordStatus::Early => {}
    })?;
    // Read later, so it has whatever these records had when they were written.
    if records.iter().any(Record::has_apart) {
        let mut people = scan_people(kafka, show)?;
        records.iter_mut().for_each(|record| people.fill(record));
    }
    Ok(records)
}

/// What stands apart from a show's records and is not forgotten.
fn scan_people(kafka: &Kafka, show: ShowId) -> Result<Register, ScanError> {
    let mut people = Register::default();
    let read = for_each_message(kafka, &kafka.people_topic, Messages::OfShow(show), |message| {
        match person_in_message(message)? {
            (key, _) if key.show != show => {}
            (_, Some(person)) => people.add(person),
            (key, None) => people.forget(key.number, key.fence),
        }
        Ok(())
    });
    if_there(read).map(|()| people)
}

/// The numbers and fences of the records of a show whose persons are forgotten, by tombstones that were sent at this time or later.
pub(super) async fn forgotten_in(kafka: &Kafka, show: ShowId, from: u64) -> Result<HashSet<(u64, Fence)>, ScanError> {
    let kafka = kafka.clone();
    let scan = move || {
        let mut forgotten = HashSet::new();
        let read = for_each_message(&kafka, &kafka.people_topic, Messages::OfShowFrom(show, from), |message| {
            // What is no person record is no tombstone.
            if let Ok((PersonKey { show: of, number, fence }, None)) = person_in_message(message)
                && of == show
            {
                forgotten.insert((number, fence));
            }
            Ok(())
        });
        if_there(read).map(|()| forgotten)
    };
    tokio::task::spawn_blocking(scan).await.unwrap_or_else(|_| Err(KafkaError::Canceled.into()))
}

/// Calls `process` with each record that Kafka has of a show, duplicates too, in their order.
fn for_each_record(kafka: &Kafka, show: ShowId, mut process: impl FnMut(Record)) -> Result<(), ScanError> {
    let key = show.to_string();
    if_there(for_each_message(kafka, &kafka.topic, Messages::OfShow(show), |message| {
        if message.key() == Some(key.as_bytes()) {
            process(record_in(message)?);
        }
        Ok(())
    }))
}

/// A topic that is not there has no messages.
fn if_there(read: Result<(), ScanError>) -> Result<(), ScanError> {
    match read {
        Err(ScanError::NoTopic(_)) => Ok(()),
        read => read,
    }
}

/// Which messages of a topic to read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Messages {
    All,
    /// Of the partition in which this show is.
    OfShow(ShowId),
    /// Of that, those from this time on, in milliseconds since 1970.
    OfShowFrom(ShowId, u64),
}

impl Messages {
    fn are_in(self, partition: i32, partitions: i32) -> bool {
        match self {
            Self::All => true,
            Self::OfShow(show) | Self::OfShowFrom(show, _) => partition_of(show, partitions) == partition,
        }
    }
}

/// Calls `process` with each of these messages of a topic, in the order in which they are in each partition.
pub(super) fn for_each_message(
    kafka: &Kafka,
    topic: &str,
    messages: Messages,
    mut process: impl FnMut(&BorrowedMessage<'_>) -> Result<(), String>,
) -> Result<(), ScanError> {
    let mut config = kafka.consuming("klaxon-reader");
    // The end is where a fetch returns nothing more: not every Kafka-compatible broker reports the right end offset.
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
    let partitions = match count_partitions(consumer.client(), topic, REQUEST_TIMEOUT) {
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopic) => {
            return Err(ScanError::NoTopic(topic.to_owned()));
        }
        counted => counted?,
    };
    for partition in (0..partitions).filter(|&partition| messages.are_in(partition, partitions)) {
        let begin = match messages {
            Messages::All | Messages::OfShow(_) => Offset::Beginning,
            Messages::OfShowFrom(_, time) => offset_at(&consumer, topic, partition, time)?,
        };
        read_partition(&consumer, topic, partition, begin, &mut process)?;
    }
    Ok(())
}

/// The offset of a partition from which all messages are read that were sent at this time or later. Blocks.
pub(super) fn offset_at(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    partition: i32,
    time: u64,
) -> Result<Offset, KafkaError> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition_offset(topic, partition, Offset::Offset(i64::try_from(time).unwrap_or(i64::MAX)))?;
    let told = consumer.offsets_for_times(asked, REQUEST_TIMEOUT)?;
    let found =
        told.find_partition(topic, partition).ok_or(KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownPartition))?;
    found.error()?;
    Ok(match found.offset() {
        offset @ Offset::Offset(_) => offset,
        // There is no such message yet; one that comes before the end is looked up would be missed.
        _ => Offset::Beginning,
    })
}

fn read_partition(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    partition: i32,
    begin: Offset,
    process: &mut impl FnMut(&BorrowedMessage<'_>) -> Result<(), String>,
) -> Result<(), ScanError> {
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, partition, begin)?;
    consumer.assign(&assignment)?;
    let mut received_at = Instant::now();
    loop {
        let message = match consumer.poll(POLL_TIMEOUT) {
            Some(Ok(message)) => message,
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
            Some(Err(error)) if received_at.elapsed() > IDLE_TIMEOUT => return Err(error.into()),
            None if received_at.elapsed() > IDLE_TIMEOUT => return Err(ScanError::Silent),
            Some(Err(_)) | None => continue,
        };
        received_at = Instant::now();
        let offset = message.offset();
        process(&message).map_err(|problem| ScanError::Damaged { offset, problem })?;
    }
}

/// The numbers and fences of all records that Kafka has of a show, in their order.
#[cfg(test)]
pub(super) fn labels_of(kafka: &Kafka, show: ShowId) -> Vec<(u64, Fence)> {
    let mut labels = Vec::new();
    for_each_record(kafka, show, |record| labels.push((record.number, record.fence))).expect("Kafka is there");
    labels
}

/// A message's record number and fence from its headers, so that the record need not be decoded to see whether it is
/// new.
pub(super) fn labels<M: Message>(message: &M) -> Option<(u64, Fence)> {
    let headers = message.headers()?;
    let value = |name: &str| {
        let header = headers.iter().find(|header| header.key == name)?;
        std::str::from_utf8(header.value?).ok()?.parse::<u64>().ok()
    };
    Some((value(NUMBER)?, Fence(value(FENCE)?)))
}

/// The record in a message.
pub(super) fn record_in(message: &BorrowedMessage<'_>) -> Result<Record, String> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(message.payload().unwrap_or_default());
    let mut records = Records::new(&bytes).map_err(|error| error.to_string())?;
    let record = match records.next() {
        Some(Ok((_, record))) => record,
        Some(Err(error)) => return Err(error.to_string()),
        None => return Err("it is empty".into()),
    };
    if message.key() != Some(record.show.to_string().as_bytes()) {
        return Err(format!("its key is not that of show {}", record.show));
    }
    match labels(message) {
        Some(labels) if labels != (record.number, record.fence) => {
            Err("its headers are those of another record".into())
        }
        _ => Ok(record),
    }
}
