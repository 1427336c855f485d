//! Breaks a promise on purpose, in one connection's JSON messages: in a scripted show and, through the proxy, between
//! live players and a live server.

use std::time::Duration;

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{AnswerReply, Choice, QuestionId};
use klaxon_protocol::player::ToPlayer;
use klaxon_simulator::evidence::Direction;
use serde_json::{Value, json};

/// A way to break a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// A reveal counts one answer more than there were.
    CountsOneTooMany,
    /// An acknowledgement names another choice than was sent.
    AcknowledgesAnotherChoice,
    /// An answer is acknowledged and not forwarded.
    LosesTheAcknowledged,
    /// A refusal is replaced by an acknowledgement.
    AcknowledgesTheRefused,
    /// A right answer is reported as wrong.
    CallsRightWrong,
    /// A reveal is sent directly after the question.
    RevealsEarly,
    /// The question contains its right choice.
    HidesTheRightChoiceInTheQuestion,
    /// The acknowledgement differs if the choice is the first.
    MarksSomeReplies,
    /// A late answer is accepted.
    AcceptsTheLate,
    /// A timely answer is refused as late.
    RefusesTheTimely,
    /// Replies are dropped.
    SwallowsReplies,
    /// The close is dropped.
    DropsAnEvent,
    /// The result is dropped.
    DropsTheResult,
    /// An event is sent twice.
    RepeatsAnEvent,
    /// A question has another close time than in the other connections.
    TellsAnotherClose,
    /// A prize is one unit higher.
    PaysOneTooMuch,
    /// The amounts of the podium don't add up.
    RollsOverTooMuch,
    /// Replies are delayed.
    DelaysReplies,
}

impl Break {
    /// All ways.
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

    /// The promise that is broken; others may be broken, too.
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

/// The delay of a delayed reply.
pub const DELAY: Duration = Duration::from_millis(800);

/// A message that is forwarded, perhaps delayed.
#[derive(Debug, Clone, PartialEq)]
pub struct Out {
    pub direction: Direction,
    pub message: Value,
    pub after: Duration,
}

impl Out {
    /// The message as the server would have encoded it: with its fields in their order, unless it has an additional
    /// one.
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

/// Breaks a promise on one connection.
#[derive(Debug)]
pub struct Breaker {
    what: Break,
    /// The choice that the player sent last.
    choice: u64,
    /// The last question that the player received, whether it is closed, and the choices sent after its close.
    question: u64,
    closed: bool,
    late: Vec<u64>,
}

impl Breaker {
    pub const fn new(what: Break) -> Self {
        Self { what, choice: 0, question: 0, closed: false, late: Vec::new() }
    }

    /// Returns the messages that are forwarded instead of this one, in either direction.
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

    /// Updates the connection's state, by which late answers are distinguished from timely ones.
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

/// The acceptance of the choice in an answer, or in a reply to it.
fn acceptance(message: &Value) -> Value {
    let question = u16::try_from(message["question"].as_u64().unwrap_or(0)).unwrap_or(0);
    let choice = u8::try_from(message["choice"].as_u64().unwrap_or(0)).unwrap_or(0);
    reply(QuestionId(question), Verdict::Accepted(Choice(choice).into()))
}

fn reply(question: QuestionId, verdict: Verdict) -> Value {
    let reply = ToPlayer::AnswerReply(AnswerReply::new(question, &verdict));
    serde_json::to_value(reply).unwrap()
}
