//! Breaks a promise on purpose, one connection's JSON messages at a time: the same over a show that was written down and,
//! in the proxy, between live players and a live server.

use std::time::Duration;

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{AnswerReply, Choice, QuestionId};
use klaxon_protocol::player::ToPlayer;
use klaxon_simulator::evidence::Direction;
use serde_json::{Value, json};

/// How a promise is broken, and which one that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The reveal has one answer more than there were.
    CountsOneTooMany,
    /// Another choice is acknowledged than was sent.
    AcknowledgesAnotherChoice,
    /// An answer is acknowledged and never handed on.
    LosesTheAcknowledged,
    /// A refusal becomes an acknowledgement.
    AcknowledgesTheRefused,
    /// Right is called wrong.
    CallsRightWrong,
    /// A reveal is told as soon as the question is.
    RevealsEarly,
    /// The question carries its right choice.
    HidesTheRightChoiceInTheQuestion,
    /// The acknowledgement looks different where the choice is the first.
    MarksSomeReplies,
    /// What was late is accepted.
    AcceptsTheLate,
    /// What was on time is refused as late.
    RefusesTheTimely,
    /// Replies never come.
    SwallowsReplies,
    /// The close is not told.
    DropsAnEvent,
    /// The result is not told.
    DropsTheResult,
    /// An event is told twice.
    RepeatsAnEvent,
    /// A question's time is another than everybody's.
    TellsAnotherClose,
    /// A prize is one unit higher.
    PaysOneTooMuch,
    /// The podium does not add up.
    RollsOverTooMuch,
    /// Replies come late.
    DelaysReplies,
}

impl Break {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::CountsOneTooMany,
        Self::AcknowledgesAnotherChoice,
        Self::LosesTheAcknowledged,
        Self::AcknowledgesTheRefused,
        Self::CallsRightWrong,
        Self::RevealsEarly,
        Self::HidesTheRightChoiceInTheQuestion,
        Self::MarksSomeReplies,
        Self::AcceptsTheLate,
        Self::RefusesTheTimely,
        Self::SwallowsReplies,
        Self::DropsAnEvent,
        Self::DropsTheResult,
        Self::RepeatsAnEvent,
        Self::TellsAnotherClose,
        Self::PaysOneTooMuch,
        Self::RollsOverTooMuch,
        Self::DelaysReplies,
    ];

    /// The promise that is broken, whatever else may be broken with it.
    pub const fn promise(self) -> u8 {
        match self {
            Self::CountsOneTooMany | Self::AcknowledgesAnotherChoice => 1,
            Self::LosesTheAcknowledged | Self::AcknowledgesTheRefused | Self::CallsRightWrong => 2,
            Self::RevealsEarly | Self::HidesTheRightChoiceInTheQuestion | Self::MarksSomeReplies => 3,
            Self::AcceptsTheLate | Self::RefusesTheTimely | Self::SwallowsReplies => 4,
            Self::DropsAnEvent | Self::DropsTheResult | Self::RepeatsAnEvent | Self::TellsAnotherClose => 5,
            Self::PaysOneTooMuch | Self::RollsOverTooMuch => 6,
            Self::DelaysReplies => 8,
        }
    }
}

/// How long a delayed reply is held.
pub const DELAY: Duration = Duration::from_millis(800);

/// A message that goes on, maybe later.
#[derive(Debug, Clone, PartialEq)]
pub struct Out {
    pub direction: Direction,
    pub message: Value,
    pub after: Duration,
}

impl Out {
    /// The message as the server would have written it: with its fields in their order, unless there is one too many.
    pub fn bytes(&self) -> Vec<u8> {
        let as_written = serde_json::from_value::<ToPlayer>(self.message.clone())
            .ok()
            .filter(|message| serde_json::to_value(message).is_ok_and(|value| value == self.message));
        match as_written {
            Some(message) => serde_json::to_vec(&message).unwrap(),
            None => serde_json::to_vec(&self.message).unwrap(),
        }
    }
}

/// Breaks one connection's promises.
#[derive(Debug)]
pub struct Breaker {
    what: Break,
    /// What this connection sent last.
    choice: u64,
    /// The question that it was told last, and what it sent to it after its close.
    question: u64,
    closed: bool,
    late: Vec<u64>,
}

impl Breaker {
    pub const fn new(what: Break) -> Self {
        Self { what, choice: 0, question: 0, closed: false, late: Vec::new() }
    }

