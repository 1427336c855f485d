//! All that a host says and hears, on the admin socket.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorMessage;
use crate::ids::{CommandId, GameName, GatewayId, Name, QuestionId, Seat, Seq, ShowCode, ShowId};
use crate::pack::{Pack, TEXT_LENGTH};
use crate::player::{Body, Phase, Ping, Pong, ToPlayer};
use crate::settings::{BARRIER, MOST_LIVES, SEATS, Settings};
use crate::text;
use crate::time::{Millis, Span};

/// The largest message a host may send, in bytes: a pack of 500 questions fits.
pub const LARGEST_HOST_MESSAGE: usize = 4 << 20;

/// What a host says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum FromHost {
    /// A new show.
    Create(Box<Create>),
    /// Something to do in a show.
    Command(Command),
    /// Send this show's figures and events from now on.
    Watch(ShowRef),
    /// No longer.
    Unwatch(ShowRef),
    /// Which shows are there?
    Shows,
    /// Who is called like this?
    FindPlayers(FindPlayers),
    /// The journal's last records.
    JournalTail(JournalTail),
    /// Asks for the server's time.
    Ping(Ping),
    /// A new show of a game other than trivia.
    CreateGame(Box<CreateGame>),
}

/// The `type`s of [`FromHost`], to tell an unknown type from a malformed message.
pub const FROM_HOST_TYPES: &[&str] =
    &["create", "command", "watch", "unwatch", "shows", "find_players", "journal_tail", "ping", "create_game"];

/// A new show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Create {
    /// The host's id for this command: sent again, it makes no second show.
    pub id: CommandId,
    /// What players type to join; the server finds one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ShowCode>,
    /// The questions.
    pub pack: Pack,
    /// How it is played.
    #[serde(default)]
    pub settings: Settings,
}

/// A new show of a game other than trivia. `create` is of trivia alone: in bincode it can't have more fields without becoming another
/// message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct CreateGame {
    /// The host's id for this command: sent again, it makes no second show.
    pub id: CommandId,
    /// What players type to join; the server finds one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ShowCode>,
    /// Which game.
    pub game: GameName,
    /// What the show is called.
    pub title: String,
    /// How many can play.
    #[serde(default = "most_seats")]
    #[schemars(extend("minimum" = SEATS.start(), "maximum" = SEATS.end()))]
    pub seats: u32,
    /// How long gateways are waited for at the close of a round, at most.
    #[serde(default = "usual_barrier")]
    pub barrier: Span,
    /// The game's own settings, as its page says.
    pub setup: Body,
}

impl CreateGame {
    /// Everything that is wrong with what the core knows of it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let title = text::problem(&self.title, &TEXT_LENGTH).map(|problem| format!("title {problem}"));
        let mut wrong: Vec<String> = title.into_iter().collect();
        if !SEATS.contains(&self.seats) {
            wrong.push(format!("seats: {} to {}, not {}", SEATS.start(), SEATS.end(), self.seats));
        }
        if !BARRIER.contains(&self.barrier) {
            let (least, most) = (BARRIER.start().0, BARRIER.end().0);
            wrong.push(format!("barrier: {least} to {most} (milliseconds), not {}", self.barrier.0));
        }
        wrong
    }
}

fn most_seats() -> u32 {
    Settings::default().seats
}

fn usual_barrier() -> Span {
    Settings::default().barrier
}

/// Something to do in a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Command {
    /// The host's id for this command: sent again, it is answered again and not done again.
    pub id: CommandId,
    /// In which show.
    pub show: ShowId,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
}

/// What a host can do in a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Action {
    /// Players may join.
    OpenLobby,
    /// Ask the next question.
    Next,
    /// Close the running question before its time.
    Close,
    /// Show the right choice of the closed question.
    Reveal,
    /// The last question does not count: nobody is eliminated by it, its points are taken back.
    Void {
        /// Why, told to everybody: 1 to 500 characters in one line, at least one of which can be seen.
        reason: String,
    },
    /// Give the question that is sent and not yet open more or less time.
    AdjustTime {
        /// Milliseconds more (or less, if below 0).
        by: i32,
    },
    /// Stop the clock.
    Pause,
    /// Let it run.
    Resume,
    /// A message to everybody.
    Message {
        /// 1 to 500 characters in one line, at least one of which can be seen.
        text: String,
    },
    /// Take a player out of the show.
    Remove {
        /// Whom.
        seat: Seat,
        /// And don't let them in again.
        #[serde(default)]
        ban: bool,
    },
    /// Give extra lives to one who is in play or, without a seat, to all who are.
    GiveLives {
        /// Whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seat: Option<Seat>,
        /// How many, from 1 to 99.
        #[schemars(extend("minimum" = 1, "maximum" = MOST_LIVES))]
        lives: u8,
    },
    /// End the show now.
    End {
        /// Pay the prizes by how things stand; if false the pot rolls over.
        #[serde(default = "yes")]
        pay: bool,
    },
    /// Let the script run the show, or take it over.
    Autopilot {
        /// Run or not.
        on: bool,
    },
    /// Refuse a player's resume tokens from now on, close their connections, and tell me a new token for them.
    ReissueToken {
        /// Whose.
        seat: Seat,
    },
    /// Let more players in than the settings say.
    SetSeats {
        /// How many seats there are from now on: never fewer than before, 10 million at most.
        #[schemars(extend("minimum" = SEATS.start(), "maximum" = SEATS.end()))]
        seats: u32,
    },
    /// Take no new players, or take them again. Whoever has a seat comes back, and all can watch.
    LockLobby {
        /// Take none.
        on: bool,
    },
    /// Undo a `remove`, with or without a ban.
    Restore {
        /// Whom.
        seat: Seat,
    },
    /// Remove and ban a player, and give nobody new a seat who comes from the same address without an operator's token.
    BanAddress {
        /// Whom.
        seat: Seat,
        /// Also if other players come from there, or it is not known whether they do: a school, a proxy.
        #[serde(default)]
        shared: bool,
    },
    /// Let new players in again from all addresses that were banned in this show. Who was banned by id stays so.
    LiftAddressBans,
    /// Something that only the show's game knows.
    Play {
        /// What, as the game's page says.
        body: Body,
    },
}

fn yes() -> bool {
    true
}

/// Names a show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ShowRef {
    /// Which.
    pub show: ShowId,
}

/// Who is called like this?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct FindPlayers {
    /// In which show.
    pub show: ShowId,
    /// Part of the name, in any case.
    pub name: String,
}

/// The journal's last records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct JournalTail {
    /// Of which show.
    pub show: ShowId,
    /// How many, at most 1000.
    pub last: u16,
}

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
    pub question: Option<QuestionId>,
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
        question: QuestionId,
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
        question: QuestionId,
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
