//! The spool: a copy of each show on this engine's disk, from which it is uploaded to Kafka, or restored to a Redis
//! that lost it.
//!
//! It copies what Redis has. If another engine has continued a show, the show's file no longer matches, and is
//! rewritten from Redis.
//!
//! What stands apart from the records is in a second file beside the first, written before it, as every file journal does.
//!
//! The disk is its only limit: when it is full writes fail (`klaxon_spool_failures_total`), the show continues in
//! Redis, and the file is rewritten from Redis once the disk has space.

use std::path::{Path, PathBuf};

use dashmap::DashMap;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::{MAGIC, Record, Records};
use klaxon_protocol::register::PersonRecord;
use klaxon_protocol::time::Millis;
use tokio::sync::Mutex;

use super::ShowProgress;
use super::redis_log::{Framed, RedisLog};
use crate::journal::{FileJournal, Journal as _, JournalError, OpenError, SyncPolicy};

/// How many bytes are read at once to find a record.
const READ_SIZE: usize = 1 << 20;
/// How many bytes of person records are read at once.
const PEOPLE_READ_SIZE: usize = 256 << 10;

/// A record of a show's file.
pub(super) struct SpooledRecord {
    pub(super) number: u64,
    pub(super) fence: Fence,
    /// In its frame.
    pub(super) bytes: Vec<u8>,
    /// The offset of its end in the file.
    pub(super) end: u64,
    /// Whether anything may stand apart from it.
    pub(super) has_apart: bool,
}

/// Records of a show's file.
pub(super) struct SpoolPart {
    pub(super) records: Vec<SpooledRecord>,
    /// How often the file had been rewritten: offsets in it are valid within one generation.
    pub(super) generation: u64,
}

/// The spooled shows of this engine.
pub(super) struct Spool {
    files: FileJournal,
    /// How often each show's file was rewritten.
    generations: DashMap<ShowId, u64>,
    /// Held while a file is rewritten.
    rewriting: Mutex<()>,
}

impl Spool {
    /// Opens the spool in `directory`. It is never synced explicitly, since Redis has its content too.
    pub(super) async fn open(directory: &Path) -> Result<Self, OpenError> {
        let files = FileJournal::open(directory, SyncPolicy::Never).await?;
        Ok(Self { files, generations: DashMap::new(), rewriting: Mutex::default() })
    }

