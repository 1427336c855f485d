//! The journal of several engines. While a show runs its journal is in Redis, where an append is acknowledged; all
//! journals are uploaded to Kafka, which no show waits for.
//!
//! An append returns when Redis has it ([`redis_log`]). It is then copied to the spool on this engine's disk, from
//! which it is uploaded to Kafka in order, with retries. What an engine has not uploaded when it dies is uploaded by
//! the show's next engine, from the progress that Redis has. So Kafka may have records twice, but misses none;
//! [`JournalReader`] drops duplicates and late records. A Redis that lost its data gets the records again from the
//! spool.
//!
//! What stands apart from the records goes the same way beside them: a hash in Redis, a second file in the spool, and a topic of
//! its own ([`people`]), of which a record is acknowledged before the journal's record that it belongs to is sent.

mod backlog;
mod consumer;
mod cursor;
mod forget;
mod people;
mod people_ahead;
mod people_reader;
mod producer;
mod reader;
mod redis_log;
mod scan;
mod spool;
mod topic;
mod uploader;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::Record;
use klaxon_protocol::player::ToPlayer;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::backlog::Backlog;
use self::redis_log::{AppendMode, Framed, RedisLog};
use self::spool::Spool;
use self::uploader::Uploader;
use super::{Journal, JournalError, OpenError, Restored};
use crate::redis::Redis;

pub use consumer::{Assignment, ConsumerEvent, JournalConsumer};
pub use forget::{ForgetError, Forgetting, ForgottenInCluster, forget_in_cluster};
pub use people_reader::PeopleReader;
pub use reader::{JournalReader, RecordStatus};
pub use scan::{ScanError, read_show};
pub use topic::Kafka;

/// How much of a show a store has: all records before `next`, the last of them under `fence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ShowProgress {
    next: u64,
    fence: Fence,
}

/// Where a show's records were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Redis,
    Elsewhere,
}

