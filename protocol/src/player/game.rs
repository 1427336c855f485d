//! What games other than trivia tell players, as the core carries it: where the show is, and a body that is the game's own.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::phase::Phase;
use crate::binary::{Decode, Encode, encoded_as_text};
use crate::codec::fields::{Looked, look};
use crate::ids::{GameName, RoundId, Seq};
use crate::time::{Millis, Span};

/// A game's own part of a message: a JSON object, in both codecs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Body(pub Map<String, Value>);

impl Body {
    /// The body of what a game knows under names.
    ///
    /// # Panics
    /// If it is no object, or holds a map whose keys are no strings.
    #[must_use]
    pub fn of(content: &impl Serialize) -> Self {
        match serde_json::to_value(content).expect("a game's messages have string keys only") {
            Value::Object(fields) => Self(fields),
            other => panic!("a game's message is an object, and not {other}"),
        }
    }

    fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map(Self).map_err(|error| format!("no JSON: {error}"))
    }

    /// The content, if it is of this type and has nothing that the type does not know.
    ///
    /// # Errors
    /// The first name that is not known, or what is missing or wrong.
    pub fn read_known<T: serde::de::DeserializeOwned + JsonSchema>(&self) -> Result<T, String> {
        let Looked { without_nulls, fault, unknown } =
            look(&schema_for!(T).to_value(), self.to_string().as_bytes()).expect("what is written as JSON is JSON");
        if let Some(path) = unknown {
            // A tag with a value that is none of its own is known, and what it can be is told.
            let of_tag = fault.filter(|fault| fault.told.starts_with(&format!("`{path}`:"))).map(|fault| fault.told);
            let not_known = || format!("`{path}` is not known here: it is misspelt, or of a newer version.");
            return Err(of_tag.unwrap_or_else(not_known));
        }
        let read = serde_json::from_slice(&without_nulls);
        read.map_err(|error| fault.map_or_else(|| format!("{error}."), |fault| fault.told))
    }

    /// The content, if it is of this type.
    ///
    /// # Errors
    /// What is missing or wrong in it.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        T::deserialize(Value::Object(self.0.clone())).map_err(|error| error.to_string())
    }
}

impl std::fmt::Display for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| std::fmt::Error)?)
    }
}

encoded_as_text!(Body, Body::to_string, Body::parse);

impl JsonSchema for Body {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Body".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "The game's own part.", "type": "object" })
    }
}

#[cfg(test)]
impl proptest::arbitrary::Arbitrary for Body {
    type Parameters = ();
    type Strategy = proptest::strategy::BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        use proptest::strategy::Strategy as _;
        ("[a-z]{1,9}", proptest::num::u32::ANY, proptest::num::f64::NORMAL)
            .prop_map(|(name, whole, fraction)| Self::of(&serde_json::json!({ name: [whole, fraction] })))
            .boxed()
    }
}

/// An event of a game, for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct GameEvent {
    /// The event's place in the show's order.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// Where the show is from here on.
    pub phase: Phase,
    /// The round that begins with it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundId>,
    /// The game's own part.
    pub body: Body,
}

/// What a game tells one seat: behind an event, or alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct GameOwn {
    /// The game's own part.
    pub body: Body,
}

/// A game's show as it is, for those who come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct GameSnapshot {
    /// The last event's place in the show's order; events after it follow.
    pub seq: Seq,
    /// The server's clock.
    pub at: Millis,
    /// Which game.
    pub game: GameName,
    /// What the show is called.
    pub title: String,
    /// Where it is.
    pub phase: Phase,
    /// How many players have a seat.
    pub joined: u32,
    /// Whether the clock stands still.
    pub paused: bool,
    /// How much of the open round's time is left while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Span>,
    /// The game's own part.
    pub body: Body,
}
