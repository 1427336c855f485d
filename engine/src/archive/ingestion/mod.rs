//! The work of `klaxon archive`: records of a topic read into a database, exactly once in effect.
//!
//! The task that reads the topic calls, one call at a time: [`Ingestion::assign`] for each partition that is assigned
//! to it, then it reads from the returned offset; [`Ingestion::take`] for each record; [`Ingestion::write`] at
//! intervals. No offsets are committed to Kafka here: they are in the database, in the same transaction as the rows
//! that were made of the records.

#[cfg(test)]
mod tests;

use klaxon_protocol::ids::ShowId;
use klaxon_protocol::journal::Record;

use super::ArchiveError;
use super::reader::{ArchiveReader, Counts};
use super::sql::{JournalBatch, Offset, Partition, SqlArchive};
use crate::game::Games;
use crate::seal::SealKeys;

/// A reader of journals, and the database that it fills.
pub struct Ingestion {
    archive: SqlArchive,
    topic: String,
    reader: ArchiveReader,
    /// A batch that was taken from the reader and is not known to be written.
    unwritten: Option<JournalBatch>,
}

impl Ingestion {
    /// Reads the topic, whose sealed records these keys open, into the archive.
    #[must_use]
    pub fn new(archive: SqlArchive, topic: &str, games: Games, keys: SealKeys) -> Self {
        Self { archive, topic: topic.to_owned(), reader: ArchiveReader::new(topic, games, keys), unwritten: None }
    }

    /// Begins to read a partition whose first available record is at `earliest`. Returns the offset to read from.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`]; ask again.
    pub async fn assign(&mut self, partition: Partition, earliest: Offset) -> Result<Offset, ArchiveError> {
        let offsets = self.archive.offsets(&self.topic).await?;
        let goes_on = offsets.iter().find(|(of, _)| *of == partition).map(|&(_, offset)| offset);
        let shows = self.archive.shows_going_on(&self.topic, partition).await?;
        Ok(self.reader.assign(partition, goes_on, shows, earliest))
    }

    /// Stops reading a partition. What was read from it and not written is read again by the partition's next reader.
    pub fn revoke(&mut self, partition: Partition) {
        self.reader.revoke(partition);
    }

    /// Whether somebody takes a seat by this record, and it is yet to be found out who.
    #[must_use]
    pub fn lacks_person(&self, record: &Record) -> bool {
        self.reader.lacks_person(record)
    }

    /// Takes the next record of a partition.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`]: the record was not taken; ask again with it.
    pub async fn take(&mut self, partition: Partition, offset: Offset, record: &Record) -> Result<(), ArchiveError> {
        self.meet(record.show).await?;
        self.reader.take(partition, offset, record.clone());
        Ok(())
    }

    /// Loads a show's progress from the archive, if this reader does not know the show: another reader may have read
    /// it.
    async fn meet(&mut self, show: ShowId) -> Result<(), ArchiveError> {
        if !self.reader.knows(show)
            && let Some(progress) = self.archive.progress(&self.topic, show).await?
        {
            self.reader.remember(progress);
        }
        Ok(())
    }

    /// Approximate number of rows that wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.reader.waiting()
    }

    /// Writes everything that was taken. A show whose results the archive refuses is set aside; the others are written.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`]; nothing is lost, ask again.
    pub async fn write(&mut self) -> Result<(), ArchiveError> {
        loop {
            let batch = self.unwritten.get_or_insert_with(|| self.reader.batch());
            if batch.is_empty() {
                self.unwritten = None;
                return Ok(());
            }
            match self.archive.ingest(batch).await {
                Ok(()) => self.unwritten = None,
                Err(ArchiveError::BadResults { show, problem }) => {
                    batch.set_aside(show);
                    self.reader.set_aside(show, problem);
                }
                Err(unavailable @ ArchiveError::Unavailable(_)) => return Err(unavailable),
            }
        }
    }

    /// How many records had each outcome so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.reader.counts()
    }
}
