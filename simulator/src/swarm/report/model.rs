//! The results of a run. The field names are those of the JSON report.

use serde::Serialize;

use super::latency::Latency;
use super::quiz::QuizLine;
use super::waits::FaultLine;
use crate::audit::{BingoSummary, Finding};
use crate::swarm::costs::Cost;

/// All results of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed with which the run can be repeated.
    pub seed: u64,
    /// The configuration.
    pub setup: Setup,
    /// The players and connections.
    pub crowd: Crowd,
    /// The messages and bytes that were sent and received.
    pub traffic: Traffic,
    /// The outcome of the answers.
    pub answers: Answers,
    /// The time from a question's `at` until an honest player has read it.
    pub question_seen: Latency,
    /// The time from an honest player's answer until the player has read the reply.
    pub answer_replied: Latency,
    /// The results of each question of trivia.
    pub questions: Vec<QuestionLine>,
    /// What each part of bingo was like.
    pub bingo: Vec<BingoSummary>,
    /// The questions of all parts of quiz.
    pub quiz: Vec<QuizLine>,
    /// The winners, if the show reached its end.
    pub winners: Option<Winners>,
    /// The processor time of the server's processes from their start to the end of the show, if it could be measured.
    pub costs: Vec<Cost>,
    /// The server's memory, if it could be measured.
    pub memory: Option<Memory>,
    /// The host's commands.
    pub host: HostLine,
    /// The faults that were injected, and how long players waited because of them.
    pub faults: Vec<FaultLine>,
    /// The comparison of the database with the journal, if there is a database.
    pub database: Option<DatabaseLine>,
    /// The audit, one line per promise.
    pub audit: Vec<PromiseLine>,
    /// The comparison with the same show without a hostile crowd, if that was played, too.
    pub comparison: Option<Comparison>,
}

/// The configuration of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Setup {
    /// The show's title.
    pub title: String,
    /// A description of the service, if it has more than one process.
    pub service: Option<String>,
    /// `elimination`, `points` or `both`, or what the parts are.
    pub mode: String,
    /// The number of players that the swarm started.
    pub players: u32,
    /// The number of spectators.
    pub spectators: u32,
    /// The number of hostile connections.
    pub hostile: u32,
    /// The number of rounds that the show can have.
    pub questions: u32,
    /// Seconds from the show's creation until all players had left.
    pub seconds: f64,
}

/// The players and connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Crowd {
    /// Players that were given a seat.
    pub joined: u32,
    /// Spectators that were welcomed.
    pub watched: u32,
    /// All connections.
    pub connections: u32,
    /// Joins with a resume token that were welcomed.
    pub resumed: u32,
}

/// Messages and bytes on WebSockets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Messages from players.
    pub messages_sent: u64,
    /// Messages to players.
    pub messages_received: u64,
    /// Bytes from players.
    pub bytes_sent: u64,
    /// Bytes to players.
    pub bytes_received: u64,
}

/// The outcome of the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// Answers sent, including repetitions and cheats.
    pub sent: u64,
    /// Replies received.
    pub replied: u64,
    /// Replies that accept the answer.
    pub accepted: u64,
    /// Answers counted in the reveals.
    pub counted: u64,
    /// The maximum number of answers sent within any second.
    pub peak_per_second: u64,
    /// Refusals received, by code.
    pub refused: Vec<(String, u64)>,
}

/// The results of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuestionLine {
    /// The question's number.
    pub question: u16,
    /// The question's text.
    pub text: String,
    /// The number of players who received it.
    pub seen_by: u32,
    /// Counted answers by choice.
    pub counts: Vec<u32>,
    /// The right choice, from 0, once revealed.
    pub right: Option<u8>,
    /// Players in play who did not answer.
    pub silent: u32,
    /// Players in play after it.
    pub alive: u32,
    /// Whether it was voided.
    pub voided: bool,
}

/// The winners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Winners {
    /// The number of winners.
    pub count: u32,
    /// The pot in minor units.
    pub pot: u64,
    /// The paid amount, in minor units.
    pub paid: u64,
    /// The amount that is kept for another show, in minor units.
    pub rolled_over: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// The first places.
    pub places: Vec<WinnerLine>,
}

