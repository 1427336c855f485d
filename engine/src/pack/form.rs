//! The native format of packs: its JSON Schema, and writing it. [`super::native`] reads it.

use klaxon_protocol::games::trivia::{CHOICES, Difficulty, OPEN_FOR, Pack, PackQuestion, QUESTIONS};
use klaxon_protocol::limits::TEXT_LENGTH;
use schemars::JsonSchema;
use serde::Serialize;

/// A pack's keys.
pub(super) const PACK_KEYS: &[&str] = &["title", "questions"];
/// A question's keys.
pub(super) const QUESTION_KEYS: &[&str] = &["text", "choices", "right", "category", "difficulty", "open_for", "source"];
/// Where editors look for the schema; allowed in a pack and not read.
pub(super) const SCHEMA_KEY: &str = "$schema";

/// A pack of questions for Klaxon, in TOML or JSON.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pack")]
struct PackFile<'p> {
    /// Where an editor finds this schema; Klaxon does not read it.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    schema: Option<&'static str>,
    /// What the show is called.
    #[schemars(length(min = *TEXT_LENGTH.start(), max = *TEXT_LENGTH.end()))]
    title: &'p str,
    /// Asked in this order.
    #[schemars(length(min = *QUESTIONS.start(), max = *QUESTIONS.end()))]
    questions: Vec<QuestionFile<'p>>,
}

/// One question.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Question")]
struct QuestionFile<'p> {
    /// What is asked.
    #[schemars(length(min = *TEXT_LENGTH.start(), max = *TEXT_LENGTH.end()))]
    text: &'p str,
    /// What the players choose from, in this order; no two are alike.
    #[schemars(
        length(min = *CHOICES.start(), max = *CHOICES.end()),
        inner(length(min = *TEXT_LENGTH.start(), max = *TEXT_LENGTH.end())),
        extend("uniqueItems" = true)
    )]
    choices: Vec<&'p str>,
    /// The right one, written exactly as it stands in `choices`.
    #[schemars(length(min = *TEXT_LENGTH.start(), max = *TEXT_LENGTH.end()))]
    right: &'p str,
    /// Such as "Science".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    category: Option<&'p str>,
    /// How hard it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Difficulty")]
    difficulty: Option<Difficulty>,
    /// How long it is open, in milliseconds; the show's own setting where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = OPEN_FOR.start().0, max = OPEN_FOR.end().0))]
    open_for: Option<u32>,
    /// Where the fact can be looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    source: Option<&'p str>,
}

impl<'p> From<&'p Pack> for PackFile<'p> {
    fn from(pack: &'p Pack) -> Self {
        Self { schema: None, title: &pack.title, questions: pack.questions.iter().map(Into::into).collect() }
    }
}

impl<'p> From<&'p PackQuestion> for QuestionFile<'p> {
    fn from(question: &'p PackQuestion) -> Self {
        Self {
            text: &question.text,
            choices: question.choices.iter().map(String::as_str).collect(),
            // A right choice out of range makes a file that says so when it is read.
            right: question.choices.get(question.right.index()).map_or("", String::as_str),
            category: question.category.as_deref(),
            difficulty: question.difficulty,
            open_for: question.open_for.map(|span| span.0),
            source: question.source.as_deref(),
        }
    }
}

/// The pack as a native TOML file; reading it gives the pack back.
#[must_use]
pub fn to_toml(pack: &Pack) -> String {
    toml::to_string(&PackFile::from(pack)).expect("texts, lists and numbers below 2^32 are all TOML")
}

/// The pack as a native JSON file; reading it gives the pack back.
#[must_use]
pub fn to_json(pack: &Pack) -> String {
    serde_json::to_string_pretty(&PackFile::from(pack)).expect("texts, lists and numbers are all JSON")
}

/// The JSON Schema of the native form, for editors and other programs.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(PackFile<'static>)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema/pack.json");

    #[test]
    fn the_schema_in_docs_is_current() {
        let current = serde_json::to_value(schema()).unwrap();
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(SCHEMA_FILE, serde_json::to_string_pretty(&current).unwrap() + "\n").unwrap();
        }
        let written = std::fs::read_to_string(SCHEMA_FILE).unwrap_or_default();
        let written = serde_json::from_str(&written).unwrap_or(serde_json::Value::Null);
        assert_eq!(written, current, "run this test once with UPDATE_SCHEMA=1 and commit docs/schema/pack.json");
    }

    #[test]
    fn the_schema_has_the_keys_that_are_read() {
        let schema = serde_json::to_value(schema()).unwrap();
        let keys = |table: &serde_json::Value| -> std::collections::BTreeSet<String> {
            assert_eq!(table["additionalProperties"], false);
            table["properties"].as_object().unwrap().keys().cloned().collect()
        };
        let wanted = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect();
        assert_eq!(keys(&schema), wanted(&[PACK_KEYS, &[SCHEMA_KEY]].concat()));
        assert_eq!(keys(&schema["$defs"]["Question"]), wanted(QUESTION_KEYS));
        assert_eq!(schema["required"], serde_json::json!(["title", "questions"]));
        assert_eq!(schema["$defs"]["Question"]["required"], serde_json::json!(["text", "choices", "right"]));
    }
}
