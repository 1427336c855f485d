//! The bodies of a quiz's messages: events for all, and what each seat gets. All choices are numbered as they were sent, from 0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::accept::Accept;
use super::kinds::Stake;
use super::prizes::{PrizesPaid, QuizPrizes};
use crate::claim::ClaimValue;
use crate::games::media::Media;
use crate::ids::{ClaimKey, RoundId, Seat};
use crate::time::Span;

/// How many seats an event names at most.
pub const NAMED: usize = 100;

/// The events of a quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum QuizEvent {
    /// A quiz begins in which something can be won.
    Quiz {
        /// What can be won.
        prizes: QuizPrizes,
    },
    /// A question, or a slide; a question's event has its round and times, too.
    Question(Asked),
    /// All buzzes are in: who may answer, until the host judges.
    Floor(Floor),
    /// What was right.
    Reveal(QuizReveal),
    /// The host corrected what is right: the results of a question as they are now, and all that follows from them.
    Corrected(Corrected),
    /// The prizes, at the end of the quiz.
    Prizes(PrizesPaid),
    /// The word cloud without a word that the host took out.
    Words {
        /// The words that are left.
        words: Vec<WordCount>,
    },
}

/// A question as players get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// Its number in the quiz, from 1.
    pub number: u16,
    /// How many questions the quiz has.
    pub total: u16,
    /// What is asked.
    pub text: String,
    /// How it is answered.
    #[serde(flatten)]
    pub answer: AnswerKind,
    /// A picture, sound or video that belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// Such as "Science".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What a right answer earns at most, without a streak.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub points: u32,
    /// The points of the first, second, ... place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<u32>,
    /// In which orders the choices are shown: a seat's order is number `seat` modulo the number of orders. Claims name choices by their place in
    /// `choices` or `items`, whatever the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<Vec<u8>>,
}

/// How a question is answered: by claims of key 0, unless told otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AnswerKind {
    /// The number of a choice.
    Choice(Choices),
    /// A set of choices: bit n for choice n.
    Choices(Choices),
    /// A number without its decimal point, zig-zag: 0, -1, 1, -2 are 0, 1, 2, 3.
    Number {
        /// How many decimals the number has.
        decimals: u8,
        /// Such as "km".
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
        /// The smallest number that can be said.
        least: i64,
        /// The largest number that can be said.
        most: i64,
    },
    /// An order: the number of the item at place n in the four bits from bit 4n.
    Order {
        /// The items.
        items: Vec<String>,
    },
    /// A text.
    Text {
        /// How long it may be, in bytes of UTF-8.
        longest: u16,
    },
    /// The number of a choice, none of which is right.
    Poll(Choices),
    /// Texts, one for each key from 0.
    Words {
        /// How many.
        each: u8,
        /// How long each may be, in bytes of UTF-8.
        longest: u16,
    },
    /// The number of a choice or, with `order`, an order of all choices.
    Fastest {
        /// The choices.
        choices: Vec<String>,
        /// Whether they are put in order.
        order: bool,
    },
    /// A buzz: 0, or the number of a choice if there are choices.
    Buzzer {
        /// The choices.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        choices: Option<Vec<String>>,
    },
    /// The number of a choice: the most frequent is right.
    Majority(Choices),
    /// A stake on the next question: points, or 1 for all and 0 for none.
    Wager {
        /// How players stake.
        stake: Stake,
        /// The most points that can be staked.
        most: u32,
    },
    /// None: it is a text to read.
    Slide {
        /// For how long the script shows it.
        #[serde(rename = "for")]
        lasts: Span,
    },
}

/// The choices of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Choices {
    /// The choices.
    pub choices: Vec<String>,
}

/// Who may answer a buzzer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Floor {
    /// The question's number.
    pub number: u16,
    /// The round of the buzzes.
    pub round: RoundId,
    /// Who may answer; none if no one is left who buzzed.
    pub seat: Option<Seat>,
    /// The seats that buzzed, in the order in which their buzzes were read: 100 at most.
    pub order: Vec<Seat>,
    /// How many buzzed.
    pub buzzed: u32,
}

/// What was right, and what became of the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuizReveal {
    /// The question's number.
    pub number: u16,
    /// Its round.
    pub round: RoundId,
    /// What was right; none if nothing is right or wrong, or the host judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<Right>,
    /// What else is right, because the host accepted it later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Right>,
    /// Counted answers by choice, if there are choices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u32>,
    /// How many players answered.
    pub answered: u32,
    /// How many of those in play were right.
    pub right_answers: u32,
    /// The players who are paid by place, best first: 100 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub winners: Vec<Seat>,
    /// Whether nobody lost anything because all were wrong.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_stay: bool,
    /// How many are in play after it.
    pub in_play: u32,
    /// Why that is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The word cloud.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<WordCount>,
    /// The players in play with the most points, best first: 10 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaders: Vec<QuizLeader>,
}

/// A question's results after a correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Corrected {
    /// Its reveal; `in_play` and `leaders` are as they are now, after all questions.
    #[serde(flatten)]
    pub reveal: QuizReveal,
    /// For how many players something changed.
    pub changed: u32,
}

/// A right answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// The right choices.
    Choices(Vec<u8>),
    /// The right number, without its decimal point.
    Number(i64),
    /// The items in the right order.
    Order(Vec<u8>),
    /// The accepted spellings.
    Spellings(Vec<String>),
}

/// A word of a word cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WordCount {
    /// The word, as one of those who gave it spelt it.
    pub word: String,
    /// How many players gave it.
    pub players: u32,
}

/// A player among the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuizLeader {
    /// The rank by points, from 1; equals share one.
    pub rank: u32,
    /// The player's seat.
    pub seat: Seat,
    /// The player's points.
    pub points: i64,
}

/// What the reveal means for one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SeatResult {
    /// Of which round.
    pub round: RoundId,
    /// What became of the seat's answer.
    pub outcome: AnswerOutcome,
    /// The points that it gained, or lost if below 0.
    pub gained: i64,
    /// The place among those who are paid by place, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// The rank by points among those in play, from 1; none for those who are out, and if the leaderboard is hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
}

/// A quiz as players get it who join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuizView {
    /// What can be won.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prizes: Option<QuizPrizes>,
    /// The last question, or slide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Asked>,
    /// Who may answer it, if it is a buzzer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Floor>,
    /// What was right, after its reveal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal: Option<QuizReveal>,
    /// Whether it is void.
    pub voided: bool,
}

/// What a seat has in a quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuizOwn {
    /// Its counted answers to the last question.
    pub answered: Vec<Answered>,
    /// What it has staked on the question after a wager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stake: Option<u32>,
    /// The result of the last question, after its reveal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<SeatResult>,
}

/// A counted answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// The claim's key.
    pub key: ClaimKey,
    /// What was claimed.
    pub value: ClaimValue,
}

/// What became of a seat's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerOutcome {
    /// It is right.
    Right,
    /// It is right in part.
    Partly,
    /// It is wrong.
    Wrong,
    /// It counts, and nothing is right or wrong.
    Counted,
    /// There is none.
    Silent,
    /// The seat did not play.
    Watched,
}

/// The host's own actions in a quiz, as the body of `play`: one at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuizPlay {
    /// Whether the player who may answer a buzzer was right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<Judgement>,
    /// Takes a word out of the word cloud, before the reveal or after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hide: Option<String>,
    /// Accepts another answer to a question that was revealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<Accept>,
}

/// The host's judgement of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}
