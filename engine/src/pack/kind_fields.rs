//! The fields of each kind of question, as the schema of a quiz's questions has them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use klaxon_protocol::games::quiz::QuizQuestion;
use serde_json::{Map, Value as Json};

use super::tree::{TreeEntry, Value};

static SCHEMA: LazyLock<Json> = LazyLock::new(|| schemars::schema_for!(QuizQuestion).to_value());
static KINDS: LazyLock<Vec<KindFields>> =
    LazyLock::new(|| array(&SCHEMA, "oneOf").filter_map(KindFields::of).collect());

/// A kind of question and its fields, those that all kinds have among them.
#[derive(Debug)]
pub(super) struct KindFields {
    pub name: &'static str,
    fields: BTreeMap<&'static str, Field>,
}

/// What the schema has for a field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// The field's own schema, and what that refers to.
    layers: Vec<&'static Json>,
    pub is_required: bool,
}

/// All kinds.
pub(super) fn kinds() -> &'static [KindFields] {
    &KINDS
}

/// The kind of this name.
pub(super) fn kind_named(name: &str) -> Option<&'static KindFields> {
    KINDS.iter().find(|kind| kind.name == name)
}

impl KindFields {
    fn of(variant: &'static Json) -> Option<Self> {
        let layers = layers(variant);
        let name = layers.iter().find_map(|layer| layer.pointer("/properties/kind/const")?.as_str())?;
        let mut fields = BTreeMap::new();
        for layer in layers.into_iter().chain([&*SCHEMA]) {
            let required: Vec<&str> = array(layer, "required").filter_map(Json::as_str).collect();
            for (name, part) in layer.get("properties").and_then(Json::as_object).into_iter().flatten() {
                fields.insert(name.as_str(), Field::new(part, required.contains(&name.as_str())));
            }
        }
        fields.remove("kind");
        Some(Self { name, fields })
    }

    /// Every field, by its name.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &Field)> {
        self.fields.iter().map(|(name, field)| (*name, field))
    }

    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }

    /// A valid question of this kind, with the needed fields only.
    pub fn placeholder(&self) -> Map<String, Json> {
        let needed = self.fields().filter(|(_, field)| field.is_required);
        let mut fields: Map<String, Json> =
            needed.map(|(name, field)| (name.to_owned(), field.placeholder())).collect();
        fields.insert("kind".into(), self.name.into());
        fields
    }
}

impl Field {
    fn new(part: &'static Json, is_required: bool) -> Self {
        Self { layers: layers(part), is_required }
    }

    fn get(&self, keyword: &str) -> Option<&'static Json> {
        self.layers.iter().find_map(|layer| layer.get(keyword))
    }

    fn is(&self, name: &str) -> bool {
        self.layers.iter().filter_map(|layer| layer.get("type")).any(|types| match types {
            Json::Array(names) => names.iter().any(|other| other == name),
            other => other == name,
        })
    }

    pub fn is_list(&self) -> bool {
        self.is("array")
    }

    pub fn is_number(&self) -> bool {
        self.is("integer") || self.items().is_some_and(|items| items.is("integer"))
    }

    pub fn is_table(&self) -> bool {
        self.is("object") || self.variants().iter().any(|variant| variant.get("properties").is_some())
    }

    pub fn is_boolean(&self) -> bool {
        self.is("boolean")
    }

    fn items(&self) -> Option<Self> {
        self.get("items").map(|part| Self::new(part, true))
    }

    fn variants(&self) -> Vec<&'static Json> {
        self.layers.iter().flat_map(|layer| array(layer, "oneOf")).collect()
    }

    /// What its schema says of it, up to the first stop.
    pub fn description(&self) -> &'static str {
        let text = self.get("description").and_then(Json::as_str).unwrap_or_default();
        text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
    }

    /// What can stand there, in words.
    pub fn wanted(&self) -> String {
        let variants = self.variants();
        let words: Vec<String> =
            variants.iter().filter_map(|variant| variant.get("const")).map(Json::to_string).collect();
        if !words.is_empty() {
            return format!("one of {}", words.join(", "));
        }
        if !variants.is_empty() {
            return variants.into_iter().map(table_in_words).collect::<Vec<_>>().join(" or ");
        }
        if let Some(table) = self.layers.iter().find(|layer| layer.get("properties").is_some()) {
            return table_in_words(table);
        }
        if self.is_list() {
            return if self.is_number() { "a list of whole numbers" } else { "a list of texts" }.to_owned();
        }
        if self.is("boolean") {
            return "true or false".to_owned();
        }
        if !self.is("integer") {
            return "a text in quotes".to_owned();
        }
        match (self.get("minimum"), self.get("maximum")) {
            (Some(least), Some(most)) => format!("a whole number, {least} to {most}"),
            _ => "a whole number".to_owned(),
        }
    }

    /// What stands there in place of what is wanted.
    pub fn found(&self, value: &Value) -> String {
        match value {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => super::problem::excerpt(text),
            Value::List(items) if self.is_list() => {
                let fits = |item: &Value| match item {
                    Value::Text(_) => !self.is_number(),
                    Value::Integer(_) => self.is_number(),
                    _ => false,
                };
                match items.iter().position(|item| !fits(&item.value)) {
                    Some(index) => format!("a list whose item {} is {}", index + 1, items[index].value.kind()),
                    None => "a list with a number out of range".to_owned(),
                }
            }
            other => other.kind().to_owned(),
        }
    }

    /// A key of a table that does not belong there, or stands twice; with the keys that do.
    pub fn odd_key<'t>(&self, table: &'t [TreeEntry]) -> Option<(&'t TreeEntry, Vec<&'static str>)> {
        let tag_of = |variant: &'static Json| {
            let fields = variant.get("properties")?.as_object()?;
            fields.iter().find_map(|(name, field)| Some((name, field.get("const")?.as_str()?)))
        };
        let is_chosen = |variant: &&'static Json| {
            tag_of(variant).is_some_and(|(name, word)| {
                table
                    .iter()
                    .any(|entry| entry.key == *name && matches!(&entry.node.value, Value::Text(text) if text == word))
            })
        };
        let chosen = match self.variants() {
            variants if variants.is_empty() => *self.layers.iter().find(|layer| layer.get("properties").is_some())?,
            variants => variants.into_iter().find(is_chosen)?,
        };
        let known: Vec<&str> = chosen.get("properties")?.as_object()?.keys().map(String::as_str).collect();
        let is_odd = |(index, entry): &(usize, &TreeEntry)| {
            !known.contains(&entry.key.as_str()) || table[..*index].iter().any(|other| other.key == entry.key)
        };
        let odd = table.iter().enumerate().find(is_odd)?.1;
        Some((odd, known))
    }

    fn placeholder(&self) -> Json {
        if let Some(variant) = self.variants().first() {
            let fields = variant.get("properties").and_then(Json::as_object).into_iter().flatten();
            let value =
                |part: &'static Json| part.get("const").cloned().unwrap_or_else(|| Self::new(part, true).placeholder());
            return fields.map(|(name, part)| (name.clone(), value(part))).collect();
        }
        match (self.is_list(), self.is_number()) {
            (true, true) => Json::Array(vec![0.into()]),
            (true, false) => Json::Array(vec!["unread".into(), "unread too".into()]),
            (false, true) => 0.into(),
            (false, false) => "unread".into(),
        }
    }
}