/// Why a journal on Kafka could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum KafkaOpenError {
    /// Redis does not answer.
    #[error("Redis: {0}")]
    Redis(#[from] ::redis::RedisError),
    /// The spool can't be opened.
    #[error(transparent)]
    Spool(#[from] OpenError),
    /// The spool can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The journal of several engines; the module's page describes where it stores what.
///
/// It writes only shows whose lease Redis has (`fence` in the hash [`Keys::lease`](crate::redis::Keys::lease)).
/// Dropping it is like a crash: what is not in Kafka yet is uploaded when the same spool is opened again, or by the
/// engine that takes the show over.
pub struct KafkaJournal {
    redis_log: RedisLog,
    spool: Arc<Spool>,
    backlog: Arc<Backlog>,
    kafka: Kafka,
    uploading: JoinHandle<()>,
}

impl KafkaJournal {
    /// Opens the journal in this Redis, with its spool in this directory. Kafka need not answer now.
    ///
    /// # Errors
    /// If Redis does not answer, or another process has the spool open.
    pub async fn open(redis: &Redis, kafka: Kafka, spool: &Path) -> Result<Self, KafkaOpenError> {
        let redis_log = RedisLog::open(redis.clone()).await?;
        let spool = Arc::new(Spool::open(spool).await?);
        let backlog = Arc::new(Backlog::new());
        let found = spool.shows().await?;
        for &show in &found {
            match spool.progress(show).await {
                Ok(progress) => backlog.written(show, progress.map_or(0, |progress| progress.next)),
                Err(error) => tracing::error!(%show, %error, "this file of the spool is damaged, and is not uploaded"),
            }
        }
        let uploader = Uploader::new(redis_log.clone(), Arc::clone(&spool), Arc::clone(&backlog), kafka.clone(), found);
        let uploading = tokio::spawn(uploader.run());
        Ok(Self { redis_log, spool, backlog, kafka, uploading })
    }

    /// Waits until Kafka has everything that was appended.
    pub async fn flushed(&self) {
        self.backlog.flushed().await;
    }

    /// Checks or appends records in Redis. Earlier records of the show that Redis has lost are written again first.
    async fn write_to_redis(&self, show: ShowId, how: AppendMode, records: &[Framed]) -> Result<(), JournalError> {
        let by = records.iter().map(|record| record.fence).max().expect("an append has records");
        match self.redis_log.append(show, how, by, records).await {
            Err(JournalError::Gap { expected, found, .. }) if self.refill(show, by, expected, found).await? => {
                self.redis_log.append(show, how, by, records).await
            }
            written => written,
        }
    }

    /// Writes the records `from..until` to Redis again, if the spool has them.
    async fn refill(&self, show: ShowId, by: Fence, from: u64, until: u64) -> Result<bool, JournalError> {
        let Some(lost) = self.spool.range(show, from, until).await? else { return Ok(false) };
        self.redis_log.append(show, AppendMode::Refill, by, &lost).await?;
        metrics::counter!("klaxon_journal_refills_total").increment(1);
        tracing::warn!(%show, from, until, "Redis had lost a part of the journal; it was restored from the spool");
        Ok(true)
    }

    /// Appends records that Redis has to the spool, from which they are uploaded.
    async fn append_to_spool(&self, records: &[Record]) {
        if let Err(error) = self.spool.append(records, &self.redis_log).await {
            metrics::counter!("klaxon_spool_failures_total").increment(1);
            tracing::error!(%error, "the spool can't be written; the show goes on, and Kafka gets it when it can");
        }
        for record in records {
            self.backlog.written(record.show, record.number + 1);
        }
    }

    /// Copies a show that is taken over to the spool, so that it can be uploaded, and restored to a Redis that loses
    /// it.
    async fn copy_to_spool(&self, show: ShowId, source: Source, records: &[Record]) {
        match self.redis_log.is_played(show).await {
            // If this engine plays the show already, its next append updates the spool.
            Ok(true) | Err(_) => return,
            Ok(false) => {}
        }
        let written = match source {
            Source::Redis => self.spool.restore(show, &self.redis_log).await.map(drop),
            Source::Elsewhere => self.spool.replace(show, records).await,
        };
        if let Err(error) = written {
            metrics::counter!("klaxon_spool_failures_total").increment(1);
            tracing::error!(%show, %error, "the spool can't be written");
        }
        self.backlog.written(show, records.len() as u64);
    }

    /// Reads a show that is not in Redis: from Kafka or the spool, whichever has more.
    async fn read_elsewhere(&self, show: ShowId) -> Result<Vec<Record>, JournalError> {
        // If Redis lost the show, another engine may have continued it, and its records are in Kafka.
        let spooled = self.spool.read(show).await?;
        let progress = |records: &[Record]| records.last().map(|last| (last.fence, last.number));
        match read_show(&self.kafka, show).await {
            Ok(records) if progress(&records) < progress(&spooled) => Ok(spooled),
            Ok(records) => Ok(records),
            Err(_) if !spooled.is_empty() => Ok(spooled),
            Err(ScanError::Damaged { offset, problem }) => {
                let offset = u64::try_from(offset).expect("an offset in Kafka is not negative");
                Err(JournalError::Damaged { show, offset, problem: format!("{problem} (in Kafka)") })
            }
            Err(error) => Err(JournalError::Unavailable(error.to_string())),
        }
    }
}

#[async_trait]
impl Journal for KafkaJournal {
    fn keeps_apart(&self) -> bool {
        true
    }

    async fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        let since = Instant::now();
        let mut shows: BTreeMap<ShowId, Vec<Framed>> = BTreeMap::new();
        for record in records {
            shows.entry(record.show).or_default().push(Framed::of(record)?);
        }
        if shows.len() > 1 {
            for (&show, records) in &shows {
                self.write_to_redis(show, AppendMode::Check, records).await?;
            }
        }
        for (&show, records) in &shows {
            self.write_to_redis(show, AppendMode::Append, records).await?;
        }
        self.append_to_spool(records).await;
        metrics::histogram!("klaxon_journal_append_seconds").record(since.elapsed());
        Ok(())
    }

    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError> {
        match self.redis_log.first(show).await? {
            Some(first) => Ok(Some(first)),
            None => Ok(self.read_elsewhere(show).await?.into_iter().next()),
        }
    }

    async fn read(&self, show: ShowId) -> Result<Restored, JournalError> {
        let (mut source, mut records) = (Source::Redis, self.redis_log.read(show).await?);
        if records.is_empty() {
            (source, records) = (Source::Elsewhere, self.read_elsewhere(show).await?);
        } else {
            // A Redis that was killed may have lost the last records that it acknowledged; then the spool has more.
            let spooled = self.spool.read(show).await?;
            if spooled.len() > records.len() && spooled.starts_with(&records) {
                (source, records) = (Source::Elsewhere, spooled);
            }
        }
        if !records.is_empty() {
            self.copy_to_spool(show, source, &records).await;
        }
        Ok(Restored { records, cut: None })
    }

    async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        let mut shows = self.redis_log.shows().await?;
        for show in self.spool.shows().await? {
            let Ok(last) = self.spool.tail(show, 1).await else { continue };
            let ended = last.iter().flat_map(|record| &record.events).any(|event| matches!(event, ToPlayer::End(_)));
            if !ended && !self.redis_log.uploaded(show).await?.over {
                shows.push(show);
            }
        }
        shows.sort_unstable();
        shows.dedup();
        Ok(shows)
    }

    async fn retire(&self, show: ShowId, fence: Fence) -> Result<(), JournalError> {
        self.redis_log.retire(show, fence).await?;
        self.backlog.is_over(show);
        Ok(())
    }

    async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        if last == 0 {
            return Ok(Vec::new());
        }
        let tail = self.redis_log.tail(show, last).await?;
        if !tail.is_empty() {
            return Ok(tail);
        }
        let mut records = self.read_elsewhere(show).await?;
        Ok(records.split_off(records.len().saturating_sub(last)))
    }
}

impl Drop for KafkaJournal {
    fn drop(&mut self) {
        self.uploading.abort();
    }
}
