//! The reference at the end of docs/protocol.md: every message and its fields, from the schemas, in the order of the bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::LazyLock;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::Settings;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::examples;
use crate::ordered::Ordered;
use crate::schema::SCHEMAS;
use crate::validate::{problems, resolve};

/// The fields of each part, by the part's description in the schema, in the order in which they are written.
type Orders = BTreeMap<String, Vec<String>>;

/// One speaker's schema and the order of its fields.
struct Speaker {
    /// Whether the speaker is the server: its schema has no nulls.
    is_server: bool,
    schema: &'static Value,
    orders: Orders,
}

static NO_FIELDS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

fn properties(part: &Value) -> &Map<String, Value> {
    part.get("properties").and_then(Value::as_object).unwrap_or(&NO_FIELDS)
}

fn variants(part: &Value) -> &[Value] {
    part.get("oneOf").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The field that tells variants apart, and its value: `("type", "join")`.
fn tag(variant: &Value) -> Option<(&str, &str)> {
    properties(variant).iter().find_map(|(name, field)| Some((name.as_str(), field.get("const")?.as_str()?)))
}

fn text<'a>(part: &'a Value, key: &str) -> &'a str {
    part.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Speaker {
    fn new<T: Serialize + klaxon_protocol::binary::Encode>(
        is_server: bool,
        schema: &'static Value,
        messages: &[T],
    ) -> Self {
        let mut speaker = Self { is_server, schema, orders: Orders::new() };
        for message in messages {
            let bytes = Codec::Json.encode(message);
            let ordered = serde_json::from_slice(&bytes).unwrap();
            speaker.learn(schema, &ordered, &serde_json::from_slice(&bytes).unwrap());
        }
        speaker
    }

    /// Learns the order of fields from a written value: of the value that has most of them.
    fn learn(&mut self, part: &Value, ordered: &Ordered, value: &Value) {
        if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
            self.learn(resolve(self.schema, reference), ordered, value);
        }
        for variant in variants(part).iter().chain(part.get("anyOf").and_then(Value::as_array).into_iter().flatten()) {
            let mut alone = variant.clone();
            if let (Value::Object(alone), Some(parts)) = (&mut alone, self.schema.get("$defs")) {
                alone.insert("$defs".into(), parts.clone());
            }
            if problems(&alone, value).is_empty() {
                self.learn(variant, ordered, value);
            }
        }
        match ordered {
            Ordered::Object(fields) => {
                let known = properties(part);
                let names: Vec<String> =
                    fields.iter().map(|(name, _)| name.clone()).filter(|name| known.contains_key(name)).collect();
                let order = self.orders.entry(key(part)).or_default();
                if names.len() > order.len() {
                    *order = names;
                }
                for (name, inner) in fields {
                    if let Some(part) = known.get(name) {
                        self.learn(part, inner, &value[name]);
                    }
                }
            }
            Ordered::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    if let Some(part) = part.get("items") {
                        self.learn(part, inner, &value[index]);
                    }
                }
            }
            Ordered::Plain => {}
        }
    }

    /// The fields of a part, without its tag.
    fn fields<'a>(&self, part: &'a Value) -> Vec<(String, &'a Value)> {
        let known = properties(part);
        let order = self.orders.get(&key(part)).cloned().unwrap_or_default();
        assert_eq!(
            order.iter().collect::<BTreeSet<_>>(),
            known.keys().collect::<BTreeSet<_>>(),
            "no example has all fields of: {part}"
        );
        order
            .into_iter()
            .map(|name| (name.clone(), &known[&name]))
            .filter(|(_, field)| field.get("const").is_none())
            .collect()
    }

    /// The fields as a list; notes the parts that they name.
    fn list(&self, part: &Value, lines: &mut String, used: &mut BTreeSet<String>) {
        let required: Vec<&str> =
            part.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, field) in self.fields(part) {
            let left_out = match field.get("default") {
                _ if self.is_optional(field, required.contains(&name.as_str())) => ", optional".into(),
                Some(default) if default.to_string().len() > 100 => ", by default as below".into(),
                Some(default) => format!(", by default `{default}`"),
                None => String::new(),
            };
            let kind = kind(field, used);
            let _ = writeln!(lines, "- `{name}`: {kind}{left_out}. {}", text(field, "description"));
        }
    }

    /// Whether there may be nothing. What has a default is always something, though JSON may leave it out.
    fn is_optional(&self, field: &Value, required: bool) -> bool {
        if self.is_server {
            return !required;
        }
        // A field that may be null and has no other default is nothing then.
        if field.get("default").is_some_and(|default| !default.is_null()) {
            return false;
        }
        let null = |value: &Value| *value == "null" || value.get("type").is_some_and(|name| name == "null");
        ["type", "anyOf"].iter().any(|key| field.get(key).and_then(Value::as_array).into_iter().flatten().any(null))
    }

    /// Every message of the speaker, with its number in bincode.
    fn messages(&self, used: &mut BTreeSet<String>) -> String {
        let mut lines = String::new();
        for (number, variant) in variants(self.schema).iter().enumerate() {
            let (_, name) = tag(variant).unwrap();
            let _ = writeln!(lines, "\n#### `{name}` ({number})\n\n{}", text(variant, "description"));
            if let Some(reference) = variant.get("$ref").and_then(Value::as_str) {
                let part = resolve(self.schema, reference);
                lines.push('\n');
                self.list(part, &mut lines, used);
                self.choices(part, &mut lines, used);
            }
        }
        lines
    }

    /// What lies flat in a message: a tag and the fields that come with it.
    fn choices(&self, part: &Value, lines: &mut String, used: &mut BTreeSet<String>) {
        for (number, choice) in variants(part).iter().enumerate() {
            let (field, name) = tag(choice).unwrap();
            let _ = writeln!(lines, "- `{field}`: `\"{name}\"` ({number}). {}", text(choice, "description"));
            let mut inner = String::new();
            self.list(choice, &mut inner, used);
            for line in inner.lines() {
                let _ = writeln!(lines, "  {line}");
            }
        }
    }
}

