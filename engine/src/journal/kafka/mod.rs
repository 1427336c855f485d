//! The journal of several engines: its head in Redis, where each append is kept, and all of it in Kafka, which is never waited for.
//!
//! An append returns when Redis has it ([`head`]). Then it goes to the spool on this engine's disk, and from there to Kafka, in
//! order and for as long as it takes; what an engine could not ship before it died, the next one ships, from where Redis knows
//! Kafka to be. So Kafka may hold records twice, but lacks none; [`JournalReader`] drops what is there twice or came too late.
//! A Redis that comes back without memory gets its head again from the spool.

mod consumer;
mod cursor;
mod head;
mod producer;
mod reader;
mod scan;
mod shipper;
mod spool;
mod topic;
mod waiting;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{Record, frame_record};
use klaxon_protocol::player::ToPlayer;
use tokio::task::JoinHandle;

use self::head::{Framed, Head, How};
use self::shipper::Shipper;
use self::spool::Spool;
use self::waiting::Waiting;
use super::{Journal, JournalError, OpenError, Restored};
use crate::redis::Redis;

pub use consumer::{Assignment, FromKafka, JournalConsumer};
pub use reader::{Heard, JournalReader};
pub use scan::{ScanError, read_show, read_show_as_file};
pub use topic::Kafka;

/// How far something has a show: all records before `next`, the last of them under `fence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    next: u64,
    fence: Fence,
}

/// Where a show was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    InHead,
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

/// The journal of several engines. The module's page says what is where.
///
/// It writes only shows whose lease Redis knows (`fence` in the hash [`Keys::lease`](crate::redis::Keys::lease)). Dropping it is as
/// a crash: what is not in Kafka yet is shipped when the same spool is opened again, or by the engine that takes the show up.
pub struct KafkaJournal {
    head: Head,
    spool: Arc<Spool>,
    waiting: Arc<Waiting>,
    kafka: Kafka,
    shipping: JoinHandle<()>,
}

impl KafkaJournal {
    /// Opens the journal whose head is in this Redis, and whose spool is in this directory. Kafka need not answer now.
    ///
    /// # Errors
    /// If Redis does not answer, or another process has the spool open.
    pub async fn open(redis: &Redis, kafka: Kafka, spool: &Path) -> Result<Self, KafkaOpenError> {
        let head = Head::open(redis.clone()).await?;
        let spool = Arc::new(Spool::open(spool).await?);
        let waiting = Arc::new(Waiting::new());
        for show in spool.shows().await? {
            match spool.mark(show).await {
                Ok(mark) => waiting.written(show, mark.map_or(0, |mark| mark.next)),
                Err(error) => tracing::error!(%show, %error, "this file of the spool is damaged, and is not shipped"),
            }
        }
        let shipper = Shipper::new(head.clone(), Arc::clone(&spool), Arc::clone(&waiting), kafka.clone());
        let shipping = tokio::spawn(shipper.run());
        Ok(Self { head, spool, waiting, kafka, shipping })
    }

    /// Returns when Kafka has all that was appended before, however long that takes.
    pub async fn settled(&self) {
        self.waiting.settled().await;
    }

    /// Has the head judge or take records. What Redis has lost of the show before them it gets again.
    async fn to_head(&self, show: ShowId, how: How, records: &[Framed]) -> Result<(), JournalError> {
        let by = records.iter().map(|record| record.fence).max().unwrap_or(Fence(0));
        match self.head.append(show, how, by, records).await {
            Err(JournalError::Gap { expected, found, .. }) if self.refill(show, by, expected, found).await? => {
                self.head.append(show, how, by, records).await
            }
            said => said,
        }
    }

    /// Gives Redis the records `from..until` again, if it has lost them and the spool has them.
    async fn refill(&self, show: ShowId, by: Fence, from: u64, until: u64) -> Result<bool, JournalError> {
        let Some(lost) = self.spool.range(show, from, until).await? else { return Ok(false) };
        self.head.append(show, How::Refill, by, &lost).await?;
        metrics::counter!("klaxon_journal_refills_total").increment(1);
        tracing::warn!(%show, from, until, "Redis had lost a part of the show's journal, and has it again");
        Ok(true)
    }

    /// Gives records that the head has to the spool, and the shipper.
    async fn to_spool(&self, records: &[Record]) {
        if let Err(error) = self.spool.keep(records, &self.head).await {
            metrics::counter!("klaxon_spool_failures_total").increment(1);
            tracing::error!(%error, "the spool can't be written; the show goes on, and Kafka gets it when it can");
        }
        for record in records {
            self.waiting.written(record.show, record.number + 1);
        }
    }

