//! What stands in a show's file, and the JSON Schema of that.

use klaxon_protocol::games::rundown::Setup;
use klaxon_protocol::ids::ShowCode;
use klaxon_protocol::limits::{BARRIER, SEATS, TEXT_LENGTH, USUAL_BARRIER, USUAL_SEATS};
use klaxon_protocol::time::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The field of a quiz that names a file with its questions.
pub(super) const PACK: &str = "pack";
/// The field of a quiz with its questions.
pub(super) const QUESTIONS: &str = "questions";
/// Where an editor finds the schema: allowed in a file, and not sent to the server.
pub(super) const SCHEMA: &str = "$schema";
/// The fields of a file that are not the rundown's.
pub(super) const OF_THE_SHOW: [&str; 5] = [SCHEMA, "title", "code", "seats", "barrier"];

/// A show for Klaxon: its running order, in TOML or JSON.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(rename = "Show")]
pub(super) struct ShowForm {
    /// Where an editor finds this schema; Klaxon does not read it.
    #[serde(rename = "$schema", default)]
    #[expect(dead_code, reason = "it is for editors")]
    schema: Option<String>,
    /// What the show is called.
    #[schemars(length(min = *TEXT_LENGTH.start(), max = *TEXT_LENGTH.end()))]
    pub title: String,
    /// What players type to join; the server finds one if there is none.
    #[serde(default)]
    pub code: Option<ShowCode>,
    /// How many can play.
    #[serde(default = "usual_seats")]
    #[schemars(extend("minimum" = SEATS.start(), "maximum" = SEATS.end()))]
    pub seats: u32,
    /// How long gateways are waited for at the close of a round, at most.
    #[serde(default = "usual_barrier")]
    #[schemars(extend("minimum" = BARRIER.start(), "maximum" = BARRIER.end()))]
    pub barrier: Span,
    /// The running order.
    #[serde(flatten)]
    pub setup: Setup,
}

const fn usual_seats() -> u32 {
    USUAL_SEATS
}

const fn usual_barrier() -> Span {
    USUAL_BARRIER
}

/// The JSON Schema of a show's file, for editors.
#[must_use]
pub fn schema() -> Value {
    let mut schema = fields();
    let quiz = &mut schema["$defs"]["Quiz"];
    quiz["anyOf"] = json!([{ "required": [QUESTIONS] }, { "required": [PACK] }]);
    if let Some(required) = quiz["required"].as_array_mut() {
        required.retain(|name| name != QUESTIONS);
    }
    close(&mut schema);
    schema
}

/// What a file's content is compared with, once questions of packs are in it. It is the schema of the rundown's setup, but that times can be
/// texts, that a quiz can name a pack, and that nothing has a seed, which only the server may draw.
pub(super) fn fields() -> Value {
    let mut schema = schemars::schema_for!(ShowForm).to_value();
    let defs = &mut schema["$defs"];
    defs["Span"] = json!({
        "description": "A length of time: milliseconds, or a text such as \"10s\", \"1.5s\" or \"2min\".",
        "type": ["integer", "string"],
        "minimum": 0,
        "maximum": u32::MAX,
    });
    if let Some(defs) = defs.as_object_mut() {
        defs.remove("SecretSeed");
    }
    if let Some(part) = defs["PartSetup"]["properties"].as_object_mut() {
        part.remove("seed");
    }
    let told = "A file with the questions, in place of `questions`: a pack, by its path from this file; `bundled` is the one that comes with \
                Klaxon.";
    defs["Quiz"]["properties"][PACK] = json!({ "description": told, "type": "string" });
    schema
}

/// Refuses what is not known, also in editors. What is only ever a part of something else stays open.
fn close(schema: &mut Value) {
    let mut parts_of_others = Vec::new();
    find_parts_of_others(schema, &mut parts_of_others);
    let closed = json!(false);
    if let Some(defs) = schema["$defs"].as_object_mut() {
        for (name, def) in defs {
            let has_fields = def.get("properties").is_some() || def["oneOf"][0].get("properties").is_some();
            if has_fields && !parts_of_others.contains(name) {
                def["unevaluatedProperties"] = closed.clone();
            }
        }
    }
    schema["unevaluatedProperties"] = closed;
}

/// The names of what stands beside a tag.
fn find_parts_of_others(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            for variant in fields.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
                let reference = variant.get("$ref").and_then(Value::as_str);
                found.extend(reference.and_then(|reference| reference.rsplit('/').next()).map(str::to_owned));
            }
            fields.values().for_each(|inner| find_parts_of_others(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| find_parts_of_others(inner, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema/show.json");

    #[test]
    fn the_schema_in_docs_is_current() {
        let current = schema();
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(SCHEMA_FILE, serde_json::to_string_pretty(&current).unwrap() + "\n").unwrap();
        }
        let written = std::fs::read_to_string(SCHEMA_FILE).unwrap_or_default();
        let written = serde_json::from_str(&written).unwrap_or(Value::Null);
        assert_eq!(written, current, "run this test once with UPDATE_SCHEMA=1 and commit docs/schema/show.json");
    }

    #[test]
    fn it_has_what_only_files_have_and_no_seed() {
        let schema = schema();
        assert!(!schema.to_string().contains("SecretSeed"));
        assert_eq!(schema["required"], json!(["title", "parts"]));
        assert_eq!(schema["unevaluatedProperties"], json!(false));
        assert_eq!(schema["$defs"]["QuizQuestion"]["unevaluatedProperties"], json!(false));
        // It stands beside `kind` and the fields of all questions.
        assert_eq!(schema["$defs"]["OneRight"].get("unevaluatedProperties"), None);
        for name in OF_THE_SHOW {
            assert!(schema["properties"].get(name).is_some(), "{name}");
        }
    }
}
