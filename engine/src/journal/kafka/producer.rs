//! What sends records to Kafka: idempotent, each acknowledged by all replicas, those of a show in order.

use klaxon_protocol::ids::{Fence, ShowId};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::mpsc;

use super::head::Framed;
use super::scan::{FENCE, NUMBER};
use super::topic::{Kafka, PATIENCE, count_partitions, in_trouble, log, partition_of};

/// What is known of a record that is on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) show: ShowId,
    pub(super) number: u64,
    pub(super) fence: Fence,
    /// Where it ends in the spool's file.
    pub(super) end: u64,
    pub(super) bytes: usize,
    /// In which turn of the show's cursor it was sent.
    pub(super) turn: u64,
}

/// What became of a record.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) sent: Sent,
    pub(super) error: Option<KafkaError>,
}

/// Why a record was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// There is no room until others have arrived.
    Full,
    /// Nothing will be sent any more.
    Broken(KafkaError),
}

/// Sends records to the topic. What becomes of each is told in order.
pub(super) struct Producer {
    producer: ThreadedProducer<Teller>,
    topic: String,
    partitions: i32,
}

struct Teller(mpsc::UnboundedSender<Delivered>);

impl ClientContext for Teller {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        in_trouble(&error, reason, "shows go on, and their journals wait on disk");
    }
}

impl ProducerContext for Teller {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        let error = result.as_ref().err().map(|(error, _)| error.clone());
        // Nobody listens any more when another producer took over.
        let _ = self.0.send(Delivered { sent: *sent, error });
    }
}

impl Producer {
    /// Makes the topic if it is not there, and a way to it.
    pub(super) async fn open(kafka: &Kafka) -> Result<(Self, mpsc::UnboundedReceiver<Delivered>), KafkaError> {
        kafka.make_topic().await?;
        let (tell, told) = mpsc::unbounded_channel();
        let kafka = kafka.clone();
        let opening = tokio::task::spawn_blocking(move || {
            let producer: ThreadedProducer<Teller> = kafka.producing().create_with_context(Teller(tell))?;
            let partitions = count_partitions(producer.client(), &kafka.topic, PATIENCE)?;
            Ok(Self { producer, topic: kafka.topic, partitions })
        });
        match opening.await {
            Ok(opened) => opened.map(|producer| (producer, told)),
            Err(_) => Err(KafkaError::Canceled),
        }
    }

    pub(super) fn send(&self, framed: &Framed, sent: Sent) -> Result<(), Refused> {
        let (number, fence) = (framed.number.to_string(), framed.fence.0.to_string());
        let headers = OwnedHeaders::new()
            .insert(Header { key: NUMBER, value: Some(&number) })
            .insert(Header { key: FENCE, value: Some(&fence) });
        let key = sent.show.to_string();
        let partition = partition_of(sent.show, self.partitions);
        let record = BaseRecord::with_opaque_to(&self.topic, Box::new(sent));
        let record = record.partition(partition).key(&key).payload(&framed.bytes).headers(headers);
        self.producer.send(record).map_err(|(error, _)| match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => Refused::Full,
            _ => Refused::Broken(error),
        })
    }

    /// Ends it, without waiting for what is on its way.
    pub(super) async fn close(self) {
        // It joins a thread.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

/// Whether it is the record that is refused, and others may pass.
pub(super) fn is_the_records_own(error: &KafkaError) -> bool {
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