    /// Appends records that Redis has. If they do not follow the file's last record, the file is rewritten from Redis.
    pub(super) async fn append(&self, records: &[Record], redis_log: &RedisLog) -> Result<(), JournalError> {
        match self.files.write(records).await {
            Err(JournalError::Unavailable(problem)) => Err(JournalError::Unavailable(problem)),
            Err(error) => {
                tracing::debug!(%error, "a show in the spool is rewritten");
                let mut shows: Vec<ShowId> = records.iter().map(|record| record.show).collect();
                shows.dedup();
                for show in shows {
                    self.restore(show, redis_log).await?;
                }
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Rewrites a show's file from Redis. Returns whether Redis has the show.
    pub(super) async fn restore(&self, show: ShowId, redis_log: &RedisLog) -> Result<bool, JournalError> {
        let _rewriting = self.rewriting.lock().await;
        // The file is read before Redis: records that are appended in between are in Redis already.
        let kept = self.kept(show).await;
        let whole = redis_log.read(show).await?;
        if whole.is_empty() {
            return Ok(false);
        }
        self.put(show, kept, &whole).await.map(|()| true)
    }

    /// Rewrites a show's file with these records, which Redis does not have.
    pub(super) async fn replace(&self, show: ShowId, records: &[Record]) -> Result<(), JournalError> {
        let _rewriting = self.rewriting.lock().await;
        let kept = self.kept(show).await;
        self.put(show, kept, records).await
    }

    /// The records in a show's file; none if it can't be read.
    async fn kept(&self, show: ShowId) -> Option<Vec<Record>> {
        self.files.read(show).await.ok().map(|restored| restored.records)
    }

    async fn put(&self, show: ShowId, kept: Option<Vec<Record>>, whole: &[Record]) -> Result<(), JournalError> {
        if kept.is_some_and(|kept| whole.starts_with(&kept)) {
            return self.files.write(whole).await;
        }
        self.begin_generation(show);
        self.files.remove(show).await?;
        let written = self.files.write(whole).await;
        self.begin_generation(show);
        written
    }

    /// Sets aside what stands apart from a show, which is damaged: what stands before the damage is kept. Returns the damaged file's name.
    pub(super) async fn set_people_aside(&self, show: ShowId) -> Result<PathBuf, JournalError> {
        let _rewriting = self.rewriting.lock().await;
        self.begin_generation(show);
        let aside = self.files.set_people_aside(show).await;
        self.begin_generation(show);
        aside
    }

    /// Drops a show.
    pub(super) async fn remove(&self, show: ShowId) -> Result<(), JournalError> {
        let _rewriting = self.rewriting.lock().await;
        self.begin_generation(show);
        self.files.remove(show).await
    }

    fn begin_generation(&self, show: ShowId) {
        *self.generations.entry(show).or_default() += 1;
    }

    /// How often the show's file was rewritten.
    pub(super) fn generation(&self, show: ShowId) -> u64 {
        self.generations.get(&show).map_or(0, |generation| *generation)
    }

    /// The records from byte `start` of the show's file on, about `most` bytes of them.
    pub(super) async fn part(&self, show: ShowId, start: u64, most: usize) -> Result<SpoolPart, JournalError> {
        let generation = self.generation(show);
        let start = start.max(MAGIC.len() as u64);
        let (bytes, _) = self.files.part(show, start, most).await?;
        let mut whole = MAGIC.to_vec();
        whole.extend_from_slice(&bytes);
        let damaged = |offset: usize, problem: String| JournalError::Damaged { show, offset: offset as u64, problem };
        let mut reading = Records::new(&whole).map_err(|error| damaged(0, error.to_string()))?;
        let mut records = Vec::new();
        while let Some(item) = reading.next() {
            let (offset, record) = item.map_err(|error| damaged(reading.offset(), error.to_string()))?;
            let bytes = whole[offset..reading.offset()].to_vec();
            let end = start + (reading.offset() - MAGIC.len()) as u64;
            let (number, fence, has_apart) = (record.number, record.fence, record.has_apart());
            records.push(SpooledRecord { number, fence, bytes, end, has_apart });
        }
        Ok(SpoolPart { records, generation })
    }

    /// The offset after the last record of this progress, if the file has exactly that record.
    pub(super) async fn find(&self, show: ShowId, progress: ShowProgress) -> Result<Option<u64>, JournalError> {
        let mut start = 0;
        loop {
            let part = self.part(show, start, READ_SIZE).await?;
            let Some(last) = part.records.last() else { return Ok(None) };
            start = last.end;
            if let Some(record) = part.records.iter().find(|record| record.number + 1 == progress.next) {
                return Ok((record.fence == progress.fence).then_some(record.end));
            }
        }
    }

    /// Person records from byte `start` of what stands apart from the show's file on, each with its end.
    pub(super) async fn people_part(&self, show: ShowId, start: u64) -> Result<Vec<(PersonRecord, u64)>, JournalError> {
        self.files.people_part(show, start, PEOPLE_READ_SIZE).await
    }

    /// Where in what stands apart from the show's file that begins which belongs to record `number` and later ones.
    pub(super) async fn find_people(&self, show: ShowId, number: u64) -> Result<u64, JournalError> {
        let mut start = 0;
        loop {
            let part = self.people_part(show, start).await?;
            if part.is_empty() {
                return Ok(start);
            }
            for (person, end) in part {
                if person.number >= number {
                    return Ok(start);
                }
                start = end;
            }
        }
    }

    /// The records `from..until` of a show, with what stands apart from them, if the file has them all.
    pub(super) async fn range(&self, show: ShowId, from: u64, until: u64) -> Result<Option<Vec<Framed>>, JournalError> {
        let records = self.files.read(show).await?.records;
        let wanted = records.iter().filter(|record| (from..until).contains(&record.number));
        let found = wanted.map(Framed::of).collect::<Result<Vec<_>, _>>()?;
        Ok((found.len() as u64 == until.saturating_sub(from)).then_some(found))
    }

    /// How much of the show is in its file.
    pub(super) async fn progress(&self, show: ShowId) -> Result<Option<ShowProgress>, JournalError> {
        let last = self.files.tail(show, 1).await?;
        Ok(last.last().map(|record| ShowProgress { next: record.number + 1, fence: record.fence }))
    }

    /// All records of a show; empty if the show is not in the spool, or its file is damaged.
    pub(super) async fn read(&self, show: ShowId) -> Result<Vec<Record>, JournalError> {
        match self.files.read(show).await {
            Ok(restored) => Ok(restored.records),
            Err(error @ JournalError::Damaged { .. }) => {
                tracing::error!(%show, %error, "a damaged file of the spool is not used");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// The time at which the show was begun; none if the spool does not have its first record.
    pub(super) async fn begun_at(&self, show: ShowId) -> Result<Option<Millis>, JournalError> {
        Ok(self.files.first(show).await?.map(|first| first.at))
    }

    /// Its last records.
    pub(super) async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        self.files.tail(show, last).await
    }

    /// The shows that have a file in the spool.
    pub(super) async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        self.files.shows().await
    }
}
