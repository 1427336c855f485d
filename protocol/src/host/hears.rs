//! What a host hears.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binary::{Decode, Encode};
use crate::error::ErrorMessage;
use crate::ids::{CommandId, GatewayId, Name, RoundId, Seat, Seq, ShowCode, ShowId};
use crate::player::{Body, Phase, Pong, ToPlayer};
use crate::time::{Millis, Span};

/// What a host hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum ToHost {
    /// The show is there.
    Created(Created),
    /// The command is done.
    Done(Done),
    /// The command was not done.
    Refused(Refused),
    /// How the show goes; several times a second while watched.
    Figures(Box<Figures>),
    /// An event of a watched show, as players hear it.
    Event(HostEvent),
    /// Something an operator or host must know.
    Alert(Alert),
    /// The shows there are.
    Shows(Shows),
    /// Who is called like that.
    Players(Players),
    /// Journal records.
    Journal(JournalLines),
    /// The server's time.
    Pong(Pong),
    /// A message that could not be understood.
    Error(ErrorMessage),
    /// The player's new resume token; follows the `done` of a `reissue_token`.
    ResumeToken(ResumeToken),
}

/// The show is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Created {
    /// The create's id.
    pub id: CommandId,
    /// The show's id, for commands.
    pub show: ShowId,
    /// The show's code, for players.
    pub code: ShowCode,
}

/// The command is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Done {
    /// The command's id.
    pub id: CommandId,
    /// In which show.
    pub show: ShowId,
    /// Whether it had been done before, so that nothing was done now.
    pub again: bool,
}

/// A player's new resume token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ResumeToken {
    /// The command's id.
    pub id: CommandId,
    /// In which show.
    pub show: ShowId,
    /// Whose.
    pub seat: Seat,
    /// For the player only: whoever has it plays as them.
    pub resume: String,
}

/// The command was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Refused {
    /// The command's id.
    pub id: CommandId,
    /// Why.
    pub error: ErrorMessage,
}

/// How a show goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Figures {
    /// Which show.
    pub show: ShowId,
    /// The server's clock.
    pub at: Millis,
    /// Where it is.
    pub phase: Phase,
    /// The last event.
    pub seq: Seq,
    /// The last question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<RoundId>,
    /// How many there are.
    pub total: u16,
    /// Players with a seat.
    pub joined: u32,
    /// Connections of players and spectators now.
    pub connected: u32,
    /// Players in play.
    pub alive: u32,
    /// Counted answers by choice, as they come.
    pub answers: Vec<u32>,
    /// Until the question closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_left: Option<Span>,
    /// Whether the clock stands still.
    pub paused: bool,
    /// Whether the script runs the show.
    pub autopilot: bool,
    /// When the script's next step comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<Millis>,
    /// From an answer being read to its reply being written, in this show's last question.
    pub latency: Latency,
    /// Connections closed because they could not keep up.
    pub shed: u64,
}

/// How long things took, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// Half of them were faster.
    pub p50: u64,
    /// 99 of 100 were faster.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

/// An event of a watched show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct HostEvent {
    /// Which show.
    pub show: ShowId,
    /// As players hear it.
    pub event: Box<ToPlayer>,
}

/// Something an operator or host must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Alert {
    /// Which show.
    pub show: ShowId,
    /// The server's clock.
    pub at: Millis,
    /// What happened.
    #[serde(flatten)]
    pub alert: AlertKind,
}

/// What a host is alerted of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "alert", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum AlertKind {
    /// These gateways did not hand in their answers before the barrier's limit: answers read there may be missing.
    SilentGateways {
        /// At which question.
        question: RoundId,
        /// Which.
        gateways: Vec<GatewayId>,
    },
    /// The engine was away and is back; an open question got the time again that was left.
    Recovered {
        /// From the last record before to the first after.
        away: Span,
        /// Until when the open question now takes answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closes_at: Option<Millis>,
    },
    /// The journal can't be written; nothing is acknowledged until it can.
    JournalFailing {
        /// What the system said.
        problem: String,
    },
    /// The journal can be written again.
    JournalBack,
    /// The question was voided, because answers that were read in time may be missing: what carries or counts them was away at
    /// its close for longer than the barrier's limit.
    Outage {
        /// Which question.
        question: RoundId,
        /// How long after its close the answers could be counted again.
        late: Span,
    },
    /// These gateways' clocks may be wrong by more than an answer should be.
    UncertainClocks {
        /// Which, and by how many microseconds either way.
        gateways: Vec<UncertainClock>,
    },
    /// A guest was banned by `remove`: it holds until they clear their page's storage, for then they are another guest. `ban_address`
    /// bans where they come from.
    GuestBanned {
        /// Whose seat it was.
        seat: Seat,
    },
    /// So many new players were refused because they came from a banned address; told at 1, 10, 100 and so on. If they are many, it is
    /// the address of more than the one who was meant: `lift_address_bans` lets them in.
    AddressBansRefuse {
        /// How many joins, since this engine has the show.
        joins: u64,
    },
    /// What the show's game tells its hosts alone, such as a player's card that a host asked for.
    Game {
        /// What, as the game's page says.
        body: Body,
    },
}

/// A gateway whose clock may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct UncertainClock {
    /// Which gateway.
    pub gateway: GatewayId,
    /// By how many microseconds either way.
    pub uncertainty: u32,
}

/// The shows there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Shows {
    /// A line each.
    pub shows: Vec<ShowLine>,
}

/// A show in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ShowLine {
    /// Its id.
    pub show: ShowId,
    /// What players type to join.
    pub code: ShowCode,
    /// What it is called.
    pub title: String,
    /// Where it is.
    pub phase: Phase,
    /// Players with a seat.
    pub joined: u32,
}

/// Players found by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Players {
    /// In which show.
    pub show: ShowId,
    /// At most 50.
    pub players: Vec<PlayerLine>,
}

/// A player found by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct PlayerLine {
    /// Their seat, for commands.
    pub seat: Seat,
    /// What they are called.
    pub name: Name,
    /// Whether they are in play.
    pub alive: bool,
    /// Their extra lives.
    pub lives: u8,
    /// Their points.
    pub score: u32,
}

/// Journal records, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct JournalLines {
    /// Of which show.
    pub show: ShowId,
    /// A record each, in order.
    pub lines: Vec<String>,
}
