//! The archive: results of finished shows, for queries. A running show never waits for it.
//!
//! docs/archive.md has the tables.

mod found;
pub mod ingestion;
pub mod reader;
#[cfg(feature = "cluster")]
pub mod service;
pub mod sql;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod recorded;

use async_trait::async_trait;
use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::time::Millis;

pub use crate::game::results::{Played, PlayerResults, QuestionResult, RoundResult, ShowResults, ShowSummary};
pub use found::{HardQuestion, PlayedShow, Winner};
pub use sql::SqlArchive;

/// Why an archive refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The results can't be stored as they are; nothing was stored.
    #[error("show {show}: {problem}")]
    BadResults {
        /// Which show.
        show: ShowId,
        /// What is wrong with them.
        problem: String,
    },
    /// The database can't be reached or can't answer. Storing again is safe.
    #[error("the archive is unavailable: {0}")]
    Unavailable(String),
}

/// Keeps the results of shows that are over.
#[async_trait]
pub trait Archive: Send + Sync + 'static {
    /// Stores a show's results, all or nothing. Storing a show again replaces what was stored of it.
    ///
    /// # Errors
    /// Any of [`ArchiveError`].
    async fn store(&self, results: &ShowResults) -> Result<(), ArchiveError>;

    /// A show at a glance; none if it is not in the archive.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`], as all queries.
    async fn show(&self, show: ShowId) -> Result<Option<ShowSummary>, ArchiveError>;

    /// A show's questions, in the order in which they were asked; empty if the show is not in the archive.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    async fn questions(&self, show: ShowId) -> Result<Vec<QuestionResult>, ArchiveError>;

    /// The results of each round as the show's game wrote them, in order; empty if the show is not in the archive, or
    /// is trivia.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    async fn rounds(&self, show: ShowId) -> Result<Vec<RoundResult>, ArchiveError>;

    /// A show's players by place, equals by seat; those without a place are left out.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    async fn podium(&self, show: ShowId, limit: u32) -> Result<Vec<PlayerResults>, ArchiveError>;

    /// A player's shows, the one that ended last first; equals in any order.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    async fn history_of(&self, player: &PlayerId, limit: u32) -> Result<Vec<PlayedShow>, ArchiveError>;

    /// The questions with the lowest share of right answers among their counted ones, compared in whole millionths;
    /// ties are ordered by more answers, then by later asking. Voided questions and questions without counted answers
    /// are left out.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    async fn hardest_questions(&self, limit: u32) -> Result<Vec<HardQuestion>, ArchiveError>;

    /// The players who won most in `currency` in the shows that ended from `from` on and before `until`, equals by player id.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    async fn top_winners(
        &self,
        from: Millis,
        until: Millis,
        currency: &str,
        limit: u32,
    ) -> Result<Vec<Winner>, ArchiveError>;
}
