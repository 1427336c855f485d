//! What players hear beside a show's events: for one connection, or such that it can be missed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::says::Emoji;
use crate::binary::{Decode, Encode};
use crate::ids::{Name, RoundId, Seat, ShowId};
use crate::in_json::InJson;
use crate::time::{Millis, Span};

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
    /// Who says nothing for longer than this is sent a WebSocket ping, and closed if nothing came for twice as long.
    pub heartbeat: Span,
    /// The newest version of the protocol that is spoken here, in JSON only: where it is above `protocol` there is a newer client to be had.
    #[serde(default, skip_serializing_if = "InJson::is_none")]
    pub newest: InJson<u16>,
}

/// How many are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Lobby {
    /// How many players have a seat.
    pub joined: u32,
}

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Standings {
    /// After which question.
    pub question: RoundId,
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

/// What one player won.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Prize {
    /// In minor units.
    pub amount: u64,
    /// ISO 4217 code.
    pub currency: String,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Goodbye {
    /// Come back after this long, to this address or another of the service.
    pub retry: Span,
    /// Where to, such as `ws://gateway-2.example.org:4700/play`, if the server knows a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}
