//! The main loop of `klaxon archive`: journals from Kafka into a database, exactly once in effect, through outages of
//! either.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use klaxon_protocol::journal::Record;
use rdkafka::error::KafkaError;
use tokio::time::Instant;

use super::SqlArchive;
use super::ingestion::Ingestion;
use crate::clock::Clock;
use crate::game::Games;
use crate::journal::kafka::{Assignment, ConsumerEvent, JournalConsumer, Kafka, PeopleReader};
use crate::journal::{Offset, Partition};
use crate::seal::SealKeys;

/// Rows that are written in one transaction.
const ROWS: usize = 5_000;
/// How long a record may wait for more records to be written with it.
const LINGER: Duration = Duration::from_millis(250);
/// The pause after a failure, at first and at most.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(5);
/// How long the last write may take when the service is stopped.
const LAST_WRITE: Duration = Duration::from_secs(10);

/// A reader that fills a database. Several readers share the partitions, and each may crash at any time.
pub struct ArchiveService {
    ingestion: Ingestion,
    consumer: JournalConsumer,
    /// Who is who in the shows that are read.
    people: PeopleReader,
    /// The offset after the last record that was taken from each partition.
    taken: BTreeMap<Partition, Offset>,
    /// Records that were taken and not written.
    unwritten: u64,
    write_at: Option<Instant>,
}

impl ArchiveService {
    /// Joins the consumer group `group` of this database's readers as `member`, a name that is unique in the group and
    /// stays the same across restarts.
    ///
    /// # Errors
    /// If the settings of Kafka make no sense.
    pub fn new(
        archive: SqlArchive,
        games: Games,
        keys: SealKeys,
        kafka: &Kafka,
        group: &str,
        member: &str,
    ) -> Result<Self, KafkaError> {
        Ok(Self {
            ingestion: Ingestion::new(archive, &kafka.topic, games, keys),
            consumer: JournalConsumer::open(kafka, group, member)?,
            people: PeopleReader::new(kafka),
            taken: BTreeMap::new(),
            unwritten: 0,
            write_at: None,
        })
    }

    /// Runs until `stop` resolves, then writes what was taken. Dropping it is like a crash, and loses nothing.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = self.work() => {}
            () = stop => {
                if let Ok(Err(error)) = tokio::time::timeout(LAST_WRITE, self.ingestion.write()).await {
                    tracing::warn!(%error, "what was read last is not written; it is read again");
                }
            }
        }
    }

    async fn work(&mut self) {
        loop {
            let due = self.write_at;
            let heard = tokio::select! {
                heard = self.consumer.next() => heard,
                () = at(due) => {
                    self.write().await;
                    continue;
                }
            };
            match heard {
                Ok(heard) => {
                    self.hear(heard).await;
                }
                // These errors were logged when they happened, and Kafka's client retries by itself, so after an outage
                // they end soon.
                Err(error) => failed("reading from Kafka", &error, &mut BACKOFF.start().to_owned()).await,
            }
            if self.ingestion.waiting() >= ROWS {
                self.write().await;
            }
        }
    }

    async fn hear(&mut self, heard: ConsumerEvent) {
        match heard {
            ConsumerEvent::Assigned(assignment) => self.begin(&assignment).await,
            ConsumerEvent::Revoked(partitions) => {
                for partition in partitions {
                    self.ingestion.revoke(partition);
                    self.taken.remove(&partition);
                }
            }
            ConsumerEvent::Record(partition, offset, record) => {
                let record = self.named(*record).await;
                let mut pause = *BACKOFF.start();
                while let Err(error) = self.ingestion.take(partition, offset, &record).await {
                    failed("looking up a show", &error, &mut pause).await;
                }
                self.took(partition, offset);
            }
            ConsumerEvent::Damaged(Partition(partition), Offset(offset), problem) => {
                metrics::counter!("klaxon_archive_damaged_total").increment(1);
                tracing::error!(partition, offset, problem, "a message that is not a record is skipped");
            }
        }
    }

    /// The record with what stands apart from it.
    async fn named(&mut self, record: Record) -> Record {
        if !self.ingestion.lacks_person(&record) {
            return record;
        }
        let mut pause = *BACKOFF.start();
        loop {
            match self.people.fill(record.clone()).await {
                Ok(record) => return record,
                Err(error) => failed("reading from Kafka who is who", &error, &mut pause).await,
            }
        }
    }

    fn took(&mut self, partition: Partition, offset: Offset) {
        self.taken.insert(partition, Offset(offset.0 + 1));
        self.unwritten += 1;
        self.write_at.get_or_insert_with(|| Instant::now() + LINGER);
    }

    /// Starts to read each partition at the offset that the database has.
    async fn begin(&mut self, assignment: &Assignment) {
        // Records that were read before may be read again.
        self.people.restart();
        let mut at = Vec::with_capacity(assignment.partitions.len());
        for &partition in &assignment.partitions {
            let mut pause = *BACKOFF.start();
            let earliest = loop {
                match self.consumer.earliest(partition).await {
                    Ok(earliest) => break earliest,
                    Err(error) => failed("asking Kafka for a partition's begin", &error, &mut pause).await,
                }
            };
            let offset = loop {
                match self.ingestion.assign(partition, earliest).await {
                    Ok(offset) => break offset,
                    Err(error) => failed("asking the database where to go on", &error, &mut pause).await,
                }
            };
            tracing::info!(partition = partition.0, offset = offset.0, "this archive reads a partition");
            at.push((partition, offset));
        }
        if let Err(error) = self.consumer.start(assignment, &at) {
            tracing::error!(%error, "partitions can't be read");
        }
    }

    /// Writes what was taken, and retries until it succeeds.
    async fn write(&mut self) {
        let mut pause = *BACKOFF.start();
        while let Err(error) = self.ingestion.write().await {
            failed("writing to the database", &error, &mut pause).await;
        }
        self.write_at = None;
        metrics::counter!("klaxon_archive_records_total").increment(std::mem::take(&mut self.unwritten));
        let now = Duration::from_micros(Clock::of_process().micros());
        metrics::gauge!("klaxon_archive_last_write_seconds").set(now.as_secs_f64());
        let next: Vec<_> = self.taken.iter().map(|(&partition, &offset)| (partition, offset)).collect();
        if !next.is_empty()
            && let Err(error) = self.consumer.commit(&next)
        {
            tracing::debug!(%error, "the offsets could not be committed to Kafka");
        }
    }
}

/// Waits until `due`, if ever.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn failed(doing: &str, error: &impl Display, pause: &mut Duration) {
    metrics::counter!("klaxon_archive_failures_total").increment(1);
    tracing::warn!(%error, "{doing} failed; it is tried again");
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(*BACKOFF.end());
}
