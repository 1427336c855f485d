//! All that a player says and hears.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ErrorCode, ErrorMessage};
use crate::ids::{Choice, Name, QuestionId, Seat, Seq, ShowCode, ShowId};
use crate::settings::Mode;
use crate::time::{Millis, Span};

/// The largest message a player may send, in bytes.
pub const LARGEST_MESSAGE: usize = 4096;

/// What a player says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum FromPlayer {
    /// The first message: into a show.
    Join(Join),
    /// A choice for the running question.
    Answer(Answer),
    /// Asks for the server's time.
    Ping(Ping),
    /// An emoji; summed with everybody's and shown as counts.
    React(React),
    /// Goodbye; the seat stays and can be resumed.
    Leave,
}

/// The `type`s of [`FromPlayer`], to tell an unknown type from a malformed message.
pub const FROM_PLAYER_TYPES: &[&str] = &["join", "answer", "ping", "react", "leave"];

/// Into a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Join {
    /// Which show.
    pub show: ShowCode,
    /// What to be called; another player's name gets a number behind it. The server finds one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// To play or to watch.
    #[serde(default)]
    pub role: Role,
    /// Who this is: a JWT, where the server wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The `resume` of an earlier welcome: back to that seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
}

/// To play or to watch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Role {
    /// Has a seat and answers.
    #[default]
    Player,
    /// Watches only.
    Spectator,
}

/// A choice for a question. Who answers is known from the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Answer {
    /// The question that is answered.
    pub question: QuestionId,
    /// The position of the choice, from 0.
    pub choice: Choice,
}

/// Asks for the server's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Ping {
    /// The player's own clock in milliseconds; comes back in the pong as it was.
    pub sent: Millis,
}

/// An emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct React {
    /// Which one.
    pub emoji: Emoji,
}

/// The emojis there are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode, JsonSchema,
)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Emoji {
    /// Applause.
    #[serde(rename = "👏")]
    Clap,
    /// Love. Also understood without the variation selector that asks for the coloured picture.
    #[serde(rename = "❤️", alias = "❤")]
    Heart,
    /// Laughter.
    #[serde(rename = "😂")]
    Laugh,
    /// Surprise.
    #[serde(rename = "😮")]
    Wow,
    /// Sorrow.
    #[serde(rename = "😢")]
    Sad,
    /// Excitement.
    #[serde(rename = "🔥")]
    Fire,
}

impl Emoji {
    /// Every emoji, in the order in which counts are kept.
    pub const ALL: [Self; 6] = [Self::Clap, Self::Heart, Self::Laugh, Self::Wow, Self::Sad, Self::Fire];
}

/// What a player hears.
///
/// Messages with a `seq` are the events of the show: in order, without holes, the same for everybody.
/// All others are for one connection, or can be missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum ToPlayer {
    /// You are in.
    Welcome(Welcome),
    /// The show as it is now; supersedes every event up to its `seq`.
    Snapshot(Box<Snapshot>),
    /// Your own state now; follows each snapshot.
    You(You),
    /// How many are in the lobby.
    Lobby(Lobby),
    /// The lobby is open.
    Opened(Mark),
    /// A question.
    Question(Question),
    /// The next question's clock was changed before it opened.
    Clock(Clock),
    /// What became of your answer.
    AnswerReply(AnswerReply),
    /// Time is up.
    Close(Close),
    /// The right choice.
    Reveal(Reveal),
    /// What the reveal means for you; follows it at once.
    Result(PlayerResult),
    /// Who leads.
    Standings(Standings),
    /// Who won.
    Podium(Podium),
    /// What you won; follows the podium.
    Prize(Prize),
    /// The clock stands still.
    Pause(Pause),
    /// The clock runs again.
    Resume(Resume),
    /// A question does not count.
    Void(Void),
    /// The host says something.
    Notice(Notice),
    /// The show is over.
    End(Mark),
    /// Everybody's emojis since the last time.
    Reactions(Reactions),
    /// The server's time.
    Pong(Pong),
    /// A refusal.
    Error(ErrorMessage),
    /// The server goes down; come back.
    Goodbye(Goodbye),
}

impl ToPlayer {
    /// The message's place in the show's order, if it is an event of the show.
    #[must_use]
    pub fn seq(&self) -> Option<Seq> {
        match self {
            Self::Opened(mark) | Self::End(mark) => Some(mark.seq),
            Self::Question(question) => Some(question.seq),
            Self::Clock(clock) => Some(clock.seq),
            Self::Close(close) => Some(close.seq),
            Self::Reveal(reveal) => Some(reveal.seq),
            Self::Podium(podium) => Some(podium.seq),
            Self::Pause(pause) => Some(pause.seq),
            Self::Resume(resume) => Some(resume.seq),
            Self::Void(void) => Some(void.seq),
            Self::Notice(notice) => Some(notice.seq),
            Self::Welcome(_)
            | Self::Snapshot(_)
            | Self::You(_)
            | Self::Lobby(_)
            | Self::AnswerReply(_)
            | Self::Result(_)
            | Self::Standings(_)
            | Self::Prize(_)
            | Self::Reactions(_)
            | Self::Pong(_)
            | Self::Error(_)
            | Self::Goodbye(_) => None,
        }
    }
}

