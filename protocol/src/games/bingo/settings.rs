//! The settings of a part of bingo.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::{Balls, Pattern};
use crate::time::Span;

/// How many tickets a seat can have: up to a strip.
pub const TICKETS_EACH: RangeInclusive<u8> = 1..=6;
/// How many prizes a part can have.
pub const PRIZES: RangeInclusive<usize> = 1..=32;
/// The length of a prize's name, in characters.
pub const PRIZE_NAME: RangeInclusive<usize> = 1..=60;
/// How many masks a prize can have.
pub const MASKS: RangeInclusive<usize> = 1..=100;
/// The largest amount of a prize, and of all together, in minor units: 2^53 - 1, so that JavaScript can count it.
pub const LARGEST_AMOUNT: u64 = (1 << 53) - 1;
/// The least that each winner can be promised, in minor units. So much for each of 60 million tickets is below [`LARGEST_AMOUNT`].
pub const MIN_SHARE: RangeInclusive<u64> = 0..=100_000_000;
/// Which false call of a seat can be the first to have consequences.
pub const FALSE_CALL_LIMIT: RangeInclusive<u8> = 1..=100;
/// How long calls for a ball can be made.
pub const WINDOW: RangeInclusive<Span> = Span(500)..=Span(600_000);
/// How long the script can wait between balls.
pub const PACE: RangeInclusive<Span> = Span(0)..=Span(3_600_000);

/// A part of bingo, as the host sets it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BingoSetup {
    /// 75 or 90 balls.
    pub balls: Balls,
    /// How many tickets each seat has, 1 to 6. Six tickets with 90 balls are a strip.
    #[serde(default = "one")]
    #[schemars(extend("minimum" = TICKETS_EACH.start(), "maximum" = TICKETS_EACH.end()))]
    pub tickets: u8,
    /// 1 to 32 prizes. If one ball wins several, they are given in this order.
    pub prizes: Vec<BingoPrize>,
    /// How it is played.
    #[serde(default)]
    pub settings: BingoSettings,
    /// What the public value will be, in words: something that nobody can know before the dealing is closed, such as "the closing price
    /// of ... on ...". The order of the balls then depends on it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_value: Option<String>,
}

const fn one() -> u8 {
    1
}

/// A prize.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BingoPrize {
    /// What it is called, 1 to 60 characters.
    pub name: String,
    /// What wins it.
    pub pattern: Pattern,
    /// The masks of the patterns `cells` and `numbers`, 1 to 100: the numbers under the 1 bits of one of them must be drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<u32>,
    /// What is won, in minor units of the show's currency.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = LARGEST_AMOUNT))]
    pub amount: u64,
}

/// How bingo is played. Whatever is left out has the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BingoSettings {
    /// Who calls.
    pub call: CallBy,
    /// Who marks numbers on the screen. The server never reads marks: it judges calls by the balls alone.
    pub daub: DaubBy,
    /// Whether the ball that was drawn last must complete the pattern.
    pub last_ball: LastBall,
    /// Who gets the prize if several call it rightly on the same ball.
    pub share: ShareBy,
    /// What a false call costs.
    pub false_call: FalseCall,
    /// Which false call of a seat is the first to cost it, 1 to 100; those before it are free.
    #[schemars(extend("minimum" = FALSE_CALL_LIMIT.start(), "maximum" = FALSE_CALL_LIMIT.end()))]
    pub false_call_limit: u8,
    /// Whether a ticket that won a prize can win no other.
    pub one_prize_per_ticket: bool,
    /// What each winner gets at least, in minor units, even if all together then get more than the prize's amount.
    #[schemars(extend("minimum" = MIN_SHARE.start(), "maximum" = MIN_SHARE.end()))]
    pub min_share: u64,
    /// With the script: from the settlement of a ball's calls to the next ball, 0 to 1 h.
    #[schemars(extend("minimum" = PACE.start(), "maximum" = PACE.end()))]
    pub pace: Span,
    /// For how long a ball can be called, 500 ms to 10 min.
    #[schemars(extend("minimum" = WINDOW.start(), "maximum" = WINDOW.end()))]
    pub window: Span,
}

impl Default for BingoSettings {
    fn default() -> Self {
        Self {
            call: CallBy::Player,
            daub: DaubBy::Player,
            last_ball: LastBall::Required,
            share: ShareBy::All,
            false_call: FalseCall::None,
            false_call_limit: 1,
            one_prize_per_ticket: false,
            min_share: 0,
            pace: Span(1_000),
            window: Span(6_000),
        }
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallBy {
    /// Players, in the window of a ball.
    Player,
    /// The server, for every ticket that a ball completes.
    Auto,
}

/// Who marks numbers on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DaubBy {
    /// Players.
    Player,
    /// Their client.
    Auto,
}

/// Whether the last ball must complete the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LastBall {
    /// A pattern that an earlier ball completed can't be called any more.
    Required,
    /// It can, until another ball wins the prize.
    Any,
}

/// Who gets a prize that several call rightly on the same ball.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareBy {
    /// All share it.
    All,
    /// The first gets it, by the time at which the call was read, then by seat and ticket.
    First,
}

/// What a false call costs, from the next ball on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FalseCall {
    /// Nothing.
    None,
    /// The ticket can't win this prize any more.
    Prize,
    /// The ticket can't win any prize any more.
    Ticket,
    /// The seat can't win any prize of this part any more.
    Round,
}
