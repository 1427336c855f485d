//! The names of things: shows, seats, questions, choices, players, connections.
//!
//! Every one is its own type, so that a seat can't be passed where a question is meant.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::{self, Reserved};
use crate::text::Harmless;

/// Why a text could not become one of our names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct BadText {
    /// The kind of name that was wanted.
    pub what: &'static str,
    /// What is wrong with the text, and what is allowed.
    pub problem: String,
}

/// Defines a text type whose only way in, from code or from either codec, is `parse`.
macro_rules! text_type {
    ($(#[doc = $doc:literal])* $name:ident, $what:literal, $schema:tt, $check:path) => {
        text_type!($(#[doc = $doc])* $name, $what, $schema, $check, $check);
    };
    // `$kept` is what the codecs take, `$check` what newcomers have to pass.
    ($(#[doc = $doc:literal])* $name:ident, $what:literal, $schema:tt, $check:path, $kept:path) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks the text; the error says what is allowed.
            pub fn parse(text: &str) -> Result<Self, BadText> {
                $check(text)
                    .map(|clean| Self(clean.into()))
                    .map_err(|problem| BadText { what: $what, problem })
            }

            /// A text that was checked before, perhaps by an earlier version.
            fn kept(text: &str) -> Result<Self, BadText> {
                $kept(text)
                    .map(|clean| Self(clean.into()))
                    .map_err(|problem| BadText { what: $what, problem })
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::kept(&text).map_err(serde::de::Error::custom)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadText;
            fn try_from(text: String) -> Result<Self, BadText> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.into()
            }
        }

        impl FromStr for $name {
            type Err = BadText;
            fn from_str(text: &str) -> Result<Self, BadText> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            /// For people: what could act on a terminal is escaped. The text itself is [`Self::as_str`].
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Harmless(&self.0).fmt(f)
            }
        }

        impl Encode for $name {
            fn encode<E: bincode::enc::Encoder>(
                &self,
                encoder: &mut E,
            ) -> Result<(), bincode::error::EncodeError> {
                self.0.encode(encoder)
            }
        }

        impl<Context> Decode<Context> for $name {
            fn decode<D: bincode::de::Decoder<Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, bincode::error::DecodeError> {
                let text = String::decode(decoder)?;
                Self::kept(&text)
                    .map_err(|bad| bincode::error::DecodeError::OtherString(bad.to_string()))
            }
        }
        bincode::impl_borrow_decode!($name);

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = schemars::json_schema!($schema);
                schema.insert("description".into(), concat!($($doc),*).trim().into());
                schema
            }
        }

        #[cfg(test)]
        impl proptest::arbitrary::Arbitrary for $name {
            type Parameters = ();
            type Strategy = proptest::strategy::BoxedStrategy<Self>;
            fn arbitrary_with((): ()) -> Self::Strategy {
                use proptest::strategy::Strategy;
                "[A-Z0-9]{4,12}"
                    .prop_map(|text: String| Self::parse(&text).unwrap())
                    .boxed()
            }
        }
    };
}

/// The kinds of text, as [`BadText`] calls them.
pub(crate) const TEXTS: [&str; 6] = ["show code", "player id", "name", "command id", "game name", "claim"];

/// As people type it: in any case, with blanks and dashes wherever they like.
fn check_code(text: &str) -> Result<String, String> {
    let clean: String = text.chars().filter(|&c| !separates(c)).map(|c| c.to_ascii_uppercase()).collect();
    if !(4..=12).contains(&clean.len()) || !clean.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err("must be 4 to 12 letters and digits".into());
    }
    Ok(clean)
}

