//! The settings of a quiz, and what all its questions have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kinds::{Kind, MOST_POINTS};
use super::prizes::QuizPrizes;
use crate::games::media::Media;
use crate::games::trivia::{Mode, OPEN_FOR};
use crate::time::Span;

/// How many of the right answers directly before a right answer add to its points at most.
pub const STREAK_MOST: u8 = 5;
/// Points for speed have this many steps, so that many players have equal results and share their messages.
pub const SPEED_STEPS: u32 = 50;
/// The most by which a question's `times` multiplies.
pub const MOST_TIMES: u8 = 10;
/// The most orders in which the choices of one question are shown.
pub const MOST_ORDERS: u8 = 6;
/// The most by which survival shortens the time from one question to the next, in percent.
pub const MOST_SHRINK: u8 = 50;

/// A quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quiz {
    /// The questions, in the order in which they are asked: 1 to 500.
    pub questions: Vec<QuizQuestion>,
    /// Whether right answers earn points, whether wrong and missing ones cost a life or the place in the show, or both.
    #[serde(default = "usual_mode")]
    pub mode: Mode,
    /// How long a question is open, in ms: 500 ms to 10 min.
    #[serde(default = "usual_time")]
    #[schemars(extend("minimum" = OPEN_FOR.start(), "maximum" = OPEN_FOR.end()))]
    pub open_for: Span,
    /// What a right answer earns at most, without a streak: 0 to 100,000.
    #[serde(default = "usual_points")]
    #[schemars(range(max = MOST_POINTS))]
    pub points: u32,
    /// Which part of the points depends on speed, in percent: 0 to 100. 50 if left out, or 0 with `accuracy_only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub speed: Option<u8>,
    /// What each of the five right answers directly before a right answer adds to its points: 0 to 100,000. 100 if left out, or 0 with
    /// `accuracy_only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MOST_POINTS))]
    pub streak: Option<u32>,
    /// What a wrong answer costs; a missing one costs nothing: 0 to 100,000.
    #[serde(default)]
    #[schemars(range(max = MOST_POINTS))]
    pub penalty: u32,
    /// Whether penalties can make a player's points negative.
    #[serde(default)]
    pub below_zero: bool,
    /// Whether nothing but right and wrong counts: no points for speed, and none for streaks.
    #[serde(default)]
    pub accuracy_only: bool,
    /// Whether a question that all players in play got wrong, or did not answer, costs none of them anything. Needs elimination.
    #[serde(default)]
    pub all_wrong_all_stay: bool,
    /// Whether extra lives can be used in the last question.
    #[serde(default = "yes")]
    pub last_question_lives: bool,
    /// Makes each question shorter than the one before it. Needs elimination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survival: Option<Survival>,
    /// The points with which those begin who come after the first reveal.
    #[serde(default)]
    pub late: Late,
    /// Whether a question closes once all players in play have answered.
    #[serde(default)]
    pub close_when_all: bool,
    /// What can be won; nothing if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prizes: Option<QuizPrizes>,
    /// Whether the reveals name the players with the most points.
    #[serde(default = "yes")]
    pub leaderboard: bool,
    /// Whether the choices of each question are mixed, by the show's recorded seed. What is to be put in order always is.
    #[serde(default = "yes")]
    pub shuffle: bool,
    /// In how many orders the choices are shown, so that neighbours see different ones: 1 to 6.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = MOST_ORDERS))]
    pub orders: u8,
}

/// A question, with what is right: never sent to a player as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuizQuestion {
    /// What is asked: 1 to 500 characters.
    pub text: String,
    /// Its kind, with what that kind needs.
    #[serde(flatten)]
    pub kind: Kind,
    /// A picture, sound or video that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// Such as "Science".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Why that is right; shown at the reveal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// How long it is open, in ms, in place of the quiz's `open_for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = OPEN_FOR.start(), "maximum" = OPEN_FOR.end()))]
    pub open_for: Option<Span>,
    /// What a right answer earns at most, in place of the quiz's `points`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MOST_POINTS))]
    pub points: Option<u32>,
    /// Multiplies the quiz's `points`, in place of `points`: 2 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = MOST_TIMES))]
    pub times: Option<u8>,
    /// In place of the quiz's `speed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub speed: Option<u8>,
    /// In place of the quiz's `penalty`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = MOST_POINTS))]
    pub penalty: Option<u32>,
}

/// How much shorter each question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Survival {
    /// By how many percent each question is shorter than the one before it: 1 to 50.
    #[schemars(range(min = 1, max = MOST_SHRINK))]
    pub shrink: u8,
    /// No question is shorter than this, in ms.
    #[schemars(extend("minimum" = OPEN_FOR.start(), "maximum" = OPEN_FOR.end()))]
    pub least: Span,
}

/// The points of those who come late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// None.
    #[default]
    Nothing,
    /// The mean of all players in play after the last reveal, rounded down.
    Mean,
}

/// How answers to one question are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scoring {
    /// What a right answer earns at most, without a streak.
    pub points: u32,
    /// Which part of the points depends on speed, in percent.
    pub speed: u8,
    /// What each right answer directly before it adds.
    pub streak: u32,
    /// What a wrong answer costs.
    pub penalty: u32,
}

impl Scoring {
    /// The most that one answer can earn.
    #[must_use]
    pub const fn most(&self) -> u32 {
        if self.points == 0 { 0 } else { self.points + self.streak * STREAK_MOST as u32 }
    }
}

impl Quiz {
    /// What can be won; none if that is more than a number can hold.
    #[must_use]
    pub fn pot(&self) -> Option<u64> {
        self.prizes.as_ref().map_or(Some(0), QuizPrizes::pot)
    }

    /// How answers to this question are paid.
    #[must_use]
    pub fn scoring(&self, question: &QuizQuestion) -> Scoring {
        let usual = |usual| if self.accuracy_only { 0 } else { usual };
        let times = u32::from(question.times.unwrap_or(1));
        Scoring {
            points: question.points.unwrap_or(self.points * times),
            speed: question.speed.or(self.speed).unwrap_or_else(|| u8::try_from(usual(50)).unwrap_or(0)),
            streak: self.streak.unwrap_or_else(|| usual(100)),
            penalty: question.penalty.unwrap_or(self.penalty),
        }
    }

    /// How long the question with this index is open.
    #[must_use]
    pub fn time_of(&self, index: usize) -> Span {
        let question = self.questions.get(index);
        let shortened = self.survival.filter(|_| question.is_some_and(|question| question.kind.eliminates()));
        let Some(Survival { shrink, least }) = shortened else {
            return question.and_then(|question| question.open_for).unwrap_or(self.open_for);
        };
        let timed = self.questions.iter().take(index).filter(|question| question.kind.eliminates()).count();
        // In whole milliseconds at each step, so that it is the same everywhere.
        let shorter = |time: u64| time * u64::from(100 - shrink) / 100;
        let time = (0..timed).fold(u64::from(self.open_for.0), |time, _| shorter(time));
        Span(u32::try_from(time).unwrap_or(u32::MAX)).max(least)
    }
}

const fn usual_mode() -> Mode {
    Mode::Points
}

const fn usual_time() -> Span {
    Span(10_000)
}

const fn usual_points() -> u32 {
    1000
}

const fn yes() -> bool {
    true
}

const fn one() -> u8 {
    1
}
