//! What a run showed. The names are those of the JSON report.

use serde::Serialize;

use super::latency::Latency;
use super::waits::FaultLine;
use crate::audit::Finding;
use crate::swarm::costs::Cost;

/// Everything that a run showed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// From which the run can be done again.
    pub seed: u64,
    /// What was run.
    pub setup: Setup,
    /// Who came.
    pub crowd: Crowd,
    /// What was sent and received.
    pub traffic: Traffic,
    /// What became of the answers.
    pub answers: Answers,
    /// From a question being sent (its `at`) to an honest player having read it.
    pub question_seen: Latency,
    /// From an honest player sending an answer to having read the reply.
    pub answer_replied: Latency,
    /// Question by question.
    pub questions: Vec<QuestionLine>,
    /// Who won, if the show came to its end.
    pub winners: Option<Winners>,
    /// What the server's processes cost, if that could be looked at: from their start until the end of the show.
    pub costs: Vec<Cost>,
    /// The server's memory, if it could be looked at.
    pub memory: Option<Memory>,
    /// What the host did.
    pub host: HostLine,
    /// What was done to processes in the middle of questions, and how long players waited for it.
    pub faults: Vec<FaultLine>,
    /// What came of comparing the database with the journal, if there is a database.
    pub database: Option<DatabaseLine>,
    /// The audit, a line for each promise.
    pub audit: Vec<PromiseLine>,
    /// Against the same show without a hostile crowd, if that was played too.
    pub comparison: Option<Comparison>,
}

/// What was run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Setup {
    /// What the show is called.
    pub title: String,
    /// What it was played on, if that is more than one process.
    pub service: Option<String>,
    /// `elimination`, `points` or `both`.
    pub mode: String,
    /// How many players were sent.
    pub players: u32,
    /// How many watched.
    pub spectators: u32,
    /// How many hostile connections there were.
    pub hostile: u32,
    /// How many questions the show has.
    pub questions: u32,
    /// From the show's creation until all players were gone.
    pub seconds: f64,
}

/// Who came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Crowd {
    /// Players that were given a seat.
    pub joined: u32,
    /// Those who watched.
    pub watched: u32,
    /// Connections in all.
    pub connections: u32,
    /// Joins with a resume token that were welcomed.
    pub resumed: u32,
}

/// What was sent and received, in WebSocket messages and their bytes.
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

/// What became of the answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// Answers sent, with all repetitions and cheats.
    pub sent: u64,
    /// Replies received.
    pub replied: u64,
    /// Replies that the choice counts.
    pub accepted: u64,
    /// Answers that the reveals counted.
    pub counted: u64,
    /// The most answers sent within any one second.
    pub peak_per_second: u64,
    /// Refusals received, by code.
    pub refused: Vec<(String, u64)>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuestionLine {
    /// Its number.
    pub question: u16,
    /// What was asked.
    pub text: String,
    /// How many players saw it.
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

/// Who won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Winners {
    /// How many.
    pub count: u32,
    /// The pot in minor units.
    pub pot: u64,
    /// How much of it was paid.
    pub paid: u64,
    /// How much is kept for another show.
    pub rolled_over: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// The first places.
    pub places: Vec<WinnerLine>,
}

/// A winner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WinnerLine {
    /// From 1.
    pub place: u32,
    /// What they are called.
    pub name: String,
    /// Their points.
    pub score: u32,
    /// What they win, in minor units.
    pub prize: u64,
}

/// The server's resident memory, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Memory {
    /// When it was ready and had no players.
    pub start: u64,
    /// The most.
    pub peak: u64,
    /// The growth from start to peak, for each player with a seat.
    pub per_player: u64,
    /// Over time: seconds since the start, bytes.
    pub samples: Vec<(f64, u64)>,
}

/// What the host did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HostLine {
    /// Commands done.
    pub done: u32,
    /// Commands refused: which, and why.
    pub refused: Vec<String>,
    /// How often the admin connection was lost and made again.
    pub reconnects: u32,
    /// What the server alerted the host of.
    pub alerts: Vec<String>,
}

/// What the audit found about a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromiseLine {
    /// Its number.
    pub promise: u8,
    /// Its name.
    pub name: String,
    /// How often it was checked.
    pub checked: u64,
    /// Figures worth telling.
    pub figures: Vec<(String, String)>,
    /// How often it was broken.
    pub violated: u64,
    /// What broke it, the first times.
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
    /// Whether it was checked, and held each time.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.checked > 0 && self.violated == 0
    }
}

/// The database beside the journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DatabaseLine {
    /// How long after the end of the show it had everything, in seconds.
    pub seconds: f64,
    /// What was compared, and how often.
    pub compared: Vec<(String, u64)>,
    /// How often they differed.
    pub different: u64,
    /// The first differences.
    pub differences: Vec<String>,
}

impl DatabaseLine {
    /// Whether something was compared, and all of it was the same.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.different == 0 && self.compared.iter().any(|&(_, times)| times > 0)
    }
}

/// The same show without and with a hostile crowd: how many times as much the second was, for the honest players.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// How many hostile connections the second run had.
    pub hostile: u32,
    /// Of the p99 from a question being sent to being seen.
    pub question_seen_p99: f64,
    /// Of the p99 from an answer to its reply.
    pub answer_replied_p99: f64,
    /// Of the server's memory at the peak.
    pub memory_peak: Option<f64>,
}

impl Comparison {
    /// Compares two runs of one seed.
    #[must_use]
    pub fn of(without: &Report, with: &Report) -> Self {
        // Times below a tenth of a millisecond are noise.
        let ratio = |before: f64, after: f64| after.max(0.1) / before.max(0.1);
        let memory = |report: &Report| report.memory.as_ref().map(|memory| memory.peak as f64);
        Self {
            hostile: with.setup.hostile,
            question_seen_p99: ratio(without.question_seen.p99_ms, with.question_seen.p99_ms),
            answer_replied_p99: ratio(without.answer_replied.p99_ms, with.answer_replied.p99_ms),
            memory_peak: memory(without).zip(memory(with)).map(|(before, after)| after / before.max(1.0)),
        }
    }

    /// The larger of the two ratios of time.
    #[must_use]
    pub fn worst(&self) -> f64 {
        self.question_seen_p99.max(self.answer_replied_p99)
    }
}

impl Report {
    /// Whether every promise was checked and held, and the database agrees.
    #[must_use]
    pub fn clean(&self) -> bool {
        self.audit.iter().all(PromiseLine::holds) && self.database.as_ref().is_none_or(DatabaseLine::agrees)
    }
}
