//! The result of the audit for one promise.

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::Seat;
use serde::Serialize;

use crate::evidence::{Micros, PlayerNumber};

/// The number of violations of a promise that are kept with their evidence; further ones are only counted.
pub const KEPT_VIOLATIONS: usize = 10;

/// Microseconds as a text in milliseconds.
pub(super) fn milliseconds(micros: u64) -> String {
    format!("{} ms", tenths(micros, 1000))
}

/// An amount in units, with one decimal digit.
pub(super) fn tenths(amount: u64, unit: u64) -> String {
    format!("{}.{}", amount / unit, amount % unit * 10 / unit)
}

/// One of the server's promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Promise {
    pub number: u8,
    pub name: &'static str,
    pub sentence: &'static str,
}

/// The result of the audit for one promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The promise's number, from 1.
    pub promise: u8,
    /// The promise's name.
    pub name: &'static str,
    /// The promise as a sentence.
    pub sentence: &'static str,
    /// The number of checks; 0 means that nothing is known about the promise.
    pub checked: u64,
    /// Measured values: name and value.
    pub figures: Vec<(String, String)>,
    /// The number of violations.
    pub violated: u64,
    /// The first violations, at most [`KEPT_VIOLATIONS`].
    pub violations: Vec<Violation>,
}

impl Finding {
    pub(super) fn new(promise: Promise) -> Self {
        Self {
            promise: promise.number,
            name: promise.name,
            sentence: promise.sentence,
            checked: 0,
            figures: Vec::new(),
            violated: 0,
            violations: Vec::new(),
        }
    }

    /// Whether it was checked at least once and never violated.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.checked > 0 && self.violated == 0
    }

    /// Counts a check, and adds the violation if it failed.
    pub(super) fn check(&mut self, holds: bool, violation: impl FnOnce() -> Violation) {
        self.checked += 1;
        if !holds {
            self.broken(violation());
        }
    }

    /// Adds a violation, without counting a check.
    pub(super) fn broken(&mut self, violation: Violation) {
        self.violated += 1;
        if self.violations.len() < KEPT_VIOLATIONS {
            self.violations.push(violation);
        }
    }

    pub(super) fn figure(&mut self, what: &str, how_much: impl ToString) {
        self.figures.push((what.to_owned(), how_much.to_string()));
    }
}

/// One violation of a promise, with the smallest evidence for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// A description for people.
    pub what: String,
    /// The player's number in the swarm.
    pub player: Option<u32>,
    /// The connection's index in the evidence.
    pub connection: Option<usize>,
    /// The seat.
    pub seat: Option<Seat>,
    /// The question.
    pub question: Option<QuestionId>,
    /// When it was observed, in microseconds since 1970.
    pub at: Option<u64>,
    /// The frame that shows it, as JSON also if it was binary.
    pub frame: Option<String>,
}

impl Violation {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    pub(super) fn player(mut self, player: PlayerNumber) -> Self {
        self.player = Some(player.0);
        self
    }

    pub(super) fn connection(mut self, connection: usize) -> Self {
        self.connection = Some(connection);
        self
    }

    pub(super) fn seat(mut self, seat: Seat) -> Self {
        self.seat = Some(seat);
        self
    }

    pub(super) fn question(mut self, question: QuestionId) -> Self {
        self.question = Some(question);
        self
    }

    pub(super) fn at(mut self, at: Micros) -> Self {
        self.at = Some(at.0);
        self
    }

    pub(super) fn frame(mut self, message: &impl Serialize) -> Self {
        self.frame = serde_json::to_string(message).ok();
        self
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        let mut part = |name: &str, value: Option<String>| match value {
            Some(value) => write!(f, " · {name} {value}"),
            None => Ok(()),
        };
        part("player", self.player.map(|player| player.to_string()))?;
        part("connection", self.connection.map(|connection| connection.to_string()))?;
        part("seat", self.seat.map(|seat| seat.to_string()))?;
        part("question", self.question.map(|question| question.to_string()))?;
        part("at", self.at.map(|at| format!("{}.{:06}", at / 1_000_000, at % 1_000_000)))?;
        part("frame", self.frame.clone())
    }
}
