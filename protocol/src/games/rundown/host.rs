//! What a host can do in a rundown beside the actions of every show.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::Seat;

/// How much time a player can have, in percent of that of all others.
pub const EXTRA_TIME: RangeInclusive<u16> = 100..=300;
/// For how many rounds a player can be suspended.
pub const SUSPENDED_FOR: RangeInclusive<u16> = 1..=1000;
/// How many points a correction can give or take at once.
const MOST_POINTS: i32 = 1_000_000_000;

/// The body of a `play` that the rundown itself does; all others are the part's. One of them is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostPlay {
    /// True: end the part that is being played, whatever is left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<bool>,
    /// Correct a seat's points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<GivePoints>,
    /// Take a player out for some rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<Suspend>,
    /// Give a player more time in each round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_time: Option<ExtraTime>,
}

impl HostPlay {
    /// The names of its fields: no part has an action with one of them.
    pub const NAMES: &[&str] = &["skip", "points", "suspend", "extra_time"];
}

/// A player whom the host takes out for some rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suspend {
    /// The player's seat.
    pub seat: Seat,
    /// For how many rounds, of whichever parts: 1 to 1000. The open one is the first of them.
    #[schemars(extend("minimum" = SUSPENDED_FOR.start(), "maximum" = SUSPENDED_FOR.end()))]
    pub rounds: u16,
}

/// Time that the host gives a player, from the next round on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtraTime {
    /// The player's seat.
    pub seat: Seat,
    /// How much time, in percent of that of all others: 100 to 300; 100 takes it away.
    #[schemars(extend("minimum" = EXTRA_TIME.start(), "maximum" = EXTRA_TIME.end()))]
    pub percent: u16,
}

/// Points that the host gives or takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivePoints {
    /// To or from this seat.
    pub seat: Seat,
    /// How many, below 0 to take them: -1,000,000,000 to 1,000,000,000.
    #[schemars(extend("minimum" = -MOST_POINTS, "maximum" = MOST_POINTS))]
    pub by: i32,
}

impl GivePoints {
    /// Whether that many can be given or taken at once.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        -MOST_POINTS <= self.by && self.by <= MOST_POINTS
    }
}
