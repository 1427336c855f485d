//! Claims: what seats say in a round. Of those with one (round, seat, key) the first value stands.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::binary::{Decode, Encode, encoded_as_text};
use crate::error::{ErrorCode, Refusal};
use crate::ids::{BadText, ClaimKey, RoundId};
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

impl fmt::Display for ClaimValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(bits) => bits.fmt(f),
            Self::Text(text) => write!(f, "{:?}", text.as_str()),
        }
    }
}

/// A claim's text: 1 to 256 bytes without control characters. What players send is checked further, by [`Claim::problem`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClaimText(Box<str>);

impl ClaimText {
    /// The longest, in bytes.
    pub const LONGEST: usize = 256;

    /// Checks a new text: it acts on no screen, and some of it can be seen, as far as the Unicode that this program knows can tell.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadText> {
        let kept = Self::kept(text)?;
        kept.problem().map_or(Ok(kept), Err)
    }

    /// A text that was taken before, perhaps by another version. The codecs and the arbiter read it by bounds that never change, for what
    /// a journal is may not depend on the Unicode that its reader knows.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn kept(text: &str) -> Result<Self, BadText> {
        let problem = match text.len() {
            0 => "has 1 byte at least, this one has none".to_owned(),
            length if length > Self::LONGEST => format!("has {} bytes at most, this one has {length}", Self::LONGEST),
            _ => match text.chars().find(|&c| is_control(c)) {
                Some(c) => format!("must not hold control characters, such as U+{:04X}", u32::from(c)),
                None => return Ok(Self(text.into())),
            },
        };
        Err(BadText { what: CLAIM, problem })
    }

    /// Why a player can't claim it, if one can't.
    fn problem(&self) -> Option<BadText> {
        text::problem(&self.0, &(1..=Self::LONGEST)).map(|problem| BadText { what: CLAIM, problem })
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What [`BadText`] calls a claim's text.
const CLAIM: &str = "claim";

/// Unicode's control characters (category Cc), which its stability policy keeps as they are for ever.
const fn is_control(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}')
}

encoded_as_text!(ClaimText, ClaimText::as_str, ClaimText::kept);

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
        ClaimText::kept(text).map(ClaimValue::Text).map_err(E::custom)
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

impl Claim {
    /// Why no player can say this, in any game. Asked when it comes from a player; what was counted is never asked again, for another
    /// version may have taken what is refused here.
    #[must_use]
    pub fn problem(&self) -> Option<Refusal> {
        let ClaimValue::Text(text) = &self.value else { return None };
        text.problem().map(|bad| Refusal::because(ErrorCode::BadMessage, format!("The {bad}.")))
    }
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
    use crate::binary;
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
        for bad in ["\"\"", "\"a\\nb\"", "\"\\u009b\"", &format!("\"{}\"", "é".repeat(129))] {
            let error = read(bad).unwrap_err();
            assert!(error.starts_with("claim "), "{bad}: {error}");
        }
        assert!(read(&format!("\"{}\"", "é".repeat(128))).is_ok());
    }

    #[test]
    fn in_memory_a_value_is_as_large_as_a_text() {
        assert_eq!(std::mem::size_of::<ClaimValue>(), 16);
    }

    /// What [`text::problem`] refuses and the codecs take: the last became a character after this program's Unicode, or is none still.
    const OF_OTHER_VERSIONS: [&str; 5] = [" ", "\u{3164}", "a\u{202e}b", "\u{2067}a", "\u{fdd0}"];

    #[test]
    fn the_codecs_take_texts_of_other_versions_which_no_player_can_claim() {
        for text in OF_OTHER_VERSIONS {
            assert!(ClaimText::parse(text).is_err(), "{text:?}");
            let kept = ClaimValue::Text(ClaimText::kept(text).unwrap());
            let bytes = Codec::Bincode.encode(&kept);
            assert_eq!(binary::decode::<ClaimValue, 1024>(&bytes).unwrap(), kept);
            assert_eq!(serde_json::from_slice::<ClaimValue>(&Codec::Json.encode(&kept)).unwrap(), kept);
            let refusal = Claim { round: RoundId(1), key: ClaimKey(0), value: kept }.problem().unwrap();
            assert_eq!(refusal.code, ErrorCode::BadMessage);
            assert!(refusal.detail.starts_with("The claim ") && refusal.detail.ends_with('.'), "{refusal}");
        }
        for value in [ClaimValue::Bits(u64::MAX), ClaimValue::Text(ClaimText::parse("שלום\u{200f}!").unwrap())] {
            assert_eq!(Claim { round: RoundId(1), key: ClaimKey(0), value }.problem(), None);
        }
    }

    #[test]
    fn which_characters_are_controls_is_what_unicode_says_for_ever() {
        let all = ('\0'..=char::MAX).filter(|&c| is_control(c));
        assert!(all.clone().eq(('\0'..=char::MAX).filter(|c| c.is_control())));
        assert_eq!(all.count(), 65);
    }

    #[test]
    fn no_codec_lets_a_text_in_that_the_other_refuses() {
        let forged = binary::encode(&(1_u8, "a\u{1b}b"));
        let error = binary::decode::<ClaimValue, 1024>(&forged).unwrap_err();
        assert!(error.to_string().contains("control"), "{error}");
        let value = ClaimValue::Text(ClaimText::parse("ok").unwrap());
        let bytes = Codec::Bincode.encode(&value);
        assert_eq!(binary::decode::<ClaimValue, 1024>(&bytes).unwrap(), value);
    }
}