/// Blanks, dashes, and what a copied text brings along unseen.
fn separates(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn check_game(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !(1..=24).contains(&text.len()) || !text.bytes().all(is_plain) {
        return Err("must be 1 to 24 letters, digits and underscores".into());
    }
    Ok(text.to_ascii_lowercase())
}

fn check_opaque(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 64 {
        return Err("must be 1 to 64 bytes long".into());
    }
    Ok(text.to_owned())
}

text_type!(
    /// What a player types to find the show, such as `QUIZ42`: 4 to 12 ASCII letters and digits, kept in upper case. Read in any case, blanks and dashes left out.
    ShowCode, "show code", { "type": "string", "pattern": "^[A-Za-z0-9]{4,12}$" }, check_code
);
text_type!(
    /// Which game a show plays, such as `trivia`: 1 to 24 letters, digits and underscores, kept in lower case.
    GameName, "game name", { "type": "string", "pattern": "^[A-Za-z0-9_]{1,24}$" }, check_game
);
text_type!(
    /// Who a player is: an opaque text of 1 to 64 bytes, from a token's `sub` or made for a guest.
    PlayerId, "player id", { "type": "string", "minLength": 1, "maxLength": 64 }, check_opaque
);
text_type!(
    /// What others call a player: 1 to 24 characters as people count them, and at most 128 bytes.
    Name, "name", { "type": "string", "minLength": 1, "maxLength": 128 }, name::check, name::check_kept
);
text_type!(
    /// The id that a host gives a command, so that sending it twice applies it once: 1 to 64 bytes.
    CommandId, "command id", { "type": "string", "minLength": 1, "maxLength": 64 }, check_opaque
);

impl Name {
    /// The name that a service proposes for a player: one that is too long is cut, one that can't be shown is none.
    #[must_use]
    pub fn proposed(text: &str) -> Option<Self> {
        name::check_cut(text).ok().map(|clean| Self(clean.into()))
    }

    /// This name, if it is none of those that are reserved.
    ///
    /// # Errors
    /// If it could be taken for the host's or the server's, also when it is cut for a number behind it.
    pub fn beside(self, reserved: &Reserved) -> Result<Self, BadText> {
        match reserved.problem(&self.0) {
            Some(problem) => Err(BadText { what: "name", problem: problem.into() }),
            None => Ok(self),
        }
    }

    /// This name with a number behind it, for another player; a long one is cut.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        Self(name::numbered(&self.0, number).into())
    }

    /// A name for a player who did not say one.
    #[must_use]
    pub fn of_nobody(number: usize) -> Self {
        Self(name::numbered(name::UNNAMED, number).into())
    }
}

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

impl PlayerId {
    /// Begins the ids that guests are given.
    pub const GUEST: &str = "guest-";

    /// Whether it was made for a guest. Ids that an operator's tokens name should not begin so.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.as_str().starts_with(Self::GUEST)
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
    fn a_show_code_is_short_plain_and_upper_case() {
        for typed in [
            " quiz42 ",
            "quiz 42",
            "QUIZ-42",
            "Quiz_42",
            "q u i z 4 2",
            "QUIZ\u{2011}42",
            "QUIZ\u{a0}\u{2013} 42",
            "\u{feff}quiz42\u{200b}",
            "\tquiz\n42",
        ] {
            assert_eq!(ShowCode::parse(typed).unwrap().as_str(), "QUIZ42", "{typed:?}");
        }
        for bad in
            ["", "abc", "a-b-c", "way-too-long-code", "quiz.42", "quïz", "QUIZ\u{202e}42", "\u{ff31}UIZ42", "- - - -"]
        {
            assert!(ShowCode::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_codecs_take_names_of_earlier_versions_and_no_others() {
        let decode = |text: &str| {
            let bytes = bincode::encode_to_vec(text, bincode::config::standard()).unwrap();
            bincode::decode_from_slice::<Name, _>(&bytes, bincode::config::standard()).map(|(name, _)| name)
        };
        for old in ["Host", "Ann\u{ad}", "\u{3164}", "Jose\u{301}", "a\u{61c}b"] {
            assert!(Name::parse(old).is_err() || Name::parse(old).unwrap().as_str() != old, "{old:?}");
            assert_eq!(decode(old).unwrap().as_str(), old);
            assert_eq!(serde_json::from_value::<Name>(old.into()).unwrap().as_str(), old);
        }
        for bad in ["", "\0", "a\u{202e}b", &"x".repeat(99), &"é".repeat(65)] {
            assert!(decode(bad).is_err() && serde_json::from_value::<Name>((*bad).into()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_is_printed_harmlessly_and_kept_as_it_is() {
        let id = PlayerId::parse("a\u{1b}]0;x\u{7}\r\n\u{202e}b").unwrap();
        assert_eq!(id.to_string(), "a\\u{1b}]0;x\\u{7}\\r\\n\\u{202e}b");
        assert_eq!(format!("{id:?}").chars().filter(|c| c.is_control()).count(), 0);
        assert_eq!(serde_json::from_str::<PlayerId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn show_ids_survive_javascript() {
        let id = ShowId(u64::MAX);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"18446744073709551615\"");
        assert_eq!(serde_json::from_str::<ShowId>("\"18446744073709551615\"").unwrap(), id);
        assert!(serde_json::from_str::<ShowId>("18446744073709551615").is_err());
    }
}