/// A place on the podium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WinnerLine {
    /// The place, from 1.
    pub place: u32,
    /// The player's name.
    pub name: String,
    /// The points.
    pub score: u32,
    /// The prize, in minor units.
    pub prize: u64,
}

/// The server's resident memory, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Memory {
    /// When the server was ready and had no players.
    pub start: u64,
    /// The maximum.
    pub peak: u64,
    /// The growth from start to peak, per player with a seat.
    pub per_player: u64,
    /// Samples: seconds since the start, and bytes.
    pub samples: Vec<(f64, u64)>,
}

/// The host's commands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HostLine {
    /// Commands that were carried out.
    pub done: u32,
    /// Commands that were refused, with the reason.
    pub refused: Vec<String>,
    /// How often the admin connection was lost and re-established.
    pub reconnects: u32,
    /// The server's alerts.
    pub alerts: Vec<String>,
}

/// The result of the audit for one promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromiseLine {
    /// The promise's number.
    pub promise: u8,
    /// The promise's name.
    pub name: String,
    /// The number of checks.
    pub checked: u64,
    /// Measured values: name and value.
    pub figures: Vec<(String, String)>,
    /// The number of violations.
    pub violated: u64,
    /// The first violations.
    pub violations: Vec<String>,
}

impl From<&Finding> for PromiseLine {
    fn from(finding: &Finding) -> Self {
        Self {
            promise: finding.promise,
            name: finding.name.to_owned(),
            checked: finding.checked,
            figures: finding.figures.clone(),
            violated: finding.violated,
            violations: finding.violations.iter().map(ToString::to_string).collect(),
        }
    }
}

impl PromiseLine {
    /// Whether it was checked at least once and never violated.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.checked > 0 && self.violated == 0
    }
}

/// The comparison of the database with the journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DatabaseLine {
    /// Seconds from the end of the show until the database was complete.
    pub seconds: f64,
    /// What was compared, and how often.
    pub compared: Vec<(String, u64)>,
    /// The number of differences.
    pub different: u64,
    /// The first differences.
    pub differences: Vec<String>,
}

impl DatabaseLine {
    /// Whether something was compared, and nothing differed.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.different == 0 && self.compared.iter().any(|&(_, times)| times > 0)
    }
}

/// The same show without and with a hostile crowd: the ratios of the second run to the first, for the honest players.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The number of hostile connections in the second run.
    pub hostile: u32,
    /// The ratio of the 99th percentiles until a question is received.
    pub question_seen_p99: f64,
    /// The ratio of the 99th percentiles until an answer has its reply.
    pub answer_replied_p99: f64,
    /// The ratio of the server's peak memory.
    pub memory_peak: Option<f64>,
}

impl Comparison {
    /// Compares two runs with the same seed.
    #[must_use]
    pub fn of(without: &Report, with: &Report) -> Self {
        // Durations below 0.1 ms are noise.
        let ratio = |before: f64, after: f64| after.max(0.1) / before.max(0.1);
        let memory = |report: &Report| report.memory.as_ref().map(|memory| memory.peak as f64);
        Self {
            hostile: with.setup.hostile,
            question_seen_p99: ratio(without.question_seen.p99_ms, with.question_seen.p99_ms),
            answer_replied_p99: ratio(without.answer_replied.p99_ms, with.answer_replied.p99_ms),
            memory_peak: memory(without).zip(memory(with)).map(|(before, after)| after / before.max(1.0)),
        }
    }

    /// The larger of the two ratios of durations.
    #[must_use]
    pub fn worst(&self) -> f64 {
        self.question_seen_p99.max(self.answer_replied_p99)
    }
}

impl Report {
    /// Whether every promise was checked and kept, and the database agrees with the journal.
    #[must_use]
    pub fn clean(&self) -> bool {
        self.audit.iter().all(PromiseLine::holds) && self.database.as_ref().is_none_or(DatabaseLine::agrees)
    }
}
