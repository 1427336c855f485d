//! The events of a show, as everybody hears them: in order, without holes. Beside the pause is what those hear of it who come later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apart::unnamed;
use crate::binary::{Decode, Encode};
use crate::ids::{Name, RoundId, Seat, Seq};
use crate::time::{Millis, Span};

/// An event that says nothing but that it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Mark {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
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

impl Podium {
    /// As a journal has it whose names stand apart.
    #[must_use]
    pub fn without_names(mut self) -> Self {
        self.places.iter_mut().for_each(|place| place.name = unnamed(place.seat));
        self
    }
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

/// The clock stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Paused {
    /// What is left of the question's time, if it is a question that was stopped.
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
    pub question: Option<RoundId>,
    /// Answers count from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Millis>,
    /// Answers count that are read before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Millis>,
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
