//! Claims: what seats say in a round. Of those with one (round, seat, key) the first value stands.

use std::fmt;

use bincode::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::ErrorCode;
use crate::ids::{BadText, Choice, ClaimKey, RoundId};
use crate::text;

/// What a claim says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum ClaimValue {
    /// A number: a choice, a set of choices, an order, a guess.
    Bits(u64),
    /// A text.
    Text(ClaimText),
}

impl From<Choice> for ClaimValue {
    fn from(choice: Choice) -> Self {
        Self::Bits(choice.0.into())
    }
}

impl ClaimValue {
    /// The choice that it is, if it can be one.
    #[must_use]
    pub fn choice(&self) -> Option<Choice> {
        match self {
            Self::Bits(bits) => u8::try_from(*bits).ok().map(Choice),
            Self::Text(_) => None,
        }
    }
}

impl fmt::Display for ClaimValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(bits) => bits.fmt(f),
            Self::Text(text) => write!(f, "{:?}", text.as_str()),
        }
    }
}

/// A claim's text: 1 to 256 bytes without control characters, some of which can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClaimText(Box<str>);

impl ClaimText {
    /// The longest, in bytes.
    pub const LONGEST: usize = 256;

    /// Checks the text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadText> {
        let problem = if text.len() > Self::LONGEST {
            Some(format!("has {} bytes at most, this one has {}", Self::LONGEST, text.len()))
        } else {
            text::problem(text, &(1..=Self::LONGEST))
        };
        match problem {
            Some(problem) => Err(BadText { what: "claim", problem }),
            None => Ok(Self(text.into())),
        }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Encode for ClaimText {
    fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context> Decode<Context> for ClaimText {
    fn decode<D: bincode::de::Decoder<Context = Context>>(
        decoder: &mut D,
    ) -> Result<Self, bincode::error::DecodeError> {
        let text = String::decode(decoder)?;
        Self::parse(&text).map_err(|bad| bincode::error::DecodeError::OtherString(bad.to_string()))
    }
}
bincode::impl_borrow_decode!(ClaimText);

#[cfg(test)]
impl proptest::arbitrary::Arbitrary for ClaimText {
    type Parameters = ();
    type Strategy = proptest::strategy::BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        use proptest::strategy::Strategy as _;
        "[a-zA-Z0-9é]{1,40}".prop_map(|text| Self::parse(&text).unwrap()).boxed()
    }
}

impl Serialize for ClaimValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bits(bits) => serializer.serialize_u64(*bits),
            Self::Text(text) => serializer.serialize_str(text.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for ClaimValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = ClaimValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 0, or a text of 1 to {} bytes", ClaimText::LONGEST)
    }

    fn visit_u64<E: Error>(self, bits: u64) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Bits(bits))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<ClaimValue, E> {
        let bits = u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))?;
        Ok(ClaimValue::Bits(bits))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ClaimValue, E> {
        ClaimText::parse(text).map(ClaimValue::Text).map_err(E::custom)
    }
}

impl JsonSchema for ClaimValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ClaimValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What a claim says: a number, or a text of at most 256 bytes.",
            "anyOf": [
                { "type": "integer", "format": "uint64", "minimum": 0 },
                { "type": "string", "minLength": 1, "maxLength": 256 }
            ]
        })
    }
}

/// A claim of a seat, as it asks to be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Claim {
    /// In which round.
    pub round: RoundId,
    /// Which of the seat's claims; most games have one a round, 0.
    #[serde(default)]
    pub key: ClaimKey,
    /// What it says.
    pub value: ClaimValue,
}

/// By which message a player claims: the reply is of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum ClaimForm {
    /// `answer`, of trivia's players.
    Answer,
    /// `claim`, in every game.
    Claim,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Verdict {
    /// It counts, or this same value counted before.
    Accepted(ClaimValue),
    /// Another value counted before: this one.
    AlreadyAnswered(ClaimValue),
    /// It does not count.
    Refused(ErrorCode),
}

impl Verdict {
    /// What a reply says: whether the claim counts, the value that does, and the code if this one does not.
    #[must_use]
    pub fn parts(&self) -> (bool, Option<&ClaimValue>, Option<ErrorCode>) {
        match self {
            Self::Accepted(value) => (true, Some(value), None),
            Self::AlreadyAnswered(value) => (false, Some(value), Some(ErrorCode::AlreadyAnswered)),
            Self::Refused(code) => (false, None, Some(*code)),
        }
    }
}

/// What became of a `claim`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct ClaimReply {
    /// In which round.
    pub round: RoundId,
    /// Which of the seat's claims.
    pub key: ClaimKey,
    /// Whether it counts.
    pub accepted: bool,
    /// The value that counts, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<ClaimValue>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl ClaimReply {
    /// The reply with this verdict.
    #[must_use]
    pub fn new(round: RoundId, key: ClaimKey, verdict: &Verdict) -> Self {
        let (accepted, value, code) = verdict.parts();
        let message = code.map(|code| code.sentence().to_owned());
        Self { round, key, accepted, value: value.cloned(), code, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;

    fn read(json: &str) -> Result<ClaimValue, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_a_number_or_a_text_and_all_else_is_told_what_it_can_be() {
        assert_eq!(read("18446744073709551615"), Ok(ClaimValue::Bits(u64::MAX)));
        assert_eq!(read("0"), Ok(ClaimValue::Bits(0)));
        assert_eq!(read("\"Paris\""), Ok(ClaimValue::Text(ClaimText::parse("Paris").unwrap())));
        for bad in ["-1", "1.5", "18446744073709551616", "true", "[1]", "{}", "null"] {
            let error = read(bad).unwrap_err();
            assert!(error.contains("a whole number from 0, or a text of 1 to 256 bytes"), "{bad}: {error}");
        }
        for bad in ["\"\"", "\" \"", "\"a\\nb\"", "\"\\u202e\"", &format!("\"{}\"", "é".repeat(129))] {
            let error = read(bad).unwrap_err();
            assert!(error.starts_with("claim "), "{bad}: {error}");
        }
        assert!(read(&format!("\"{}\"", "é".repeat(128))).is_ok());
    }

    #[test]
    fn in_memory_a_value_is_as_large_as_a_text() {
        assert_eq!(std::mem::size_of::<ClaimValue>(), 16);
    }

    #[test]
    fn no_codec_lets_a_text_in_that_the_other_refuses() {
        let forged = bincode::encode_to_vec((1_u8, "a\u{1b}b"), bincode::config::standard()).unwrap();
        let read = bincode::decode_from_slice::<ClaimValue, _>(&forged, bincode::config::standard());
        assert!(read.unwrap_err().to_string().contains("control"));
        let value = ClaimValue::Text(ClaimText::parse("ok").unwrap());
        let bytes = Codec::Bincode.encode(&value);
        assert_eq!(bincode::decode_from_slice(&bytes, bincode::config::standard()).unwrap(), (value, bytes.len()));
    }
}