    /// Has a show that is taken up here in the spool, so that it can be shipped, and given to a Redis that lost it.
    async fn take_to_spool(&self, show: ShowId, found: Found, records: &[Record]) {
        match self.head.is_played(show).await {
            // If the lease is ours already, the next append sees to it.
            Ok(true) | Err(_) => return,
            Ok(false) => {}
        }
        let written = match found {
            Found::InHead => self.spool.restore(show, &self.head).await,
            Found::Elsewhere => self.spool.replace(show, records).await,
        };
        if let Err(error) = written {
            metrics::counter!("klaxon_spool_failures_total").increment(1);
            tracing::error!(%show, %error, "the spool can't be written");
        }
        self.waiting.written(show, records.len() as u64);
    }

    /// A show that is not in Redis.
    async fn read_elsewhere(&self, show: ShowId) -> Result<Vec<Record>, JournalError> {
        // Where Redis knows nothing any more, another engine may have played the show on: Kafka has that.
        let spooled = self.spool.read(show).await?;
        let reached = |records: &[Record]| records.last().map(|last| (last.fence, last.number));
        match read_show(&self.kafka, show).await {
            Ok(records) if reached(&records) < reached(&spooled) => Ok(spooled),
            Ok(records) => Ok(records),
            Err(_) if !spooled.is_empty() => Ok(spooled),
            Err(ScanError::Damaged { offset, problem }) => {
                let offset = u64::try_from(offset).unwrap_or(0);
                Err(JournalError::Damaged { show, offset, problem: format!("{problem} (in Kafka)") })
            }
            Err(error) => Err(JournalError::Unavailable(error.to_string())),
        }
    }
}

#[async_trait]
impl Journal for KafkaJournal {
    async fn append(&self, records: &[Record]) -> Result<(), JournalError> {
        let since = Instant::now();
        let mut shows: BTreeMap<ShowId, Vec<Framed>> = BTreeMap::new();
        for record in records {
            let &Record { show, number, fence, .. } = record;
            let mut bytes = Vec::new();
            frame_record(record, &mut bytes).map_err(|error| JournalError::BadRecord {
                show,
                number,
                problem: error.to_string(),
            })?;
            shows.entry(show).or_default().push(Framed { number, fence, bytes });
        }
        if shows.len() > 1 {
            for (&show, records) in &shows {
                self.to_head(show, How::Check, records).await?;
            }
        }
        for (&show, records) in &shows {
            self.to_head(show, How::Append, records).await?;
        }
        self.to_spool(records).await;
        metrics::histogram!("klaxon_journal_append_seconds").record(since.elapsed());
        Ok(())
    }

    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError> {
        match self.head.first(show).await? {
            Some(first) => Ok(Some(first)),
            None => Ok(self.read_elsewhere(show).await?.into_iter().next()),
        }
    }

    async fn read(&self, show: ShowId) -> Result<Restored, JournalError> {
        let (mut found, mut records) = (Found::InHead, self.head.read(show).await?);
        if records.is_empty() {
            (found, records) = (Found::Elsewhere, self.read_elsewhere(show).await?);
        } else {
            // A Redis that was killed may have lost the last that it had said yes to; nobody wrote anything else since.
            let spooled = self.spool.read(show).await?;
            if spooled.len() > records.len() && spooled.starts_with(&records) {
                (found, records) = (Found::Elsewhere, spooled);
            }
        }
        if !records.is_empty() {
            self.take_to_spool(show, found, &records).await;
        }
        Ok(Restored { records, cut: None })
    }

    async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        let mut shows = self.head.shows().await?;
        for show in self.spool.shows().await? {
            let Ok(last) = self.spool.tail(show, 1).await else { continue };
            let ended = last.iter().flat_map(|record| &record.events).any(|event| matches!(event, ToPlayer::End(_)));
            if !ended && !self.head.shipped(show).await?.over {
                shows.push(show);
            }
        }
        shows.sort_unstable();
        shows.dedup();
        Ok(shows)
    }

    async fn retire(&self, show: ShowId, fence: Fence) -> Result<(), JournalError> {
        self.head.retire(show, fence).await?;
        self.waiting.is_over(show);
        Ok(())
    }

    async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        if last == 0 {
            return Ok(Vec::new());
        }
        let tail = self.head.tail(show, last).await?;
        if !tail.is_empty() {
            return Ok(tail);
        }
        let mut records = self.read_elsewhere(show).await?;
        Ok(records.split_off(records.len().saturating_sub(last)))
    }
}

impl Drop for KafkaJournal {
    fn drop(&mut self) {
        self.shipping.abort();
    }
}