/// Tells parts apart: by what they are called and what they have.
fn key(part: &Value) -> String {
    let names: Vec<_> = properties(part).keys().collect();
    format!("{} {:?} {names:?}", text(part, "description"), tag(part))
}

/// Parts that have a place of their own in the document.
const ELSEWHERE: [(&str, &str); 2] = [("ErrorCode", "errors"), ("ToPlayer", "what-players-hear")];

fn link(name: &str, used: &mut BTreeSet<String>) -> String {
    if let Some((_, place)) = ELSEWHERE.iter().find(|(part, _)| *part == name) {
        return format!("[{name}](#{place})");
    }
    used.insert(name.to_owned());
    format!("[{name}](#{})", name.to_lowercase())
}

/// What a field holds, in words.
fn kind(field: &Value, used: &mut BTreeSet<String>) -> String {
    if let Some(reference) = field.get("$ref").and_then(Value::as_str) {
        return link(reference.trim_start_matches("#/$defs/"), used);
    }
    if let Some(choices) = field.get("anyOf").and_then(Value::as_array) {
        let named = choices.iter().find(|choice| choice.get("$ref").is_some()).unwrap();
        return kind(named, used);
    }
    if let Some(items) = field.get("items") {
        return format!("list of {}", kind(items, used));
    }
    let name = match field.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|&name| name != "null").unwrap(),
        Some(name) => name.as_str().unwrap(),
        None => panic!("a field of no type: {field}"),
    };
    match (name, text(field, "format")) {
        ("integer", "uint8") => "u8".into(),
        ("integer", "uint16") => "u16".into(),
        ("integer", "uint32") => "u32".into(),
        ("integer", "uint64") => "u64".into(),
        ("integer", "int32") => "i32".into(),
        ("string", "") => "text".into(),
        ("boolean", "") => "bool".into(),
        ("object", "") => "object".into(),
        other => panic!("a field of unknown type: {other:?}"),
    }
}

/// How a number or text type is written in bincode, where that is not what its JSON says.
fn plain_kind(name: &str, part: &Value) -> String {
    match name {
        "ShowId" => "text in JSON, u64 in bincode".into(),
        "Body" => "object in JSON, its JSON as a text in bincode".into(),
        "ClaimValue" => "u64 or text in JSON; in bincode 0 and a u64, or 1 and a text".into(),
        _ => kind(part, &mut BTreeSet::new()),
    }
}

/// A part that messages name: a struct, an enum of words, a tagged enum, or a number or text with a meaning.
fn part(speaker: &Speaker, name: &str, part: &Value, used: &mut BTreeSet<String>) -> String {
    let mut lines = format!("\n#### {name}\n\n");
    let choices = variants(part);
    let told = text(part, "description");
    if choices.is_empty() && part.get("properties").is_none() {
        let _ = writeln!(lines, "{}. {told}", plain_kind(name, part));
    } else if choices.iter().any(|choice| tag(choice).is_some()) {
        let _ = writeln!(lines, "{told}\n");
        speaker.choices(part, &mut lines, used);
    } else if choices.is_empty() {
        let _ = writeln!(lines, "{told}\n");
        speaker.list(part, &mut lines, used);
    } else {
        let _ = writeln!(lines, "{told}\n");
        for (number, choice) in choices.iter().enumerate() {
            let _ = writeln!(lines, "- `{}` ({number}). {}", choice["const"], text(choice, "description"));
        }
    }
    if name == "Settings" { without_bytes(&lines, Settings::NEWER) } else { lines }
}

/// The lines of a part, with a remark for each of these fields that bincode doesn't have.
fn without_bytes(lines: &str, fields: &[&str]) -> String {
    let remarked = lines.lines().map(|line| {
        let is_without = fields.iter().any(|field| line.starts_with(&format!("- `{field}`: ")));
        format!("{line}{}\n", if is_without { " In bincode by `create_game` only." } else { "" })
    });
    remarked.collect()
}

/// The whole reference.
pub fn reference() -> String {
    let speakers = [
        ("What players say", Speaker::new(false, &SCHEMAS.from_player, &examples::from_player())),
        ("What players hear", Speaker::new(true, &SCHEMAS.to_player, &examples::to_player())),
        ("What hosts say", Speaker::new(false, &SCHEMAS.from_host, &examples::from_host())),
        ("What hosts hear", Speaker::new(true, &SCHEMAS.to_host, &examples::to_host())),
    ];
    let mut used = BTreeSet::new();
    let mut lines = String::new();
    for (title, speaker) in &speakers {
        let _ = write!(lines, "\n### {title}\n{}", speaker.messages(&mut used));
    }
    lines.push_str("\n### Parts\n");
    let mut parts = BTreeMap::new();
    while let Some(name) = used.iter().find(|&name| !parts.contains_key(name)).cloned() {
        let found = speakers.iter().find_map(|(_, speaker)| Some((speaker, speaker.schema.get("$defs")?.get(&name)?)));
        let (speaker, found) = found.unwrap_or_else(|| panic!("no part is called {name}"));
        let lines = part(speaker, &name, found, &mut used);
        parts.insert(name, lines);
    }
    lines.extend(parts.into_values());
    lines
}
