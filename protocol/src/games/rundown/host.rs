//! What a host can do in a rundown beside the actions of every show.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::teams::Team;
use crate::ids::Seat;

/// How much time a player can have, in percent of that of all others.
pub const EXTRA_TIME: RangeInclusive<u16> = 100..=300;
/// For how many rounds a player can be suspended.
pub const SUSPENDED_FOR: RangeInclusive<u16> = 1..=1000;
/// How many points a correction can give or take at once.
const MOST_POINTS: i32 = 1_000_000_000;

/// The body of a `play` that the rundown itself does; all others are the part's. One of its fields is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostPlay {
    /// End the part that is being played, whatever is left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<Yes>,
    /// Correct a seat's points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<GivePoints>,
    /// Drop all that waits for the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_back: Option<Yes>,
    /// Put a seat into a team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<SetTeam>,
    /// Seat a player without a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub player: Option<AddPlayer>,
    /// Take a player out for some rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<Suspend>,
    /// Give a player more time in each round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_time: Option<ExtraTime>,
}

impl HostPlay {
    /// The names of its fields: no part has an action with one of them.
    pub const NAMES: &[&str] = &["skip", "points", "take_back", "team", "player", "suspend", "extra_time"];
}

/// `true`, where nothing else makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "bool", into = "bool")]
#[schemars(extend("const" = true))]
pub struct Yes;

impl TryFrom<bool> for Yes {
    type Error = &'static str;

    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Ok(Self) } else { Err("it is true, or left out") }
    }
}

impl From<Yes> for bool {
    fn from(_: Yes) -> Self {
        true
    }
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

/// A seat's team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetTeam {
    /// Whose.
    pub seat: Seat,
    /// Which team; none to take the seat out of its team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Team>,
}

/// A player without a device, who gets the next seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddPlayer {
    /// The player's team; if it is left out, as for others who come now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Team>,
}

impl GivePoints {
    /// Whether that many can be given or taken at once.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        -MOST_POINTS <= self.by && self.by <= MOST_POINTS
    }
}
