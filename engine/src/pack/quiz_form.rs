//! The native format of packs of all kinds of questions: its JSON Schema, and writing it. [`super::kinds`] reads it.

use klaxon_protocol::games::quiz::QuizQuestion;
use klaxon_protocol::games::trivia::{Difficulty, QUESTIONS};
use klaxon_protocol::limits::TEXT_LENGTH;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use super::kind_fields::kind_named;
use super::kinds::USUAL_KIND;
use super::question::{PackedQuestion, QuizPack};

/// A pack of questions of all kinds for Klaxon, in TOML or JSON.
#[derive(JsonSchema)]
#[schemars(rename = "QuizPack", deny_unknown_fields)]
#[expect(dead_code, reason = "it is the schema of what is read field by field")]
struct QuizPackForm {
    /// Where an editor finds this schema; Klaxon does not read it.
    #[serde(rename = "$schema", default)]
    #[schemars(with = "String")]
    schema: Option<String>,
    /// What the pack is called.
    #[schemars(length(min = *TEXT_LENGTH.start(), max = *TEXT_LENGTH.end()))]
    title: String,
    /// The language of its texts, such as "en" or "pt-BR".
    #[serde(default)]
    #[schemars(with = "String")]
    language: Option<String>,
    /// Asked in this order.
    #[schemars(length(min = *QUESTIONS.start(), max = *QUESTIONS.end()))]
    questions: Vec<PackedQuestionForm>,
}

/// One question.
#[derive(JsonSchema)]
#[schemars(rename = "Question")]
#[expect(dead_code, reason = "it is the schema of what is read field by field")]
struct PackedQuestionForm {
    #[serde(flatten)]
    question: QuizQuestion,
    /// How hard it is.
    #[serde(default)]
    #[schemars(with = "Difficulty")]
    difficulty: Option<Difficulty>,
    /// Where the fact can be looked up.
    #[serde(default)]
    #[schemars(with = "String")]
    source: Option<String>,
}

/// The JSON Schema of packs of all kinds of questions, for editors and other programs. It is that of a quiz's questions, but that right choices
/// are texts, and that a question without a kind is of kind `choice`.
#[must_use]
pub fn quiz_schema() -> Json {
    let mut schema = schemars::schema_for!(QuizPackForm).to_value();
    let defs = &mut schema["$defs"];
    let one =
        json!({ "description": "The right choice, written exactly as it stands in `choices`.", "type": "string" });
    let several = json!({
        "description": "The right choices, written exactly as they stand in `choices`.",
        "type": ["array", "string"],
        "items": { "type": "string" },
    });
    for (kind, right) in [("OneRight", &one), ("Buzzer", &one), ("SeveralRight", &several), ("Fastest", &several)] {
        defs[kind]["properties"]["right"] = right.clone();
    }
    let question = &mut defs["Question"];
    question["unevaluatedProperties"] = false.into();
    for variant in question["oneOf"].as_array_mut().into_iter().flatten() {
        if variant.pointer("/properties/kind/const").is_some_and(|kind| kind == USUAL_KIND)
            && let Some(fields) = variant.as_object_mut()
        {
            fields.remove("required");
        }
    }
    without_nulls(&mut schema);
    schema
}

/// Takes out that what can be left out can also be null, as it can in messages.
fn without_nulls(schema: &mut Json) {
    match schema {
        Json::Object(fields) => {
            fields.retain(|name, value| name != "default" || !value.is_null());
            if let Some(Json::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
            }
            if let Some(Json::Array(options)) = fields.get_mut("anyOf") {
                options.retain(|option| option.get("type").is_none_or(|name| name != "null"));
            }
            fields.values_mut().for_each(without_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

impl QuizPack {
    /// The pack as a native TOML file; reading it gives the pack back.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(&QuizPackFile::from(self)).expect("a question's texts, lists and numbers are all TOML")
    }

    /// The pack as a native JSON file; reading it gives the pack back.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&QuizPackFile::from(self))
            .expect("a question's texts, lists and numbers are all JSON")
    }
}

#[derive(Serialize)]
struct QuizPackFile<'p> {
    title: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'p str>,
    questions: Vec<OrderedFields>,
}

impl<'p> From<&'p QuizPack> for QuizPackFile<'p> {
    fn from(pack: &'p QuizPack) -> Self {
        let questions = pack.questions.iter().map(OrderedFields::of).collect();
        Self { title: &pack.title, language: pack.language.as_deref(), questions }
    }
}

