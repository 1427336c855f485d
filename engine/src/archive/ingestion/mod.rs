//! The work of `klaxon archive`: records of a topic read into a database, exactly once in effect.
//!
//! Whoever reads the topic calls this, one call after the other: [`Ingestion::assign`] for each partition that it gets, and reads
//! from where it says; [`Ingestion::take`] for each record; [`Ingestion::write`] now and then. It commits no offsets of its own:
//! they are in the database, in the same transaction as what they stand for.

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
    /// Taken out of the reader, and not surely written.
    unwritten: Option<JournalBatch>,
}

impl Ingestion {
    /// Reads the topic, whose sealed records these keys open, into the archive.
    #[must_use]
    pub fn new(archive: SqlArchive, topic: &str, games: Games, keys: SealKeys) -> Self {
        Self { archive, topic: topic.to_owned(), reader: ArchiveReader::new(topic, games, keys), unwritten: None }
    }

    /// Takes a partition on, whose first record that can still be read is at `earliest`. Returns where to read from.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`]; ask again.
    pub async fn assign(&mut self, partition: Partition, earliest: Offset) -> Result<Offset, ArchiveError> {
        let offsets = self.archive.offsets(&self.topic).await?;
        let goes_on = offsets.iter().find(|(of, _)| *of == partition).map(|&(_, offset)| offset);
        let shows = self.archive.shows_going_on(&self.topic, partition).await?;
        Ok(self.reader.assign(partition, goes_on, shows, earliest))
    }

    /// Gives a partition up; what it told and was not written, whoever gets it next reads again.
    pub fn revoke(&mut self, partition: Partition) {
        self.reader.revoke(partition);
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

    /// A show that this reader meets for the first time may be one that another has read.
    async fn meet(&mut self, show: ShowId) -> Result<(), ArchiveError> {
        if !self.reader.knows(show)
            && let Some(progress) = self.archive.progress(&self.topic, show).await?
        {
            self.reader.remember(progress);
        }
        Ok(())
    }

    /// How many rows wait to be written, about.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.reader.waiting()
    }

    /// Writes all that was taken. Results that the archive refuses are set aside, and stop nothing else.
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

    /// What became of the records so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.reader.counts()
    }
}
