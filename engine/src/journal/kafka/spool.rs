//! The spool: each show on this engine's disk, from where it goes to Kafka, and from where a Redis that lost it gets it back.
//!
//! It follows the head. What is left of a show that another engine has moved on does not fit any more: it is dropped and written
//! anew from the head.

use std::path::Path;

use dashmap::DashMap;
use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::{MAGIC, Record, Records};
use tokio::sync::Mutex;

use super::Mark;
use super::head::{Framed, Head};
use crate::journal::{FileJournal, Journal as _, JournalError, OpenError, SyncPolicy};

/// How many bytes are read at once while a place is looked for.
const STEP: usize = 1 << 20;

/// Records of a show's file, and where they end in it.
pub(super) struct Part {
    /// Each with where it ends.
    pub(super) records: Vec<(Framed, u64)>,
    /// The file was not written anew since this number was given; places in it mean something.
    pub(super) generation: u64,
}

/// All shows on this engine's disk.
pub(super) struct Spool {
    files: FileJournal,
    /// How often each show's file was written anew.
    generations: DashMap<ShowId, u64>,
    /// Held by who writes a file anew.
    rewriting: Mutex<()>,
}

impl Spool {
    /// The spool in `directory`. The operating system syncs it when it likes: Redis has what is in it.
    pub(super) async fn open(directory: &Path) -> Result<Self, OpenError> {
        let files = FileJournal::open(directory, SyncPolicy::Never).await?;
        Ok(Self { files, generations: DashMap::new(), rewriting: Mutex::default() })
    }

    /// Keeps records that the head has. What does not fit is written anew as the head has it.
    pub(super) async fn keep(&self, records: &[Record], head: &Head) -> Result<(), JournalError> {
        match self.files.write(records).await {
            Err(JournalError::Unavailable(problem)) => Err(JournalError::Unavailable(problem)),
            Err(error) => {
                tracing::debug!(%error, "a show in the spool is written anew");
                let mut shows: Vec<ShowId> = records.iter().map(|record| record.show).collect();
                shows.dedup();
                for show in shows {
                    self.restore(show, head).await?;
                }
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Makes a show's file hold what the head has, if it has the show.
    pub(super) async fn restore(&self, show: ShowId, head: &Head) -> Result<(), JournalError> {
        let _rewriting = self.rewriting.lock().await;
        // In this order: what comes to the file meanwhile came to the head before.
        let kept = self.kept(show).await;
        let whole = head.read(show).await?;
        if whole.is_empty() { Ok(()) } else { self.put(show, kept, &whole).await }
    }

    /// Makes a show's file hold these records, which no head has.
    pub(super) async fn replace(&self, show: ShowId, records: &[Record]) -> Result<(), JournalError> {
        let _rewriting = self.rewriting.lock().await;
        let kept = self.kept(show).await;
        self.put(show, kept, records).await
    }

    /// What a show's file has; none if it can't be read.
    async fn kept(&self, show: ShowId) -> Option<Vec<Record>> {
        self.files.read(show).await.ok().map(|restored| restored.records)
    }

    async fn put(&self, show: ShowId, kept: Option<Vec<Record>>, whole: &[Record]) -> Result<(), JournalError> {
        if kept.is_some_and(|kept| whole.starts_with(&kept)) {
            return self.files.write(whole).await;
        }
        self.turn_over(show);
        self.files.remove(show).await?;
        let written = self.files.write(whole).await;
        self.turn_over(show);
        written
    }

    /// Drops a show.
    pub(super) async fn remove(&self, show: ShowId) -> Result<(), JournalError> {
        let _rewriting = self.rewriting.lock().await;
        self.turn_over(show);
        self.files.remove(show).await
    }

    fn turn_over(&self, show: ShowId) {
        *self.generations.entry(show).or_default() += 1;
    }

    /// How often the show's file was written anew.
    pub(super) fn generation(&self, show: ShowId) -> u64 {
        self.generations.get(&show).map_or(0, |generation| *generation)
    }

    /// The records from byte `start` of the show's file on, about `most` bytes of them.
    pub(super) async fn part(&self, show: ShowId, start: u64, most: usize) -> Result<Part, JournalError> {
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
            records.push((Framed { number: record.number, fence: record.fence, bytes }, end));
        }
        Ok(Part { records, generation })
    }

    /// The byte after the record that `mark` names, if the file has this very record.
    pub(super) async fn find(&self, show: ShowId, mark: Mark) -> Result<Option<u64>, JournalError> {
        let mut start = 0;
        loop {
            let part = self.part(show, start, STEP).await?;
            let Some(&(_, end)) = part.records.last() else { return Ok(None) };
            let found = part.records.iter().find(|(record, _)| record.number + 1 == mark.next);
            if let Some((record, end)) = found {
                return Ok((record.fence == mark.fence).then_some(*end));
            }
            start = end;
        }
    }

    /// The records `from..until` of a show, if it has them all.
    pub(super) async fn range(&self, show: ShowId, from: u64, until: u64) -> Result<Option<Vec<Framed>>, JournalError> {
        let (mut start, mut found) = (0, Vec::new());
        loop {
            let part = self.part(show, start, STEP).await?;
            let Some(&(_, end)) = part.records.last() else { return Ok(None) };
            for (record, _) in part.records {
                if record.number >= until {
                    return Ok(Some(found));
                }
                if record.number >= from {
                    found.push(record);
                }
            }
            if found.last().is_some_and(|last| last.number + 1 == until) {
                return Ok(Some(found));
            }
            start = end;
        }
    }

    /// Where the show's file ends.
    pub(super) async fn mark(&self, show: ShowId) -> Result<Option<Mark>, JournalError> {
        let last = self.files.tail(show, 1).await?;
        Ok(last.last().map(|record| Mark { next: record.number + 1, fence: record.fence }))
    }

    /// All its records; none if it does not have the show, or its file is damaged.
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

    /// Its last records.
    pub(super) async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError> {
        self.files.tail(show, last).await
    }

    /// The shows it has something of.
    pub(super) async fn shows(&self) -> Result<Vec<ShowId>, JournalError> {
        self.files.shows().await
    }
}