/// A table as it is written: `{by = "within", off = ...}`.
fn table_in_words(variant: &Json) -> String {
    let fields = variant.get("properties").and_then(Json::as_object).into_iter().flatten();
    let fields = fields.map(|(name, part)| match part.get("const") {
        Some(word) => format!("{name} = {word}"),
        None => format!("{name} = ..."),
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

/// A schema, what it refers to, and of "this or null" what is not null.
fn layers(part: &'static Json) -> Vec<&'static Json> {
    let mut all = vec![part];
    if let Some(reference) = part.get("$ref").and_then(Json::as_str)
        && let Some(target) = SCHEMA.pointer(reference.trim_start_matches('#'))
    {
        all.extend(layers(target));
    }
    for option in array(part, "anyOf").filter(|option| option.get("type").is_none_or(|name| name != "null")) {
        all.extend(layers(option));
    }
    all
}

fn array(part: &'static Json, keyword: &str) -> impl Iterator<Item = &'static Json> {
    part.get(keyword).and_then(Json::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_placeholder_that_can_be_played() {
        assert_eq!(kinds().len(), 12);
        for kind in kinds() {
            let question: QuizQuestion = serde_json::from_value(kind.placeholder().into()).unwrap();
            assert_eq!(question.kind.name(), kind.name);
            let after = serde_json::from_value(kind_named("choice").unwrap().placeholder().into()).unwrap();
            let quiz = super::super::question::usual_quiz(vec![question, after]);
            assert_eq!(quiz.problems(), Vec::<String>::new(), "{}", kind.name);
        }
    }

    #[test]
    fn what_is_wanted_is_told_in_words() {
        for (kind, field, wanted) in [
            ("choice", "choices", "a list of texts"),
            ("choice", "points", "a whole number, 0 to 100000"),
            ("choice", "open_for", "a whole number, 500 to 600000"),
            ("choices", "by", "one of \"all\", \"share\""),
            ("choices", "weights", "a list of whole numbers"),
            ("number", "right", "a whole number"),
            ("text", "case", "true or false"),
            ("buzzer", "wrong", "one of \"next\", \"reopen\", \"over\""),
            ("slide", "text", "a text in quotes"),
        ] {
            assert_eq!(kind_named(kind).unwrap().field(field).unwrap().wanted(), wanted, "{kind} {field}");
        }
        let score = kind_named("number").unwrap().field("score").unwrap().wanted();
        for variant in
            ["{by = \"within\", off = ...}", "{by = \"curve\", zero = ...}", "{by = \"nearest\", places = ...}"]
        {
            assert!(score.contains(variant), "{score}");
        }
        assert!(kind_named("choice").unwrap().field("choices").unwrap().description().starts_with("2 to 12 choices"));
    }
}
