//! Writes what was read from the journals, together with the offsets, in one transaction: a crash leaves both or
//! neither.

use klaxon_protocol::ids::ShowId;
use sqlx::AnyConnection;

use super::batch::{ArchivedAnswer, JournalBatch, JournalState, Progress};
use super::dialect::{Dialect, OnConflict, Table};
use super::store::{insert, integer};
use super::{SqlArchive, failed, queries, rows};
use crate::archive::ArchiveError;
use crate::journal::{Offset, Partition};

const ANSWERS: Table = Table {
    name: "answers",
    columns: &["show", "question", "seat", "choice", "read_at"],
    key: &["show", "question", "seat"],
    again: OnConflict::Kept,
};
const JOURNALS: Table = Table {
    name: "journals",
    columns: &["show", "topic", "partition", "first_offset", "next_number", "fence", "state"],
    key: &["show"],
    // A reader that was paused and writes late does not lower these.
    again: OnConflict::Raised(&["next_number", "fence", "state"]),
};
const OFFSETS: Table = Table {
    name: "offsets",
    columns: &["topic", "partition", "next_offset"],
    key: &["topic", "partition"],
    again: OnConflict::Raised(&["next_offset"]),
};

impl SqlArchive {
    /// Writes a batch, all or nothing. Writing it again changes nothing.
    ///
    /// # Errors
    /// [`ArchiveError::BadResults`] if a show's results can't be stored: [`JournalBatch::set_aside`] takes them out.
    /// [`ArchiveError::Unavailable`]: the same batch may be written again.
    pub async fn ingest(&self, batch: &JournalBatch) -> Result<(), ArchiveError> {
        self.write(&batch.results, Some(batch)).await
    }

    /// The offset from which to continue each partition of a topic, as far as written.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    pub async fn offsets(&self, topic: &str) -> Result<Vec<(Partition, Offset)>, ArchiveError> {
        let found = self.query(queries::OFFSETS).bind(topic).fetch_all(&self.pool).await.map_err(failed)?;
        rows::each(&found, rows::offset)
    }

    /// A partition's unfinished shows, with how far each was read.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    pub async fn shows_going_on(&self, topic: &str, partition: Partition) -> Result<Vec<Progress>, ArchiveError> {
        let query = self.query(queries::JOURNALS).bind(topic).bind(i64::from(partition.0));
        let query = query.bind(JournalState::GoesOn.number());
        rows::each(&query.fetch_all(&self.pool).await.map_err(failed)?, rows::progress)
    }

    /// How far a show's journal was read; none if nothing of it was.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    pub async fn progress(&self, topic: &str, show: ShowId) -> Result<Option<Progress>, ArchiveError> {
        let query = self.query(queries::JOURNAL).bind(topic).bind(show.to_string());
        query.fetch_optional(&self.pool).await.map_err(failed)?.as_ref().map(rows::progress).transpose()
    }

    /// A show's answers, by question and seat.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    pub async fn answers(&self, show: ShowId) -> Result<Vec<ArchivedAnswer>, ArchiveError> {
        let found = self.query(queries::ANSWERS).bind(show.to_string()).fetch_all(&self.pool).await.map_err(failed)?;
        rows::each(&found, |row| rows::answer(row, show))
    }
}

/// Writes everything in a batch but the results.
pub(super) async fn insert_batch(
    connection: &mut AnyConnection,
    dialect: Dialect,
    batch: &JournalBatch,
) -> Result<(), sqlx::Error> {
    insert(connection, dialect, &ANSWERS, &batch.answers, |row, answer| {
        row.bind(answer.show.to_string())
            .bind(i64::from(answer.question.0))
            .bind(i64::from(answer.seat.0))
            .bind(i64::from(answer.choice.0))
            .bind(integer(answer.read_at.0))
    })
    .await?;
    insert(connection, dialect, &JOURNALS, &batch.progress, |row, progress| {
        row.bind(progress.show.to_string())
            .bind(&batch.topic)
            .bind(i64::from(progress.partition.0))
            .bind(progress.first.0)
            .bind(integer(progress.next))
            .bind(integer(progress.fence.0))
            .bind(progress.state.number())
    })
    .await?;
    insert(connection, dialect, &OFFSETS, &batch.offsets, |row, (partition, next)| {
        row.bind(&batch.topic).bind(i64::from(partition.0)).bind(next.0)
    })
    .await
}

impl JournalBatch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.results.is_empty() && self.progress.is_empty() && self.offsets.is_empty()
    }

    /// Removes a show's results, which the archive refused, and marks its journal as set aside.
    pub fn set_aside(&mut self, show: ShowId) {
        self.results.retain(|results| results.summary.show != show);
        for progress in self.progress.iter_mut().filter(|progress| progress.show == show) {
            progress.state = JournalState::SetAside;
        }
    }
}

impl JournalState {
    const ALL: [Self; 3] = [Self::GoesOn, Self::Over, Self::SetAside];

    /// The number in the table, which is only ever raised.
    const fn number(self) -> i64 {
        self as i64
    }

    pub(super) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}