/// You are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Welcome {
    /// The protocol's version: 1.
    pub protocol: u16,
    /// This connection's name in the server's logs.
    pub session: String,
    /// Proves who you are when you come back; keep it secret.
    pub resume: String,
    /// The show's id.
    pub show: ShowId,
    /// Your seat; none if you watch only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<Seat>,
    /// What you are called here.
    pub name: Name,
    /// The server's clock.
    pub now: Millis,
    /// Say something at least this often (a ping will do), or the connection is taken for dead.
    pub heartbeat: Span,
}

/// Where a show is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Phase {
    /// Created; nobody can join yet.
    Created,
    /// Players join.
    Lobby,
    /// A question is sent; it opens at its `opens_at` and takes answers until its `closes_at`.
    Question,
    /// Time is up; answers that were read in time are still being counted.
    Closing,
    /// Counted, not yet revealed.
    Closed,
    /// The right choice is known.
    Revealed,
    /// Over.
    Ended,
}

/// The show as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Snapshot {
    /// The last event that this includes; the next one you get is this plus 1.
    pub seq: Seq,
    /// The server's clock.
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
    /// Whether the clock stands still; if so the question's `closes_at` is as it was when it stopped.
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

/// How many are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Lobby {
    /// How many players have a seat.
    pub joined: u32,
}

/// An event that says nothing but that it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Mark {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
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

/// What became of an answer, before it is put into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Verdict {
    /// This choice counts.
    Accepted(Choice),
    /// That earlier choice counts.
    AlreadyAnswered(Choice),
    /// It does not count.
    Refused(ErrorCode),
}

impl AnswerReply {
    /// The reply to everyone whose answer to `question` met this verdict.
    #[must_use]
    pub fn new(question: QuestionId, verdict: Verdict) -> Self {
        let (accepted, choice, code) = match verdict {
            Verdict::Accepted(choice) => (true, Some(choice), None),
            Verdict::AlreadyAnswered(choice) => (false, Some(choice), Some(ErrorCode::AlreadyAnswered)),
            Verdict::Refused(code) => (false, None, Some(code)),
        };
        let message = code.map(|code| code.sentence().to_owned());
        Self { question, accepted, choice, code, message }
    }
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

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Standings {
    /// After which question.
    pub question: QuestionId,
    /// The best, at most ten.
    pub leaders: Vec<Leader>,
}

/// A line of the standings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Leader {
    /// From 1; equals share one.
    pub rank: u32,
    /// Whose.
    pub seat: Seat,
    /// What they are called.
    pub name: Name,
    /// Their points.
    pub score: u32,
}

/// Who won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Podium {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// How many won something, or would have if there were a pot.
    pub winners: u32,
    /// The first places, at most 100.
    pub places: Vec<Place>,
    /// The pot in minor units.
    pub pot: u64,
    /// How much of it is paid: the sum of all prizes.
    pub paid: u64,
    /// How much is kept for another show: the pot less what is paid.
    pub rolled_over: u64,
    /// ISO 4217 code of the pot.
    pub currency: String,
}

/// A place on the podium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Place {
    /// From 1; equals share one.
    pub place: u32,
    /// Whose.
    pub seat: Seat,
    /// What they are called.
    pub name: Name,
    /// Their points.
    pub score: u32,
    /// What they win, in minor units.
    pub prize: u64,
}

/// What one player won.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Prize {
    /// In minor units.
    pub amount: u64,
    /// ISO 4217 code.
    pub currency: String,
}

/// The clock stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Pause {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// How much of the question's time is left, if one is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Span>,
}

/// The clock runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Resume {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// The open question's new times, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionId>,
    /// Answers count from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Millis>,
    /// Answers count that are read before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Millis>,
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

/// The host says something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Notice {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// What.
    pub text: String,
}

/// Everybody's emojis since the last time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Reactions {
    /// How often each was sent.
    pub counts: Vec<ReactionCount>,
}

/// How often an emoji was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ReactionCount {
    /// Which.
    pub emoji: Emoji,
    /// How often.
    pub count: u32,
}

/// The server's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Pong {
    /// The ping's `sent`.
    pub sent: Millis,
    /// The server's clock when it read the ping.
    pub now: Millis,
}

/// The server goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Goodbye {
    /// Come back after this long, to this address or another of the service.
    pub retry: Span,
}
