//! What a host says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binary::{Decode, Encode};
use crate::games::trivia::{Create, MOST_LIVES};
use crate::ids::{CommandId, GameName, Seat, ShowCode, ShowId};
use crate::limits::{BARRIER, SEATS, TEXT_LENGTH, USUAL_BARRIER, USUAL_SEATS};
use crate::player::{Body, Ping};
use crate::text;
use crate::time::Span;

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
    Command(HostCommand),
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
    /// A new show of any game.
    CreateGame(Box<CreateGame>),
}

impl FromHost {
    /// The same by a message that has all of it in both codecs: bincode's `create` has the first settings only.
    #[must_use]
    pub fn encodable(self) -> Self {
        match self {
            Self::Create(create) if create.settings.first().is_none() => Self::CreateGame(Box::new((*create).into())),
            other => other,
        }
    }
}

/// The `type`s of [`FromHost`], to tell an unknown type from a malformed message.
pub const FROM_HOST_TYPES: &[&str] =
    &["create", "command", "watch", "unwatch", "shows", "find_players", "journal_tail", "ping", "create_game"];

/// A new show of any game. One of trivia has `questions` and `settings` in its `setup`, as `create` has them; in bincode `create` has no
/// settings that came after the first release.
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
    #[serde(default = "usual_seats")]
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

const fn usual_seats() -> u32 {
    USUAL_SEATS
}

const fn usual_barrier() -> Span {
    USUAL_BARRIER
}

/// Something to do in a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[schemars(rename = "Command")]
pub struct HostCommand {
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
