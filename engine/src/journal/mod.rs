//! The journal: every command and event of a show, in order, stored so that a single crash does not lose it.
//!
//! # The contract
//! - The records of a show are numbered consecutively from 0, and their fences never decrease.
//! - An append is checked completely before anything is written. If it would leave a gap, or has a smaller fence than
//!   the show's last record, it is refused and changes nothing.
//! - A record whose number is written already **under the same fence** is the same record, and is skipped: so an append
//!   whose outcome is unknown can be repeated. Under another fence it is another engine's record, and the append is
//!   refused.
//! - When an append returns, all its records are kept as the implementation says, skipped ones too. An append that is dropped
//!   before it returns may or may not be written.
//! - What `read` and `tail` return is a prefix of what was appended, never part of a record.
//! - What stands apart from records ([`Apart`](klaxon_protocol::apart::Apart)) is kept before or with them, in a place of its own, by a
//!   journal that says so ([`Journal::keeps_apart`]). `read` puts it into its place again, unless it is forgotten; `tail` does not.

// Removing shows and reading parts of them is needed only by the spool of the cluster's journal.
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

pub use file::{FileJournal, Forgotten, OpenError, SyncPolicy, listed_shows};
#[cfg(feature = "cluster")]
pub use kafka::KafkaJournal;
pub use place::{Offset, Partition};
pub use sealed::SealedJournal;

/// A show as read from a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// All its records, in order; empty if the journal does not have the show.
    pub records: Vec<Record>,
    /// The incomplete end that this read cut off, if there was one.
    pub cut: Option<Cut>,
}

/// The incomplete end that a crash had left, and that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where it was cut, in bytes from the start.
    pub offset: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
}

/// Why a journal refused a call or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The record's number is not the next one. Nothing was written.
    #[error("show {show}: the next record is number {expected}, not {found}")]
    Gap {
        /// The show.
        show: ShowId,
        /// The number that the next record must have.
        expected: u64,
        /// The number that the record has.
        found: u64,
    },
    /// A record came under a smaller fence than an earlier one: another engine has the show. Nothing was written.
    #[error("show {show}: written under fence {newest} already, a record under fence {found} is refused")]
    Fenced {
        /// The show.
        show: ShowId,
        /// The largest fence in the show's journal.
        newest: Fence,
        /// The fence of the refused record.
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
    /// The journal has no lease of the show, which it needs: take one again. Nothing was written.
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
    /// What is stored of the show has been changed, other than by a torn last write. It is left as it is, and nothing
    /// can be appended to it.
    #[error("show {show}: damaged at byte {offset}: {problem}")]
    Damaged {
        /// Which show.
        show: ShowId,
        /// The offset of the damage, in bytes from the start of what is stored of the show.
        offset: u64,
        /// What is wrong.
        problem: String,
    },
    /// What is stored of the show is sealed with a key that this process does not have. It is left as it is, for a
    /// process that has the key.
    #[error("show {show}: record {number} can't be read: {problem}")]
    NoKey {
        /// Which show.
        show: ShowId,
        /// The record's number.
        number: u64,
        /// The id of the key, and what to do.
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

    /// The first record of a show, which creates it; none if there is none. It can be read even if later records are
    /// damaged.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Unavailable`].
    async fn first(&self, show: ShowId) -> Result<Option<Record>, JournalError>;

    /// Reads a whole show. Cuts off an incomplete last record.
    ///
    /// # Errors
    /// [`JournalError::Damaged`], [`JournalError::Unavailable`].
    async fn read(&self, show: ShowId) -> Result<Restored, JournalError>;

    /// The shows of which something is stored, in order of their ids.
    ///
    /// # Errors
    /// [`JournalError::Unavailable`].
    async fn shows(&self) -> Result<Vec<ShowId>, JournalError>;

    /// Called when the show is over and no engine will play it again: frees what is stored only for a takeover. What is
    /// stored permanently stays, and `read` still finds it.
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
