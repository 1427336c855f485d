//! What players of bingo are sent, as the bodies of `game_event`, `game_own` and `game_snapshot`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::Balls;
use super::settings::{BingoPrize, BingoSettings};
use crate::ids::{ClaimKey, RoundId, Seat};

/// How many claim keys a ticket has: one for each prize that there can be.
const KEYS_OF_A_TICKET: u16 = 32;
/// How many claim keys a round of bingo has.
pub const BINGO_KEYS: u16 = KEYS_OF_A_TICKET * 6;
/// How many winners of a prize an event names.
pub const WINNERS_NAMED: usize = 100;

/// The claim that a ticket has won a prize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketPrize {
    /// Which ticket of the seat, from 0.
    pub ticket: u8,
    /// Which prize of the part, from 0.
    pub prize: u8,
}

impl TicketPrize {
    /// What a claim with this key calls.
    #[must_use]
    pub const fn of(key: ClaimKey) -> Self {
        Self { ticket: (key.0 / KEYS_OF_A_TICKET) as u8, prize: (key.0 % KEYS_OF_A_TICKET) as u8 }
    }

    /// The key of the claim.
    #[must_use]
    pub const fn key(self) -> ClaimKey {
        ClaimKey(self.ticket as u16 * KEYS_OF_A_TICKET + self.prize as u16)
    }
}

/// An event of a part of bingo. The rundown adds the part's index, and to a ball its round and times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum BingoEvent {
    /// Tickets are dealt.
    Dealing(Dealing),
    /// All tickets are dealt.
    Dealt(Dealt),
    /// The public value is known.
    PublicValue {
        /// The value.
        value: String,
    },
    /// A ball was drawn, and can be called.
    Ball(Ball),
    /// The calls of a ball are judged.
    Settled(Settled),
    /// The part is over: the seed from which tickets and balls follow.
    Opened(Opened),
}

/// Tickets are dealt from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dealing {
    /// 75 or 90 balls.
    pub balls: Balls,
    /// How many tickets each seat has.
    pub tickets: u8,
    /// What can be won.
    pub prizes: Vec<BingoPrize>,
    /// How it is played.
    pub settings: BingoSettings,
    /// SHA-256 of the seed, in hex.
    pub commitment: String,
    /// What the public value will be, in words.
    #[serde(default)]
    pub public_value: Option<String>,
}

/// All tickets are dealt: the roster from which, with the seed, the order of the balls follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dealt {
    /// How many seats have tickets.
    pub seats: u32,
    /// How many tickets there are.
    pub tickets: u32,
    /// SHA-256 of the roster, in hex.
    pub roster: String,
}

/// A ball, which is a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ball {
    /// The number on it.
    pub ball: u8,
    /// How many balls are drawn, this one included.
    pub number_of_ball: u8,
}

/// The calls of a ball are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settled {
    /// The ball's round.
    pub round: RoundId,
    /// The prizes that the ball won.
    pub won: Vec<PrizeWon>,
    /// How many calls were false.
    pub false_calls: u32,
}

/// A prize that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrizeWon {
    /// The prize's index.
    pub prize: u8,
    /// The first 100 winners, by seat and ticket.
    pub winners: Vec<TicketOfSeat>,
    /// How many winners there are.
    pub count: u32,
    /// What each gets at least, in minor units.
    pub share: u64,
    /// How many of the first winners, by seat and ticket, get one unit more.
    pub one_more: u32,
}

/// A ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TicketOfSeat {
    /// Whose.
    pub seat: Seat,
    /// Which of the seat's, from 0.
    pub ticket: u8,
}

/// The part is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The seed, 32 bytes in hex.
    pub seed: String,
    /// The public value, if the order of the balls depends on one.
    #[serde(default)]
    pub public_value: Option<String>,
    /// SHA-256 of the roster, in hex; none if the part ended before the dealing was closed.
    #[serde(default)]
    pub roster: Option<String>,
    /// How many balls were drawn.
    pub drawn: u8,
}

/// A seat's tickets and what happened with them: in the body of a `game_own`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct BingoOwn {
    /// The tickets, each as rows of numbers; 0 is a free or blank cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Vec<Vec<u8>>>,
    /// The keys of the seat's calls in the last round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ClaimKey>,
    /// What the seat has won in the part so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub won: Vec<Won>,
    /// How many false calls the seat has made in the part.
    #[serde(default)]
    pub false_calls: u16,
    /// What the seat can't win any more because of false calls.
    #[serde(default, skip_serializing_if = "Barred::is_nothing")]
    pub barred: Barred,
}

/// What became of a seat's calls: follows the `settled` event, for seats that won or called falsely.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct CallResult {
    /// The ball's round.
    pub round: RoundId,
    /// What was won.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub won: Vec<Won>,
    /// The keys of the calls that were false.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub false_calls: Vec<ClaimKey>,
    /// The keys of the calls that came too late: an earlier ball had completed the pattern.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late_calls: Vec<ClaimKey>,
    /// What the seat can't win any more because of false calls.
    #[serde(default, skip_serializing_if = "Barred::is_nothing")]
    pub barred: Barred,
}

/// A prize that a ticket won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Won {
    /// The prize's index.
    pub prize: u8,
    /// Which ticket of the seat, from 0.
    pub ticket: u8,
    /// What it won, in minor units.
    pub share: u64,
}

/// What a seat can't win any more because of false calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Barred {
    /// Nothing can be won with any ticket.
    pub seat: bool,
    /// Nothing can be won with these tickets.
    pub tickets: Vec<u8>,
    /// These can't be won, by the keys of their claims.
    pub prizes: Vec<ClaimKey>,
}

impl Barred {
    /// Whether everything can be won.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A part of bingo, as it is for those who join: in the body of a `game_snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BingoView {
    /// What is played for, and how.
    pub dealing: Dealing,
    /// The roster; none while tickets are dealt.
    #[serde(default)]
    pub dealt: Option<Dealt>,
    /// The public value, once it is known.
    #[serde(default)]
    pub public_value: Option<String>,
    /// The balls that were drawn, in order.
    pub drawn: Vec<u8>,
    /// The prizes that are gone.
    pub won: Vec<PrizeWon>,
}
