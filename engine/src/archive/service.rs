//! `klaxon archive`: fills a database with what the journals in Kafka tell, and waits for whichever of the two is away.

use std::time::Duration;

use rdkafka::error::KafkaError;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::ingestion::Ingestion;
use super::{ArchiveError, SqlArchive};
use crate::journal::kafka::{Assignment, FromKafka, JournalConsumer, Kafka, Offset, Partition};

/// So many rows are written together, about.
const ROWS: usize = 2_000;
/// Nothing waits longer to be written.
const WRITE_EVERY: Duration = Duration::from_millis(250);
/// The pause before something that is away is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Brings the records of a topic into a database, as one of a group.
pub struct Service {
    consumer: JournalConsumer,
    ingestion: Ingestion,
}

impl Service {
    /// Joins the group. Kafka need not answer now.
    ///
    /// # Errors
    /// If Kafka's settings make no sense.
    pub fn open(kafka: &Kafka, group: &str, archive: SqlArchive) -> Result<Self, KafkaError> {
        let consumer = JournalConsumer::open(kafka, group)?;
        Ok(Self { consumer, ingestion: Ingestion::new(archive, &kafka.topic) })
    }

    /// Fills the database for as long as it is let.
    pub async fn run(&mut self) {
        let mut writing = interval(WRITE_EVERY);
        writing.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let news = tokio::select! {
                _ = writing.tick() => {
                    self.write().await;
                    continue;
                }
                news = self.consumer.next() => news,
            };
            match news {
                Ok(FromKafka::Record(partition, offset, record)) => {
                    self.insist(async |ingestion| ingestion.take(partition, offset, &record).await).await;
                    if self.ingestion.waiting() >= ROWS {
                        self.write().await;
                    }
                }
                Ok(FromKafka::Assigned(assignment)) => self.begin(&assignment).await,
                Ok(FromKafka::Revoked(partitions)) => {
                    self.write().await;
                    partitions.into_iter().for_each(|partition| self.ingestion.revoke(partition));
                }
                Ok(FromKafka::Damaged(partition, offset, problem)) => {
                    tracing::error!(?partition, ?offset, problem, "this message is no record, and is left out");
                }
                Err(error) => {
                    tracing::debug!(%error, "Kafka can't be read; trying again");
                    sleep(ASK_AGAIN).await;
                }
            }
        }
    }

    /// Writes what was read, once more before the end.
    ///
    /// # Errors
    /// If the database does not answer; what is not written is read again by whoever comes next.
    pub async fn finish(mut self) -> Result<(), ArchiveError> {
        self.ingestion.write().await
    }

    /// Reads what was assigned, each partition from where the database has it.
    async fn begin(&mut self, assignment: &Assignment) {
        let mut from = Vec::new();
        for &partition in &assignment.partitions {
            let earliest = self.earliest(partition).await;
            let offset = self.insist(async |ingestion| ingestion.assign(partition, earliest).await).await;
            tracing::info!(?partition, ?offset, "this partition is read here");
            from.push((partition, offset));
        }
        if let Err(error) = self.consumer.begin(assignment, &from) {
            tracing::error!(%error, "the partitions can't be read from there");
        }
    }

    async fn earliest(&self, partition: Partition) -> Offset {
        loop {
            match self.consumer.earliest(partition).await {
                Ok(offset) => return offset,
                Err(error) => tracing::debug!(%error, "Kafka does not say where a partition begins; asking again"),
            }
            sleep(ASK_AGAIN).await;
        }
    }

    async fn write(&mut self) {
        self.insist(async |ingestion| ingestion.write().await).await;
    }

    /// Asks the database until it answers.
    async fn insist<T>(&mut self, mut ask: impl AsyncFnMut(&mut Ingestion) -> Result<T, ArchiveError>) -> T {
        let mut warned = false;
        loop {
            match ask(&mut self.ingestion).await {
                Ok(answer) => return answer,
                Err(error) if !std::mem::replace(&mut warned, true) => {
                    tracing::warn!(%error, "the database does not answer; waiting for it");
                }
                Err(_) => {}
            }
            metrics::counter!("klaxon_archive_failures_total").increment(1);
            sleep(ASK_AGAIN).await;
        }
    }
}