    /// What becomes of a message on its way to the server or from it.
    pub fn pass(&mut self, direction: Direction, message: Value) -> Vec<Out> {
        let kind = message["type"].as_str().unwrap_or_default().to_owned();
        self.follow(&kind, &message);
        let plain = |message: Value| Out { direction, message, after: Duration::ZERO };
        let to_player = |message: Value| Out { direction: Direction::Received, message, after: Duration::ZERO };
        let accepted = message["accepted"] == true;
        match (self.what, kind.as_str()) {
            (Break::CountsOneTooMany, "reveal") => {
                vec![plain(changed(message, |message| add(&mut message["counts"][0])))]
            }
            (Break::AcknowledgesAnotherChoice, "answer_reply") if accepted => {
                vec![plain(changed(message, |message| {
                    message["choice"] = json!((message["choice"].as_u64().unwrap_or(0) + 1) % 2);
                }))]
            }
            (Break::LosesTheAcknowledged, "answer") => vec![to_player(acceptance(&message))],
            (Break::AcknowledgesTheRefused, "answer_reply") if !accepted && message["choice"].is_null() => {
                vec![plain(acceptance(&changed(message, |message| message["choice"] = json!(self.choice))))]
            }
            (Break::CallsRightWrong, "result") if message["outcome"] == "right" => {
                vec![plain(changed(message, |message| message["outcome"] = json!("wrong")))]
            }
            (Break::RevealsEarly, "question") => {
                let reveal = json!({
                    "type": "reveal", "seq": message["seq"].as_u64().unwrap_or(0) + 2, "at": message["at"],
                    "question": message["question"], "right": 0, "counts": [0, 0], "silent": 0, "alive": 1,
                });
                vec![plain(message), to_player(reveal)]
            }
            (Break::HidesTheRightChoiceInTheQuestion, "question") => {
                vec![plain(changed(message, |message| message["right"] = json!(1)))]
            }
            (Break::MarksSomeReplies, "answer_reply") if accepted => {
                vec![plain(changed(message, |message| message["message"] = json!("Good.")))]
            }
            (Break::AcceptsTheLate, "answer_reply") if message["code"] == "too_late" && !self.late.is_empty() => {
                let choice = self.late.remove(0);
                vec![plain(acceptance(&changed(message, |message| message["choice"] = json!(choice))))]
            }
            (Break::RefusesTheTimely, "answer_reply") if accepted => {
                let question = QuestionId(u16::try_from(message["question"].as_u64().unwrap_or(0)).unwrap_or(0));
                vec![plain(reply(question, Verdict::Refused(ErrorCode::TooLate)))]
            }
            (Break::SwallowsReplies, "answer_reply")
            | (Break::DropsAnEvent, "close")
            | (Break::DropsTheResult, "result") => Vec::new(),
            (Break::RepeatsAnEvent, "close") => vec![plain(message.clone()), plain(message)],
            (Break::TellsAnotherClose, "question") => {
                vec![plain(changed(message, |message| add(&mut message["closes_at"])))]
            }
            (Break::PaysOneTooMuch, "prize") => vec![plain(changed(message, |message| add(&mut message["amount"])))],
            (Break::RollsOverTooMuch, "podium") => {
                vec![plain(changed(message, |message| add(&mut message["rolled_over"])))]
            }
            (Break::DelaysReplies, "answer_reply") => vec![Out { after: DELAY, ..plain(message) }],
            _ => vec![plain(message)],
        }
    }

    /// Keeps what this connection knows, to tell the late from the timely.
    fn follow(&mut self, kind: &str, message: &Value) {
        match kind {
            "question" => {
                self.question = message["question"].as_u64().unwrap_or(0);
                self.closed = false;
                self.late.clear();
            }
            "close" => self.closed = true,
            "answer" => {
                self.choice = message["choice"].as_u64().unwrap_or(0);
                if self.closed && message["question"] == self.question {
                    self.late.push(self.choice);
                }
            }
            _ => {}
        }
    }
}

fn changed(mut message: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut message);
    message
}

fn add(number: &mut Value) {
    *number = json!(number.as_u64().unwrap_or(0) + 1);
}

/// The acceptance of the choice that an answer, or a reply to it, names.
fn acceptance(message: &Value) -> Value {
    let question = u16::try_from(message["question"].as_u64().unwrap_or(0)).unwrap_or(0);
    let choice = u8::try_from(message["choice"].as_u64().unwrap_or(0)).unwrap_or(0);
    reply(QuestionId(question), Verdict::Accepted(Choice(choice).into()))
}

fn reply(question: QuestionId, verdict: Verdict) -> Value {
    let reply = ToPlayer::AnswerReply(AnswerReply::new(question, &verdict));
    serde_json::to_value(reply).unwrap()
}
