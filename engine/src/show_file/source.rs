//! TOML and JSON as one tree of values, and where in the file each of them is.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::ShowProblem;

/// A file's content.
#[derive(Debug)]
pub(super) struct Content {
    pub value: Value,
    /// The lines, from 1, of fields and items by their paths; none for JSON.
    pub lines: BTreeMap<String, usize>,
}

/// Reads TOML. If its syntax is broken, all that can be told of it is told.
pub(super) fn from_toml(text: &str) -> Result<Content, Vec<ShowProblem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let starts = LineStarts::of(text);
    if !errors.is_empty() {
        let mut problems: Vec<ShowProblem> = Vec::new();
        for error in errors {
            let place = error.span().map(|span| starts.place(text, span.start));
            let (line, column) = place.unzip();
            // Further errors on a line are mostly consequences of the first.
            if line.is_none() || problems.last().is_none_or(|last| last.line != line) {
                problems.push(ShowProblem { line, column, told: format!("this is not TOML: {}", error.message()) });
            }
        }
        return Err(problems);
    }
    let mut tree = TomlTree { text, starts, lines: BTreeMap::new(), problems: Vec::new() };
    let value = tree.table(table.into_inner(), "");
    if tree.problems.is_empty() { Ok(Content { value, lines: tree.lines }) } else { Err(tree.problems) }
}

/// Where the lines of a text begin.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Self(std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect())
    }

    /// The line, from 1, of a byte.
    fn line(&self, byte: usize) -> usize {
        self.0.partition_point(|&start| start <= byte)
    }

    /// Line and column, from 1, of a byte.
    fn place(&self, text: &str, byte: usize) -> (usize, usize) {
        let line = self.line(byte);
        let before = text.get(self.0[line - 1]..byte).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

struct TomlTree<'t> {
    text: &'t str,
    starts: LineStarts,
    lines: BTreeMap<String, usize>,
    problems: Vec<ShowProblem>,
}

impl TomlTree<'_> {
    fn table(&mut self, table: DeTable<'_>, path: &str) -> Value {
        let mut fields = Map::new();
        for (key, value) in table {
            let at = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
            self.lines.insert(at.clone(), self.starts.line(key.span().start));
            let value = self.value(value, &at);
            fields.insert(key.into_inner().into_owned(), value);
        }
        Value::Object(fields)
    }

    fn value(&mut self, value: Spanned<DeValue<'_>>, path: &str) -> Value {
        let start = value.span().start;
        match value.into_inner() {
            DeValue::String(text) => text.into_owned().into(),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => number.into(),
                Err(_) => self.refuse(path, start, "the number is out of any range"),
            },
            DeValue::Float(number) => match number.as_str().replace('_', "").parse::<f64>() {
                Ok(number) if number.is_finite() => number.into(),
                _ => self.refuse(path, start, "this is no number"),
            },
            DeValue::Boolean(is_true) => is_true.into(),
            DeValue::Datetime(_) => self.refuse(path, start, "a date or time has no place in a show"),
            DeValue::Table(table) => self.table(table, path),
            DeValue::Array(items) => {
                let mut list = Vec::new();
                for (index, item) in items.into_iter().enumerate() {
                    let at = format!("{path}[{index}]");
                    self.lines.insert(at.clone(), self.starts.line(item.span().start));
                    list.push(self.value(item, &at));
                }
                Value::Array(list)
            }
        }
    }

    fn refuse(&mut self, path: &str, start: usize, problem: &str) -> Value {
        let (line, column) = self.starts.place(self.text, start);
        let told = format!("{path}: {problem}");
        self.problems.push(ShowProblem { line: Some(line), column: Some(column), told });
        Value::Null
    }
}

/// Reads JSON. A name that stands twice is refused.
pub(super) fn from_json(text: &str) -> Result<Content, Vec<ShowProblem>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = NoDoubles.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    match read {
        Ok(value) => Ok(Content { value, lines: BTreeMap::new() }),
        Err(error) => {
            let told = error.to_string();
            let told = told.split(" at line ").next().unwrap_or_default();
            let (line, column) = (Some(error.line()), Some(error.column()));
            Err(vec![ShowProblem { line, column, told: format!("this is not JSON: {told}") }])
        }
    }
}

/// Any value, in whose objects each name stands once.
struct NoDoubles;

impl<'de> DeserializeSeed<'de> for NoDoubles {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NoDoubles {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, is_true: bool) -> Result<Value, E> {
        Ok(is_true.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(NoDoubles)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(NoDoubles)?;
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("{name:?} stands twice")));
            }
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}