/// A question's fields in the order in which people read them.
struct OrderedFields(Vec<(String, Json)>);

/// The fields that come first.
const FIRST: [&str; 6] = ["kind", "text", "choices", "items", "spellings", "right"];

impl OrderedFields {
    fn of(packed: &PackedQuestion) -> Self {
        let question = &packed.question;
        let mut fields = without_what_can_be_left_out(question);
        let choices = question.kind.choices();
        if !choices.is_empty()
            && let Some(right) = fields.get_mut("right")
        {
            put_texts(right, choices);
        }
        let difficulty = packed.difficulty.map(|difficulty| json!(difficulty));
        let source = packed.source.clone().map(Json::String);
        for (name, value) in [("difficulty", difficulty), ("source", source)] {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
        let mut fields: Vec<(String, Json)> = fields.into_iter().collect();
        let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
        // In TOML a table ends the fields of what it is in.
        fields.sort_by_key(|(name, value)| (value.is_object(), place(name)));
        Self(fields)
    }
}

impl Serialize for OrderedFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The fields whose absence would make it another question.
fn without_what_can_be_left_out(question: &QuizQuestion) -> Map<String, Json> {
    let Ok(Json::Object(mut fields)) = serde_json::to_value(question) else { return Map::new() };
    let can_be_left_out = kind_named(question.kind.name()).into_iter().flat_map(|kind| kind.fields());
    for (name, _) in can_be_left_out.filter(|(_, field)| !field.is_required) {
        let Some(value) = fields.remove(name) else { continue };
        let is_same =
            serde_json::from_value(Json::Object(fields.clone())).is_ok_and(|read: QuizQuestion| read == *question);
        if !is_same {
            fields.insert(name.to_owned(), value);
        }
    }
    fields
}

/// Puts the choices' texts in place of their numbers. A choice that there is not makes a file that says so when it is read.
fn put_texts(right: &mut Json, choices: &[String]) {
    let text = |number: &Json| {
        let index = number.as_u64().and_then(|index| usize::try_from(index).ok());
        Json::from(index.and_then(|index| choices.get(index)).map_or("", String::as_str))
    };
    *right = match &*right {
        Json::Array(numbers) => numbers.iter().map(text).collect(),
        number => text(number),
    };
}

#[cfg(test)]
mod tests {
    use super::super::kind_fields::kinds;
    use super::super::kinds::ONLY_IN_A_PACK;
    use super::*;

    const SCHEMA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema/quiz_pack.json");

    #[test]
    fn the_schema_in_docs_is_current() {
        let current = quiz_schema();
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(SCHEMA_FILE, serde_json::to_string_pretty(&current).unwrap() + "\n").unwrap();
        }
        let written = std::fs::read_to_string(SCHEMA_FILE).unwrap_or_default();
        let written = serde_json::from_str(&written).unwrap_or(Json::Null);
        assert_eq!(written, current, "run this test once with UPDATE_SCHEMA=1 and commit docs/schema/quiz_pack.json");
    }

    #[test]
    fn the_schema_has_the_fields_that_are_read() {
        let schema = quiz_schema();
        let question = &schema["$defs"]["Question"];
        let variants = question["oneOf"].as_array().unwrap();
        assert_eq!(variants.len(), kinds().len());
        for (variant, kind) in variants.iter().zip(kinds()) {
            assert_eq!(variant["properties"]["kind"]["const"], kind.name);
            let own = variant["$ref"].as_str().map(|reference| &schema.pointer(&reference[1..]).unwrap()["properties"]);
            for (name, _) in kind.fields() {
                let is_there =
                    own.is_some_and(|own| own.get(name).is_some()) || question["properties"].get(name).is_some();
                assert!(is_there, "{} {name}", kind.name);
            }
        }
        for name in ONLY_IN_A_PACK {
            assert!(question["properties"].get(name).is_some(), "{name}");
        }
        assert!(!schema.to_string().contains("null"));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], json!(["title", "questions"]));
    }
}
