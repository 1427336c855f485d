//! The bodies of a rundown's messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::setup::LeadersBy;
use super::teams::{OwnChoice, OwnTeam, Team, TeamPlace, TeamsView};
use crate::ids::{RoundId, Seat};
use crate::player::{Body, Podium};
use crate::time::{Millis, Span};

/// The body of an event, with the part that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfPart<E> {
    /// The part's index in the setup, from 0.
    pub part: u8,
    /// The event.
    #[serde(flatten)]
    pub event: E,
}

/// The events that the rundown itself sends, whatever its parts are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A break begins.
    Break {
        /// What all screens show.
        text: String,
        /// How long the script waits, in ms.
        #[serde(rename = "for")]
        lasts: Span,
    },
    /// A podium in the middle of the show begins.
    Leaders(Leading),
    /// A round's time was changed before it opened.
    Clock(RoundTimes),
    /// A round's time is up: claims that were read in time are still being counted.
    Close {
        /// Which round.
        round: RoundId,
    },
    /// A round does not count.
    Void {
        /// Which round.
        round: RoundId,
        /// Why.
        reason: String,
    },
    /// The host put a seat into a team, or took it out of its team.
    Team {
        /// Which seat.
        seat: Seat,
        /// Its team now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<Team>,
    },
    /// The host seated a player without a device.
    Player {
        /// Which seat.
        seat: Seat,
        /// Its team.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<Team>,
    },
    /// The places of the teams, right before the podium.
    Teams {
        /// By place: 100 at most.
        places: Vec<TeamPlace>,
    },
}

/// Who leads by what was played so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leading {
    /// By what.
    pub by: LeadersBy,
    /// What all screens show with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How long the script waits, in ms.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// The players who lead, best first; none with nothing.
    pub leaders: Vec<LeaderLine>,
}

/// A player who leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeaderLine {
    /// The place, from 1; equals share one.
    pub place: u32,
    /// The player's seat.
    pub seat: Seat,
    /// The player's points.
    pub points: i64,
    /// What the player has won.
    pub winnings: u64,
}

/// The times of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoundTimes {
    /// Which round.
    pub round: RoundId,
    /// Claims count that are read from here on.
    pub opens_at: Millis,
    /// Claims count that are read before this.
    pub closes_at: Millis,
}

/// What a seat has, in its `game_own` at the join and after a change by the host. A part adds its own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// Whether it is in play.
    pub in_play: bool,
    /// Its extra lives.
    pub lives: u8,
    /// Its points.
    pub points: i64,
    /// What it has won, in minor units of the show's currency.
    pub winnings: u64,
}

/// The body of a rundown's snapshot. Nothing in it tells what is not revealed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    /// The kinds of all parts, in order.
    pub parts: Vec<String>,
    /// The part that began last; none before the first.
    pub part: Option<u8>,
    /// Whether that part was finished.
    pub finished: bool,
    /// By part: the SHA-256 of the seed from which all that is random in it follows, in hex; none for parts without one.
    pub commitments: Vec<Option<String>>,
    /// How many seats are in play.
    pub in_play: u32,
    /// What can be won in all parts together, in minor units.
    pub pot: u64,
    /// ISO 4217 code of all amounts.
    pub currency: String,
    /// The open round. While the show is paused, its end is told as if it went on now.
    pub round: Option<RoundTimes>,
    /// What the part tells of itself, as its rules say.
    pub now: Option<Body>,
    /// The podium, after the end.
    pub podium: Option<Podium>,
    /// The teams, if the show has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<TeamsView>,
}

/// The time of a seat to which the host gave more, in its `game_own` when a round opens and at the join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnTime {
    /// In percent of that of all others; 100 in a round in which the order between seats decides, for which it has no more time than they.
    pub extra_time: u16,
    /// Its claims in the open round count that are read before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Millis>,
}

/// The body of a seat's own state. A part adds its own fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Own {
    /// The part that began last; none before the first.
    pub part: Option<u8>,
    /// Its own time, if the host gave it more.
    #[serde(flatten)]
    pub time: Option<OwnTime>,
    /// While the host keeps its player out for some rounds: the last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<RoundId>,
    /// What the seat has; none for a spectator.
    #[serde(flatten)]
    pub standing: Option<Standing>,
    /// Its team; none if it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<OwnTeam>,
    /// While it can choose its team: how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<OwnChoice>,
}
