//! Faults that can be injected into a process of the service.

use std::time::Duration;

use klaxon_protocol::games::trivia::QuestionId;

use crate::evidence::Victim;

/// The kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// SIGKILL, and a restart after `away`.
    Kill {
        /// How long the process is down.
        away: Duration,
    },
    /// SIGSTOP, and SIGCONT after `standing`; connections stay open.
    Stop {
        /// How long the process is suspended.
        standing: Duration,
    },
    /// SIGTERM, and a start of another version.
    Upgrade,
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// The question in which it happens.
    pub question: QuestionId,
    /// When it happens, as a fraction of the question's open time, 0 to 1.
    pub at: f64,
    /// The process that it hits.
    pub victim: Victim,
    /// The kind of the fault.
    pub kind: FaultKind,
}
