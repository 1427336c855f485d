//! Reads a whole show from Kafka.

use std::time::Duration;

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{MAGIC, Record, Records};
use klaxon_protocol::register::Register;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::people::person_in_message;
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
    /// Kafka can't be reached, or does not have the topic.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
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
    for_each_message(kafka, &kafka.people_topic, Some(show), |message| {
        match person_in_message(message)? {
            (key, _) if key.show != show => {}
            (_, Some(person)) => people.add(person),
            (key, None) => people.forget(key.number, key.fence),
        }
        Ok(())
    })?;
    Ok(people)
}

/// Calls `process` with each record that Kafka has of a show, duplicates too, in their order.
fn for_each_record(kafka: &Kafka, show: ShowId, mut process: impl FnMut(Record)) -> Result<(), ScanError> {
    let key = show.to_string();
    for_each_message(kafka, &kafka.topic, Some(show), |message| {
        if message.key() == Some(key.as_bytes()) {
            process(record_in(message)?);
        }
        Ok(())
    })
}

/// Calls `process` with each message of a topic, or of the partition of one show, in the order in which they are in each partition.
/// None if there is no such topic.
pub(super) fn for_each_message(
    kafka: &Kafka,
    topic: &str,
    only: Option<ShowId>,
    mut process: impl FnMut(&BorrowedMessage<'_>) -> Result<(), String>,
) -> Result<(), ScanError> {
    let mut config = kafka.consuming("klaxon-reader");
    // The end is where a fetch returns nothing more: not every Kafka-compatible broker reports the right end offset.
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
    let partitions = match count_partitions(consumer.client(), topic, REQUEST_TIMEOUT) {
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopic) => return Ok(()),
        counted => counted?,
    };
    for partition in 0..partitions {
        if only.is_none_or(|show| partition_of(show, partitions) == partition) {
            read_partition(&consumer, topic, partition, &mut process)?;
        }
    }
    Ok(())
}

fn read_partition(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    partition: i32,
    process: &mut impl FnMut(&BorrowedMessage<'_>) -> Result<(), String>,
) -> Result<(), ScanError> {
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
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
