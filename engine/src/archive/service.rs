//! `klaxon archive`: fills a database with what the journals in Kafka tell, and waits for whichever of the two is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use klaxon_protocol::journal::Record;
use rdkafka::error::KafkaError;
use tokio::runtime::Handle;

use super::ingestion::Ingestion;
use super::sql::{Offset, Partition};
use super::{ArchiveError, SqlArchive};
use crate::journal::kafka::{Follower, Kafka, follow};

/// So many rows are written together, about.
const ROWS: usize = 2_000;
/// Nothing waits longer to be written.
const WRITE_AFTER: Duration = Duration::from_millis(250);
/// The pause before a database that is away is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Fills the archive from Kafka, as a member of this group, until `stop` says so.
///
/// # Errors
/// If Kafka's settings make no sense.
pub async fn serve(kafka: Kafka, group: String, archive: SqlArchive, stop: Arc<AtomicBool>) -> Result<(), KafkaError> {
    let clerk = Clerk {
        ingestion: Ingestion::new(archive, &kafka.topic),
        stop: Arc::clone(&stop),
        runtime: Handle::current(),
        written: Instant::now(),
    };
    match tokio::task::spawn_blocking(move || follow(&kafka, &group, clerk, stop)).await {
        Ok(followed) => followed,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Brings records into the database.
struct Clerk {
    ingestion: Ingestion,
    stop: Arc<AtomicBool>,
    runtime: Handle,
    written: Instant,
}

impl Clerk {
    /// Asks the database until it answers. None if the process is to stop before.
    fn insist<T>(&mut self, mut ask: impl AsyncFnMut(&mut Ingestion) -> Result<T, ArchiveError>) -> Option<T> {
        let mut warned = false;
        loop {
            match self.runtime.block_on(ask(&mut self.ingestion)) {
                Ok(answer) => return Some(answer),
                Err(error) if !std::mem::replace(&mut warned, true) => {
                    tracing::warn!(%error, "the database does not answer; waiting for it");
                }
                Err(_) => {}
            }
            metrics::counter!("klaxon_archive_failures_total").increment(1);
            if self.stop.load(Relaxed) {
                return None;
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }

    fn write(&mut self) {
        let before = self.ingestion.counts();
        if self.insist(async |ingestion| ingestion.write().await).is_some() {
            tracing::debug!(?before, after = ?self.ingestion.counts(), "written");
        }
        self.written = Instant::now();
    }
}

impl Follower for Clerk {
    fn begin(&mut self, partition: i32, earliest: i64) -> i64 {
        let begin = async |ingestion: &mut Ingestion| ingestion.assign(Partition(partition), Offset(earliest)).await;
        self.insist(begin).map_or(earliest, |from| from.0)
    }

    fn give_up(&mut self, partition: i32) {
        self.write();
        self.ingestion.revoke(Partition(partition));
    }

    fn hear(&mut self, partition: i32, offset: i64, record: Record) {
        self.insist(async |ingestion| ingestion.take(Partition(partition), Offset(offset), &record).await);
    }

    fn rest(&mut self) {
        if self.ingestion.waiting() >= ROWS || self.written.elapsed() >= WRITE_AFTER {
            self.write();
        }
    }

    fn end(&mut self) {
        self.write();
    }
}
