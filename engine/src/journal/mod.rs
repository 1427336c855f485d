//! The journal: every command and event of a show, in order, where one crash can't take it away.
//!
//! # The contract
//! - The records of a show are numbered from 0 without holes, and their fences never fall.
//! - An append is checked as a whole before anything of it is written: one that would leave a gap, or that comes under a smaller
//!   fence than the show's last record, is refused and changes nothing.
//! - A record whose number is written already **under the same fence** is the same record, and is skipped: after an error whose
//!   outcome is unknown the same append may be made again. Under another fence it is another engine's record, and the append
//!   is refused.
//! - When an append returns, all its records are kept as the implementation says, skipped ones too. An append that is dropped
//!   before it returns may or may not be written.
//! - What `read` and `tail` return is a prefix of what was appended, never part of a record.
//! - What stands apart from records ([`Apart`](klaxon_protocol::apart::Apart)) is kept before or with them, in a place of its own, by a
//!   journal that says so ([`Journal::keeps_apart`]). `read` puts it into its place again, unless it is forgotten; `tail` does not.

// Only the spool of the cluster's journal removes shows and reads parts of them.
#[cfg_attr(not(feature = "cluster"), allow(dead_code))]
mod file;
#[cfg(feature = "cluster")]
pub mod kafka;
mod place;
mod sealed;

#[cfg(test)]
mod contract;

use async_trait::async_trait;
use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::Record;

pub use file::{FileJournal, Forgotten, OpenError, SyncPolicy};
#[cfg(feature = "cluster")]
pub use kafka::KafkaJournal;
pub use place::{Offset, Partition};
pub use sealed::SealedJournal;

/// What a journal holds of a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// All its records, in order; empty if the journal does not know the show.
    pub records: Vec<Record>,
    /// What was cut off by this read, if anything.
    pub cut: Option<Cut>,
}

/// The end of a journal that a crash had left half-written, and that is gone now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where it was cut, in bytes from the start.
    pub offset: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
}

/// Why a journal refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The record's number is not the next one. Nothing was written.
    #[error("show {show}: the next record is number {expected}, not {found}")]
    Gap {
        /// Which show.
        show: ShowId,
        /// The number of the next record.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// A record came under a smaller fence than an earlier one: another engine has the show. Nothing was written.
    #[error("show {show}: written under fence {newest} already, a record under fence {found} is refused")]
    Fenced {
        /// Which show.
        show: ShowId,
        /// The largest fence in the show's journal.
        newest: Fence,
        /// The fence that came.
        found: Fence,
    },
    /// Another engine had written a record of this number before it lost the show: read the show again. Nothing was written.
    #[error("show {show}: record {number} was written under fence {by} already")]
    Taken {
        /// Which show.
        show: ShowId,
        /// The record's number.
        number: u64,
        /// Under which fence the number was written.
        by: Fence,
    },
    /// The journal knows no lease of the show, which it has to: take one again. Nothing was written.
    #[error("show {show}: no lease of it is known")]
    NoLease {
        /// Which show.
        show: ShowId,
    },
    /// The record can't be encoded or is too large. Nothing was written.
    #[error("show {show}: record {number} can't be written: {problem}")]
    BadRecord {
        /// Which show.
        show: ShowId,
        /// The record's number.
        number: u64,
        /// Why.
        problem: String,
    },
    /// What is kept of the show was changed by something else than a torn last write. It is left as it is, and nothing can be
    /// appended to it.
    #[error("show {show}: damaged at byte {offset}: {problem}")]
    Damaged {
        /// Which show.
        show: ShowId,
        /// Where, in bytes from the start of what is kept of the show.
        offset: u64,
        /// What is wrong.
        problem: String,
    },
    /// What is kept of the show is sealed with a key that this process does not have. It is left as it is, for one that has the key.
    #[error("show {show}: record {number} can't be read: {problem}")]
    NoKey {
        /// Which show.
        show: ShowId,
        /// The record's number.
        number: u64,
        /// Which key, and what to do.
        problem: String,
    },
    /// Writing or reading failed; for an append the outcome is unknown, and the same append may be made again.
    #[error("the journal is unavailable: {0}")]
    Unavailable(String),
}

/// Keeps every command and event. The module's page has the contract.
#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// Whether it keeps what stands apart from records. One that does not loses it.
    fn keeps_apart(&self) -> bool;

    /// Writes records, of one show or of several. Those of one show are in order of number.
    ///
    /// # Errors
    /// Any of [`JournalError`].
    async fn append(&self, records: &[Record]) -> Result<(), JournalError>;

    /// The first record of a show, if there is one: what the show is. It is read though what follows it may be damaged.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Unavailable`].
    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError>;

    /// A whole show, from its first record on. Cuts off what a crash left half-written.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Unavailable`].
    async fn read(&self, show: ShowId) -> Result<Restored, JournalError>;

    /// The shows of which something is kept, in order of their ids.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`].
    async fn shows(&self) -> Result<Vec<ShowId>, JournalError>;

    /// The show is over, and no engine will play it again: what is kept only for that is freed. What is kept for good stays, and `read`
    /// still finds it.
    ///
    /// # Errors
    /// [`JournalError::Fenced`], [`JournalError::NoLease`], [`JournalError::Unavailable`].
    async fn retire(&self, show: ShowId, fence: Fence) -> Result<(), JournalError>;

    /// The last records of a show, at most `last` of them, in order. Appends may go on meanwhile.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Unavailable`].
    async fn tail(&self, show: ShowId, last: usize) -> Result<Vec<Record>, JournalError>;
}
