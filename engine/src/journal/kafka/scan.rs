//! Reads a whole show from Kafka.

use std::time::Duration;

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{MAGIC, Record, Records, frame_record};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::reader::{JournalReader, RecordStatus};
use super::topic::{Kafka, Quiet, REQUEST_TIMEOUT, count_partitions, partition_of};

/// The header with a record's number.
pub(super) const NUMBER: &str = "number";
/// The header with a record's fence.
pub(super) const FENCE: &str = "fence";
/// How long Kafka may send nothing in the middle of a show: a busy broker can take seconds for a fetch of some
/// megabytes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a broker did not answer.
const POLL_TIMEOUT: Duration = Duration::from_millis(100);

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

/// Reads a whole show from Kafka. Duplicates, and records of engines that had lost the show, are dropped. Empty if
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

/// As [`read_show`], but returns the bytes of a journal file, as `klaxon replay` reads it.
///
/// # Errors
/// [`ScanError`].
pub async fn read_show_as_file(kafka: &Kafka, show: ShowId) -> Result<Vec<u8>, ScanError> {
    let mut bytes = MAGIC.to_vec();
    for record in read_show(kafka, show).await? {
        frame_record(&record, &mut bytes)
            .map_err(|error| ScanError::Damaged { offset: 0, problem: error.to_string() })?;
    }
    Ok(bytes)
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
    Ok(records)
}

/// Calls `process` with each record that Kafka has of a show, duplicates too, in their order.
fn for_each_record(kafka: &Kafka, show: ShowId, mut process: impl FnMut(Record)) -> Result<(), ScanError> {
    let mut config = kafka.consuming("klaxon-reader");
    // The end is where a fetch returns nothing more: not every Kafka-compatible broker reports the right end offset.
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
    let partitions = match count_partitions(consumer.client(), &kafka.topic, REQUEST_TIMEOUT) {
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopic) => return Ok(()),
        counted => counted?,
    };
    let partition = partition_of(show, partitions);
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&kafka.topic, partition, Offset::Offset(0))?;
    consumer.assign(&assignment)?;
    let key = show.to_string();
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
        if message.key() != Some(key.as_bytes()) {
            continue;
        }
        let offset = message.offset();
        process(record_in(&message).map_err(|problem| ScanError::Damaged { offset, problem })?);
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
