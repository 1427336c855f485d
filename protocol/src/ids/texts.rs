//! The ids that are texts, and players' names.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binary::encoded_as_text;
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

        encoded_as_text!($name, $name::as_str, $name::kept);

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

impl PlayerId {
    /// Begins the ids that guests are given.
    pub const GUEST: &str = "guest-";

    /// Whether it was made for a guest. Ids that an operator's tokens name should not begin so.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.as_str().starts_with(Self::GUEST)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary;

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
        let decode = |text: &str| binary::decode::<Name, 1024>(&binary::encode(text));
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
}
