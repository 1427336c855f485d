//! A batch of what was read from journals, to be written to the tables.

use klaxon_protocol::games::trivia::{Choice, QuestionId};
use klaxon_protocol::ids::{Fence, Seat, ShowId};
use klaxon_protocol::time::Millis;

use crate::archive::ShowResults;
use crate::journal::{Offset, Partition};

/// An answer that counts, as its show's journal has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchivedAnswer {
    /// The show's id.
    pub show: ShowId,
    /// The question that it answers.
    pub question: QuestionId,
    /// The seat that answered.
    pub seat: Seat,
    /// The choice that was answered.
    pub choice: Choice,
    /// When it was read.
    pub read_at: Millis,
}

/// How far a show's journal is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JournalState {
    /// More records are expected.
    GoesOn,
    /// It is over, and its results are in the archive.
    Over,
    /// It can't be replayed, so it is not read any further.
    SetAside,
}

/// How far a show's journal was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Which show.
    pub show: ShowId,
    /// Where its records are.
    pub partition: Partition,
    /// The offset of its first record, at which a reader starts to rebuild the show.
    pub first: Offset,
    /// The number of the next record: everything before it is in the archive.
    pub next: u64,
    /// The lease of the last record.
    pub fence: Fence,
    /// Whether more records are expected.
    pub state: JournalState,
}

/// What was read from the journals since the last batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JournalBatch {
    /// Where they were read.
    pub topic: String,
    /// Answers that count.
    pub answers: Vec<ArchivedAnswer>,
    /// Shows that are over.
    pub results: Vec<ShowResults>,
    /// How far the journals were read, each show once.
    pub progress: Vec<Progress>,
    /// Where to go on, each partition once.
    pub offsets: Vec<(Partition, Offset)>,
}
