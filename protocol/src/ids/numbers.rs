//! The ids that are numbers.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::texts::BadText;
use crate::binary::{Decode, Encode};

/// Defines a number type that is written as a bare number in both codecs.
macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Encode, Decode, JsonSchema,
        )]
        $(#[$doc])*
        #[serde(transparent)]
        #[cfg_attr(test, derive(proptest_derive::Arbitrary))]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use number_type;

number_type!(
    /// A player's place in one show: dense, from 0. It can be given again before the first question.
    Seat(u32)
);
number_type!(
    /// How often a seat was given again.
    Generation(u32)
);
number_type!(
    /// A round's number in its show, from 1, in the order in which they are begun.
    #[schemars(rename = "QuestionId")]
    RoundId(u16)
);
number_type!(
    /// Which of a seat's claims in a round it is, from 0.
    #[derive(Default)]
    ClaimKey(u16)
);
number_type!(
    /// The place of an event in its show's order, from 1; each event's is the one before plus 1.
    Seq(u64)
);
number_type!(
    /// A lease's fencing token: grows with each lease of a show; whoever holds a smaller one has lost the show.
    Fence(u64)
);
number_type!(
    /// A gateway, as engines know it.
    GatewayId(u32)
);

impl Seat {
    /// The seat as an index into arrays by seat.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A seat as one player has it: whoever gets it after them has another generation of it, so that nothing of theirs that is still on its
/// way is taken for the new player's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct SeatRef {
    /// Which seat.
    pub seat: Seat,
    /// How often it had been given again when this player got it.
    pub generation: Generation,
}

impl SeatRef {
    /// The seat as its first player has it.
    #[must_use]
    pub const fn first(seat: Seat) -> Self {
        Self { seat, generation: Generation(0) }
    }
}

impl fmt::Display for SeatRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.seat, self.generation)
    }
}

impl Seq {
    /// The seq of the event after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A show. 64 random bits, so JSON carries it as a decimal string: JavaScript's numbers end at 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ShowId(pub u64);

impl fmt::Display for ShowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ShowId {
    type Err = BadText;
    fn from_str(text: &str) -> Result<Self, BadText> {
        text.parse()
            .map(Self)
            .map_err(|_| BadText { what: "show id", problem: "must be a decimal number of 64 bits".into() })
    }
}

impl Serialize for ShowId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ShowId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ShowId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ShowId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{1,20}$",
            "description": "A show: 64 random bits as a decimal string, for JavaScript's numbers end at 2^53.",
        })
    }
}

/// A socket, named so that an answer to it finds its way back: the gateway, and that gateway's own key for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ConnRef {
    /// Whose socket it is.
    pub gateway: GatewayId,
    /// The gateway's key; means nothing elsewhere and is never given to a second socket.
    pub conn: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_ids_survive_javascript() {
        let id = ShowId(u64::MAX);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"18446744073709551615\"");
        assert_eq!(serde_json::from_str::<ShowId>("\"18446744073709551615\"").unwrap(), id);
        assert!(serde_json::from_str::<ShowId>("18446744073709551615").is_err());
    }
}
