//! What can be done to a process of the service.

use std::time::Duration;

use klaxon_protocol::games::trivia::QuestionId;

use crate::evidence::Victim;

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// SIGKILL; it is started again after `away`.
    Kill {
        /// How long it is down.
        away: Duration,
    },
    /// SIGSTOP, and SIGCONT after `standing`: it does nothing, and its connections stay.
    Stop {
        /// How long it stands still.
        standing: Duration,
    },
    /// SIGTERM, and another version is started in its place.
    Upgrade,
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// In which question.
    pub question: QuestionId,
    /// At which part of its open time, 0 to 1.
    pub at: f64,
    /// Whom it is for.
    pub victim: Victim,
    /// What happens to it.
    pub kind: FaultKind,
}
