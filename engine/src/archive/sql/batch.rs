//! What was read from journals, on its way into the tables.

use klaxon_protocol::games::trivia::{Choice, QuestionId};
use klaxon_protocol::ids::{Fence, Seat, ShowId};
use klaxon_protocol::time::Millis;

use crate::archive::ShowResults;
use crate::journal::{Offset, Partition};

/// An answer that counts, as its show's journal has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchivedAnswer {
    /// In which show.
    pub show: ShowId,
    /// To which question.
    pub question: QuestionId,
    /// Whose.
    pub seat: Seat,
    /// Which choice.
    pub choice: Choice,
    /// When it was read.
    pub read_at: Millis,
}

/// What has become of a show's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JournalState {
    /// More is to come.
    GoesOn,
    /// It is over, and its results are in the archive.
    Over,
    /// It does not tell a show, so it is not read any further.
    SetAside,
}

/// How far a show's journal was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Which show.
    pub show: ShowId,
    /// Where its records are.
    pub partition: Partition,
    /// Its first record's place there: whoever rebuilds the show begins here.
    pub first: Offset,
    /// The number of the next record: of those before it, everything is in the archive.
    pub next: u64,
    /// The lease of the last record.
    pub fence: Fence,
    /// Whether more is to come.
    pub state: JournalState,
}

/// What the journals told since the last batch.
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
