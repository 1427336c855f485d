//! The Kafka producer: idempotent, acknowledged by all replicas, in order within a show.

use klaxon_protocol::ids::{Fence, ShowId};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::people::PersonKey;
use super::scan::{FENCE, NUMBER};
use super::topic::{Kafka, REQUEST_TIMEOUT, count_partitions, log, log_error, partition_of};

/// A record in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentRecord {
    pub(super) show: ShowId,
    pub(super) number: u64,
    pub(super) fence: Fence,
    /// The offset of its end in the spool's file, in bytes.
    pub(super) end: u64,
    pub(super) bytes: usize,
    /// The attempt of the show's cursor in which it was sent.
    pub(super) attempt: u64,
}

/// A person record in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentPerson {
    pub(super) show: ShowId,
    pub(super) number: u64,
    /// The offsets of its start and its end in the spool's file, in bytes.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) bytes: usize,
    /// The attempt of the show's cursor in which it was sent.
    pub(super) attempt: u64,
}

/// What is in flight.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sent {
    Record(SentRecord),
    Person(SentPerson),
}

impl Sent {
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Record(sent) => sent.bytes,
            Self::Person(sent) => sent.bytes,
        }
    }
}

/// The result of sending a record.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) sent: Sent,
    pub(super) error: Option<KafkaError>,
}

/// Why a record was not sent.
#[derive(Debug)]
pub(super) enum NotSent {
    /// The producer's queue is full; it has room again when records are acknowledged.
    Full,
    /// The producer can't be used any more.
    Broken(KafkaError),
}

/// Sends records to the topics. Deliveries of one show are reported in order, those of its records and those of its persons.
pub(super) struct Producer {
    producer: ThreadedProducer<DeliveryReports>,
    journals: Topic,
    people: Topic,
}

struct Topic {
    name: String,
    partitions: i32,
}

/// Limit of deliveries that wait for the uploader. At the limit the producer's thread blocks: it has nothing else to
/// do, and the uploader takes the deliveries before it sends more.
const MAX_DELIVERIES: usize = 4096;

struct DeliveryReports(mpsc::Sender<Delivery>);

impl DeliveryReports {
    fn report(&self, delivery: Delivery) {
        // Blocking is allowed only on the producer's own thread. A producer that is dropped reports from the thread
        // that drops it, but then the channel is closed, so a full channel means the producer's thread.
        if let Err(TrySendError::Full(delivery)) = self.0.try_send(delivery) {
            // The receiver is dropped when a new producer replaces this one.
            let _ = self.0.blocking_send(delivery);
        }
    }
}

impl ClientContext for DeliveryReports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason, "shows go on, and their journals wait on disk");
    }
}

impl ProducerContext for DeliveryReports {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        let error = result.as_ref().err().map(|(error, _)| error.clone());
        self.report(Delivery { sent: *sent, error });
    }
}

impl Producer {
    /// Creates the topics if they do not exist, and a producer for them.
    pub(super) async fn open(kafka: &Kafka) -> Result<(Self, mpsc::Receiver<Delivery>), KafkaError> {
        kafka.make_topics().await?;
        let (reports, deliveries) = mpsc::channel(MAX_DELIVERIES);
        let kafka = kafka.clone();
        let opening = tokio::task::spawn_blocking(move || {
            let producer: ThreadedProducer<DeliveryReports> =
                kafka.producing().create_with_context(DeliveryReports(reports))?;
            let topic = |name: String| {
                let partitions = count_partitions(producer.client(), &name, REQUEST_TIMEOUT)?;
                Ok::<_, KafkaError>(Topic { name, partitions })
            };
            let (journals, people) = (topic(kafka.topic)?, topic(kafka.people_topic)?);
            Ok(Self { producer, journals, people })
        });
        match opening.await {
            Ok(opened) => opened.map(|producer| (producer, deliveries)),
            Err(_) => Err(KafkaError::Canceled),
        }
    }

    pub(super) fn send(&self, framed: &[u8], sent: SentRecord) -> Result<(), NotSent> {
        let (number, fence) = (sent.number.to_string(), sent.fence.0.to_string());
        let headers = OwnedHeaders::new()
            .insert(Header { key: NUMBER, value: Some(&number) })
            .insert(Header { key: FENCE, value: Some(&fence) });
        let key = sent.show.to_string();
        let partition = partition_of(sent.show, self.journals.partitions);
        let record = BaseRecord::with_opaque_to(&self.journals.name, Box::new(Sent::Record(sent)));
        self.hand_over(record.partition(partition).key(&key).payload(framed).headers(headers))
    }

    /// Sends a person record in its frame; without one a tombstone.
    pub(super) fn send_person(&self, key: PersonKey, framed: Option<&[u8]>, sent: SentPerson) -> Result<(), NotSent> {
        let (key, partition) = (key.text(), partition_of(key.show, self.people.partitions));
        let record = BaseRecord::with_opaque_to(&self.people.name, Box::new(Sent::Person(sent)));
        let record = record.partition(partition).key(&key);
        self.hand_over(match framed {
            Some(framed) => record.payload(framed),
            None => record,
        })
    }

    fn hand_over(&self, record: BaseRecord<'_, String, [u8], Box<Sent>>) -> Result<(), NotSent> {
        self.producer.send(record).map_err(|(error, _)| match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => NotSent::Full,
            _ => NotSent::Broken(error),
        })
    }

    /// Closes the producer without waiting for records in flight.
    pub(super) async fn close(self) {
        // Dropping a producer joins its thread, which blocks.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

/// Whether the error concerns this record only, so that other records may succeed.
pub(super) fn is_about_the_record(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidMessage
                | RDKafkaErrorCode::InvalidMessageSize
                | RDKafkaErrorCode::InvalidRecord
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_of_deliveries_waits_for_the_uploader_and_none_is_lost() {
        let (sender, mut deliveries) = mpsc::channel(MAX_DELIVERIES);
        let (reports, all) = (DeliveryReports(sender), 10 * MAX_DELIVERIES as u64);
        let sent = |number| {
            Sent::Record(SentRecord { show: ShowId(1), number, fence: Fence(1), end: 0, bytes: 1, attempt: 0 })
        };
        let producing = std::thread::spawn(move || {
            (0..all).for_each(|number| reports.report(Delivery { sent: sent(number), error: None }));
        });
        for number in 0..all {
            assert!(deliveries.len() <= MAX_DELIVERIES);
            let delivery = deliveries.recv().await.unwrap();
            assert!(matches!(delivery.sent, Sent::Record(sent) if sent.number == number));
        }
        producing.join().unwrap();
    }

    #[tokio::test]
    async fn deliveries_that_nobody_receives_any_more_are_dropped_also_by_a_task() {
        let (sender, deliveries) = mpsc::channel(1);
        drop(deliveries);
        let sent =
            Sent::Record(SentRecord { show: ShowId(1), number: 1, fence: Fence(1), end: 0, bytes: 1, attempt: 0 });
        (0..3).for_each(|_| DeliveryReports(sender.clone()).report(Delivery { sent, error: None }));
    }
}
