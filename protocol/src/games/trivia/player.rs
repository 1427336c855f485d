//! What players of trivia say and hear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::{Choice, QuestionId};
use super::settings::Mode;
use crate::binary::{Decode, Encode};
use crate::claim::{Claim, Verdict};
use crate::error::ErrorCode;
use crate::ids::{ClaimKey, Seq};
use crate::player::{Paused, Phase, Podium};
use crate::time::Millis;

/// A choice for a question. Who answers is known from the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Answer {
    /// The question that is answered.
    pub question: QuestionId,
    /// The position of the choice, from 0.
    pub choice: Choice,
}

impl From<Answer> for Claim {
    fn from(Answer { question, choice }: Answer) -> Self {
        Self { round: question, key: ClaimKey(0), value: choice.into() }
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Question {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// Its number in the show, from 1; what an answer names.
    pub question: QuestionId,
    /// How many there are.
    pub total: u16,
    /// What is asked.
    pub text: String,
    /// 2 to 6 choices; an answer names the position from 0.
    pub choices: Vec<String>,
    /// Such as "Science".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Answers count from here on (server's clock).
    pub opens_at: Millis,
    /// Answers count that are read before this (server's clock).
    pub closes_at: Millis,
}

/// New times for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Clock {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// Which question.
    pub question: QuestionId,
    /// Answers count from here on.
    pub opens_at: Millis,
    /// Answers count that are read before this.
    pub closes_at: Millis,
}

/// Time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Close {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// Which question.
    pub question: QuestionId,
}

/// The right choice; the part that is the same for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Reveal {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// Which question.
    pub question: QuestionId,
    /// The right choice.
    pub right: Choice,
    /// Counted answers by choice.
    pub counts: Vec<u32>,
    /// Players in play who did not answer.
    pub silent: u32,
    /// Players in play after this question.
    pub alive: u32,
}

/// A question does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Void {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// Which question.
    pub question: QuestionId,
    /// Why, in the host's words.
    pub reason: String,
    /// Players in play now.
    pub alive: u32,
}

/// The show as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Snapshot {
    /// The last event that this includes; the next one you get is this plus 1.
    pub seq: Seq,
    /// The server's clock when this was taken; a moment ago, if others asked for it too.
    pub at: Millis,
    /// What the show is called.
    pub title: String,
    /// Where the show is.
    pub phase: Phase,
    /// How it is played.
    pub mode: Mode,
    /// How many questions it has.
    pub total: u16,
    /// How many players have a seat.
    pub joined: u32,
    /// How many are in play.
    pub alive: u32,
    /// The pot in minor units.
    pub pot: u64,
    /// ISO 4217 code of the pot.
    pub currency: String,
    /// Whether the clock stands still; if so the question's `closes_at` is what it would be if it ran from `at` on.
    pub paused: bool,
    /// The question that was sent last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// What came out of it, once revealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal: Option<Reveal>,
    /// Whether it was voided.
    pub voided: bool,
    /// Who won, once over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub podium: Option<Podium>,
}

impl Snapshot {
    /// What those who come in by this snapshot are told of a pause, if there is one.
    #[must_use]
    pub fn pause(&self) -> Option<Paused> {
        let question = self.question.as_ref().filter(|_| self.phase == Phase::Question);
        self.paused.then(|| Paused { left: question.map(|question| question.closes_at.since(self.at)) })
    }
}

/// Your own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct You {
    /// Whether you can still win.
    pub alive: bool,
    /// Your extra lives.
    pub lives: u8,
    /// Your points.
    pub score: u32,
    /// Your rank by points, from 1; 0 if you have none.
    pub rank: u32,
    /// Your choice that counted for the snapshot's question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Choice>,
    /// What you won, in minor units, once the show is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prize: Option<u64>,
}

/// What became of an answer. The same bytes for all who did the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct AnswerReply {
    /// Which question.
    pub question: QuestionId,
    /// Whether your choice counts. A repeated answer is accepted again; it counts once.
    pub accepted: bool,
    /// The choice of yours that counts, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// Why not, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl AnswerReply {
    /// The reply to everyone whose answer to `question` met this verdict.
    #[must_use]
    pub fn new(question: QuestionId, verdict: &Verdict) -> Self {
        let (accepted, value, code) = verdict.parts();
        let choice = value.and_then(Choice::claimed);
        let message = code.map(|code| code.sentence().to_owned());
        Self { question, accepted, choice, code, message }
    }
}

/// What a player did with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Outcome {
    /// Chose the right choice.
    Right,
    /// Chose another.
    Wrong,
    /// Did not answer in time.
    Silent,
    /// Was not in play.
    Watched,
}

/// What a reveal means for one player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct PlayerResult {
    /// Which question.
    pub question: QuestionId,
    /// What you did.
    pub outcome: Outcome,
    /// Whether you can still win.
    pub alive: bool,
    /// Your extra lives left.
    pub lives: u8,
    /// Points for this question.
    pub gained: u32,
    /// Your points.
    pub score: u32,
    /// Your rank by points, from 1; 0 if you are out or there are no points.
    pub rank: u32,
}
