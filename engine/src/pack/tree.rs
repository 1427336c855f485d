//! TOML and JSON as one tree that keeps what errors need: lines, and duplicate keys.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Findings, SourcePlace, excerpt};
use super::text::Lines;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// TOML only: the JSON parser does not report lines.
    pub line: Option<usize>,
    pub value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<TreeEntry>),
    /// A kind of value that packs don't have, by its name.
    Other(&'static str),
}

#[derive(Debug)]
pub(super) struct TreeEntry {
    pub key: String,
    pub line: Option<usize>,
    pub node: Node,
}

impl Value {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table of keys",
            Self::Other(kind) => kind,
        }
    }
}

/// The largest text of TOML, in bytes, of which all broken lines are reported: the parser takes hundreds of bytes for each of them.
pub(super) const LARGEST_BROKEN_TOML: usize = 256 * 1024;

/// Reads TOML; if its syntax is broken, every broken line is reported, and of a large text the first one.
pub(super) fn from_toml(text: &str, findings: &mut Findings) -> Option<Node> {
    let lines = Lines::of(text);
    let (table, errors) = if text.len() > LARGEST_BROKEN_TOML {
        match DeTable::parse(text) {
            Ok(table) => (table, Vec::new()),
            Err(error) => (Spanned::new(0..0, DeTable::new()), vec![error]),
        }
    } else {
        DeTable::parse_recoverable(text)
    };
    if errors.is_empty() {
        return Some(toml_table(table, &lines));
    }
    let mut told = None;
    for error in errors {
        let line = error.span().map(|span| lines.line(span.start));
        // Further errors on the same line are mostly consequences of the first.
        if line.is_none() || told != line {
            findings.add(SourcePlace { line, question: None }, format!("this is not TOML: {}", error.message()));
        }
        told = line;
    }
    None
}

fn toml_table(table: Spanned<DeTable<'_>>, lines: &Lines) -> Node {
    let line = Some(lines.line(table.span().start));
    let entries = table
        .into_inner()
        .into_iter()
        .map(|(key, value)| TreeEntry {
            line: Some(lines.line(key.span().start)),
            key: key.into_inner().into_owned(),
            node: toml_value(value, lines),
        })
        .collect();
    Node { line, value: Value::Table(entries) }
}

fn toml_value(value: Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let span = value.span();
    let line = Some(lines.line(span.start));
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number out of any range"), Value::Integer),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Boolean(is_true) => Value::Bool(is_true),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(list) => Value::List(list.into_iter().map(|value| toml_value(value, lines)).collect()),
        DeValue::Table(table) => return toml_table(Spanned::new(span, table), lines),
    };
    Node { line, value }
}

/// Reads JSON.
pub(super) fn from_json(text: &str, findings: &mut Findings) -> Option<Node> {
    match serde_json::from_str(text) {
        Ok(node) => Some(node),
        Err(error) => {
            let place = SourcePlace { line: Some(error.line()), question: None };
            findings.add(place, format!("this is not JSON: {error}"));
            None
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl NodeVisitor {
    fn node<E>(value: Value) -> Result<Node, E> {
        Ok(Node { line: None, value })
    }
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Self::node(Value::Text(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Self::node(Value::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Self::node(i64::try_from(number).map_or(Value::Other("a number out of any range"), Value::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Self::node(Value::Other("a fraction"))
    }

    fn visit_bool<E>(self, is_true: bool) -> Result<Node, E> {
        Self::node(Value::Bool(is_true))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Self::node(Value::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = items.next_element()? {
            list.push(node);
        }
        Self::node(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = items.next_entry()? {
            entries.push(TreeEntry { key, line: None, node });
        }
        Self::node(Value::Table(entries))
    }
}

/// Takes a table's values one by one by key, and reports problems.
#[derive(Debug)]
pub(super) struct Fields<'f> {
    entries: Vec<TreeEntry>,
    place: SourcePlace,
    findings: &'f mut Findings,
}

impl<'f> Fields<'f> {
    /// The fields of a table; anything else is reported, and `None` returned.
    pub fn of(node: Node, what: &str, place: SourcePlace, findings: &'f mut Findings) -> Option<Self> {
        let place = place.at_line(node.line);
        match node.value {
            Value::Table(entries) => Some(Self { entries, place, findings }),
            other => {
                findings.add(place, format!("{what} is a table of keys and values, not {}", other.kind()));
                None
            }
        }
    }

    pub fn place(&self) -> SourcePlace {
        self.place
    }

    pub fn tell(&mut self, line: Option<usize>, problem: impl Into<String>) {
        self.findings.add(self.place.at_line(line), problem);
    }

    /// The value at `key`; a second one (JSON only) is reported.
    pub fn take(&mut self, key: &str) -> Option<Node> {
        let first = self.entries.iter().position(|entry| entry.key == key)?;
        let node = self.entries.swap_remove(first).node;
        let before = self.entries.len();
        self.entries.retain(|entry| entry.key != key);
        if self.entries.len() < before {
            self.tell(None, format!("`{key}` stands twice"));
        }
        Some(node)
    }

    /// The value at `key`; if it is missing, that is reported.
    pub fn need(&mut self, key: &str, wanted: &str) -> Option<Node> {
        let node = self.take(key);
        if node.is_none() {
            self.tell(None, format!("`{key}` is missing: {wanted}"));
        }
        node
    }

    /// The node's text; anything else is reported.
    pub fn text_of(&mut self, node: Node, what: &str) -> Option<String> {
        match node.value {
            Value::Text(text) => Some(text),
            other => {
                self.tell(node.line, format!("{what} is a text in quotes, not {}", other.kind()));
                None
            }
        }
    }

    /// The texts of a list; if any item is something else, that is reported and `None` returned.
    pub fn texts_of(&mut self, node: Node, what: &str) -> Option<Vec<String>> {
        match node.value {
            Value::List(items) => {
                let count = items.len();
                let texts: Vec<String> = items
                    .into_iter()
                    .enumerate()
                    .filter_map(|(index, item)| self.text_of(item, &format!("{what}: item {}", index + 1)))
                    .collect();
                (texts.len() == count).then_some(texts)
            }
            other => {
                self.tell(node.line, format!("{what} is a list of texts, not {}", other.kind()));
                None
            }
        }
    }

    /// The text at `key`, if there is one.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let node = self.take(key)?;
        self.text_of(node, &format!("`{key}`"))
    }

    /// Everything that was not taken; a second value at a key is reported.
    pub fn take_all(&mut self) -> Vec<TreeEntry> {
        let mut keys = BTreeSet::new();
        let (first, second): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.entries).into_iter().partition(|entry| keys.insert(entry.key.clone()));
        for entry in second {
            self.tell(entry.line, format!("{} stands twice", excerpt(&entry.key)));
        }
        first
    }

    /// Reports every key that was not taken.
    pub fn refuse_the_rest(self, allowed: &[&str]) {
        for entry in self.entries {
            let line = self.place.at_line(entry.line);
            let key = excerpt(&entry.key);
            self.findings.add(line, format!("there is no key {key} here; the keys are {}", allowed.join(", ")));
        }
    }
}
