//! Questions of all kinds in Klaxon's own packs: each has the fields that it has in a quiz's setup, but that right choices are texts.

use std::collections::BTreeSet;

use klaxon_protocol::games::quiz::QuizQuestion;
use klaxon_protocol::games::trivia::Difficulty;
use serde::Deserialize as _;
use serde_json::{Map, Value as Json};

use super::draft::{Drafted, FieldPlaces, blank_question, difficulty_named};
use super::form::QUESTION_KEYS;
use super::kind_fields::{Field, KindFields, kind_named, kinds};
use super::problem::{Findings, SourcePlace, excerpt};
use super::tree::{Fields, Node, TreeEntry, Value};

/// What a question is that has no kind.
pub(super) const USUAL_KIND: &str = "choice";
/// A key of a pack that only packs for a quiz have.
pub(super) const LANGUAGE: &str = "language";
/// The keys that only packs have, and no quiz.
pub(super) const ONLY_IN_A_PACK: [&str; 2] = ["difficulty", "source"];

/// Whether a native pack is for a quiz: something in it is that only such packs have.
pub(super) fn are_in(root: &Node) -> bool {
    let Value::Table(entries) = &root.value else { return false };
    let is_of_a_quiz = |question: &Node| match &question.value {
        Value::Table(fields) => fields.iter().any(|field| is_only_in_a_quiz(&field.key)),
        _ => false,
    };
    entries.iter().any(|entry| match &entry.node.value {
        Value::List(questions) if entry.key == "questions" => questions.iter().any(is_of_a_quiz),
        _ => entry.key == LANGUAGE,
    })
}

/// Whether a question has this key only in packs for a quiz.
pub(super) fn is_only_in_a_quiz(key: &str) -> bool {
    let is_field = key == "kind" || kinds().iter().any(|kind| kind.field(key).is_some());
    is_field && !QUESTION_KEYS.contains(&key)
}

/// Reads a question of any kind.
pub(super) fn read_question(node: Node, number: usize, findings: &mut Findings) -> Drafted {
    let place = SourcePlace { line: node.line, question: Some(number) };
    let mut drafted = Drafted::new(blank_question(), place);
    let Some(mut fields) = Fields::of(node, "a question", place, findings) else {
        return drafted;
    };
    drafted.place = fields.place();
    drafted.packed.difficulty = read_difficulty(&mut fields);
    drafted.packed.source = fields.text("source");
    let kind = match fields.take("kind") {
        None => kind_named(USUAL_KIND),
        Some(node) => {
            let line = node.line;
            let name = fields.text_of(node, "`kind`");
            name.and_then(|name| {
                let kind = kind_named(&name);
                if kind.is_none() {
                    let names: Vec<&str> = kinds().iter().map(|kind| kind.name).collect();
                    fields.tell(line, format!("`kind` is one of {}, not {}", names.join(", "), excerpt(&name)));
                }
                kind
            })
        }
    };
    // What fields mean is not known without the kind.
    let Some(kind) = kind else { return drafted };
    let (question, places) =
        Reading { kind, fields, object: kind.placeholder(), places: FieldPlaces::default() }.read();
    drafted.packed.question = question.unwrap_or(drafted.packed.question);
    drafted.fields = places;
    drafted
}

/// The difficulty of a question; anything else is reported.
pub(super) fn read_difficulty(fields: &mut Fields<'_>) -> Option<Difficulty> {
    let node = fields.take("difficulty")?;
    let line = node.line;
    let name = fields.text_of(node, "`difficulty`")?;
    difficulty_named(&name).map_err(|problem| fields.tell(line, problem)).ok()
}

/// The index of the choice that `right` names. None if it can't be determined; problems with `right` itself are reported.
pub(super) fn read_right(fields: &mut Fields<'_>, right: Node, choices: Option<&[String]>) -> Option<usize> {
    let line = right.line;
    if let Value::Integer(number) = right.value {
        let meant = usize::try_from(number).ok().and_then(|number| choices?.get(number.checked_sub(1)?));
        let example = meant.map(|text| format!(", such as right = {}", excerpt(text))).unwrap_or_default();
        fields.tell(line, format!("`right` is the right choice's text in quotes, not its position{example}"));
        return None;
    }
    let right = fields.text_of(right, "`right`")?;
    let choices = choices?;
    let found = choices.iter().position(|choice| *choice == right);
    if found.is_none() {
        let shown: Vec<String> = choices.iter().take(6).map(|choice| excerpt(choice)).collect();
        fields.tell(line, format!("`right` is {}, which is none of the choices {}", excerpt(&right), shown.join(", ")));
    }
    found
}

/// A question that is being read: a placeholder of its kind, in which one field after the other is put.
struct Reading<'f> {
    kind: &'static KindFields,
    fields: Fields<'f>,
    object: Map<String, Json>,
    places: FieldPlaces,
}

impl Reading<'_> {
    fn read(mut self) -> (Option<QuizQuestion>, FieldPlaces) {
        let entries = self.fields.take_all();
        let choices = entries.iter().find(|entry| entry.key == "choices").and_then(|entry| texts(&entry.node));
        let (mut given, mut known) = (BTreeSet::new(), Vec::new());
        for entry in entries {
            given.insert(entry.key.clone());
            let Some(field) = self.kind.field(&entry.key) else {
                let keys: Vec<&str> =
                    self.kind.fields().map(|(name, _)| name).chain(ONLY_IN_A_PACK).chain(["kind"]).collect();
                self.fields.tell(
                    entry.line,
                    format!(
                        "there is no key {} in a question of kind `{}`; the keys are {}",
                        excerpt(&entry.key),
                        self.kind.name,
                        keys.join(", ")
                    ),
                );
                continue;
            };
            note_lines(&entry.node, &entry.key, &mut self.places);
            if let Value::List(items) = &entry.node.value
                && items.len() > MOST_ITEMS
            {
                let problem = format!("`{}` has {} items; no list has more than {MOST_ITEMS}", entry.key, items.len());
                self.fields.tell(entry.line, problem);
                self.places.unread.insert(entry.key);
                continue;
            }
            if entry.key == "right" && self.kind.field("choices").is_some() {
                self.right(entry, field, choices.as_deref());
            } else if !self.has_odd_key(&entry, field) {
                known.push((entry, field));
            }
        }
        self.put(known);
        for (name, field) in self.kind.fields().filter(|(name, field)| field.is_required && !given.contains(*name)) {
            self.fields.tell(None, format!("`{name}` is missing: {}", field.description()));
            self.places.unread.insert(name.to_owned());
        }
        let question = QuizQuestion::deserialize(Json::Object(self.object));
        (question.map_err(|error| self.fields.tell(None, error.to_string())).ok(), self.places)
    }

    /// Whether a field is a table in which something does not belong. That is reported.
    fn has_odd_key(&mut self, entry: &TreeEntry, field: &Field) -> bool {
        let Value::Table(table) = &entry.node.value else { return false };
        let Some((odd, known)) = field.odd_key(table) else { return false };
        let key = &entry.key;
        let problem =
            format!("`{key}` can't have {}, or has it twice; its keys are {}", excerpt(&odd.key), known.join(", "));
        self.fields.tell(odd.line.or(entry.line), problem);
        self.places.unread.insert(key.clone());
        true
    }

    /// Puts in the fields that are what their schemas say, and reports the others.
    fn put(&mut self, known: Vec<(TreeEntry, &Field)>) {
        let mut all = self.object.clone();
        all.extend(known.iter().map(|(entry, _)| (entry.key.clone(), json_of(&entry.node.value))));
        if problem_of(&all).is_none() {
            self.object = all;
            return;
        }
        for (TreeEntry { key, line, node }, field) in known {
            let before = self.object.insert(key.clone(), json_of(&node.value));
            let Some(problem) = problem_of(&self.object) else { continue };
            match before {
                Some(before) => self.object.insert(key.clone(), before),
                None => self.object.remove(&key),
            };
            let problem = match &node.value {
                Value::Table(_) if field.is_table() => format!("`{key}` is {}: {problem}", field.wanted()),
                value => format!("`{key}` is {}, not {}", field.wanted(), field.found(value)),
            };
            self.fields.tell(node.line.or(line), problem);
            self.places.unread.insert(key);
        }
    }

    /// Puts in which of the choices are right.
    fn right(&mut self, entry: TreeEntry, field: &Field, choices: Option<&[String]>) {
        let TreeEntry { key, line, node } = entry;
        let rights: Vec<Node> = match node.value {
            Value::List(items) if field.is_list() => items,
            value => vec![Node { line: node.line.or(line), value }],
        };
        let count = rights.len();
        let found: Vec<usize> = rights
            .into_iter()
            .take(MOST_RIGHTS)
            .filter_map(|right| read_right(&mut self.fields, right, choices))
            .collect();
        if choices.is_none() && !self.kind.field("choices").is_some_and(|choices| choices.is_required) {
            // The check says that it needs choices.
            self.object.insert(key, 0.into());
            return;
        }
        if found.len() < count.min(MOST_RIGHTS) || choices.is_none() {
            self.places.unread.insert(key);
            return;
        }
        let found: Vec<Json> = found.into_iter().map(|index| u8::try_from(index).unwrap_or(u8::MAX).into()).collect();
        let right = if field.is_list() { Json::Array(found) } else { found.into_iter().next().unwrap_or(Json::Null) };
        self.object.insert(key, right);
    }
}

/// The most items of a list that are read, which is more than any may have: a broken file can have a million.
const MOST_ITEMS: usize = 1_000;
/// The most right choices that are looked for: more than any question has, so that there are too many for the check, too.
const MOST_RIGHTS: usize = 20;

/// Why it is no question, if it is none.
fn problem_of(object: &Map<String, Json>) -> Option<serde_json::Error> {
    QuizQuestion::deserialize(Json::Object(object.clone())).err()
}

/// The texts of a list of nothing else.
fn texts(node: &Node) -> Option<Vec<String>> {
    let Value::List(items) = &node.value else { return None };
    if items.len() > MOST_ITEMS {
        return None;
    }
    let text = |item: &Node| match &item.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    items.iter().map(text).collect()
}

/// What a field's schema is compared with. What packs don't have at all becomes something that no field takes.
fn json_of(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Bool(is_true) => (*is_true).into(),
        Value::List(items) => items.iter().map(|item| json_of(&item.value)).collect(),
        Value::Table(entries) => entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.node.value))).collect(),
        Value::Other(kind) => Json::Object([((*kind).to_owned(), Json::Null)].into_iter().collect()),
    }
}

/// How many items of a list have lines of their own.
const MOST_LINES: usize = 20;

fn note_lines(node: &Node, path: &str, places: &mut FieldPlaces) {
    places.lines.extend(node.line.map(|line| (path.to_owned(), line)));
    match &node.value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate().take(MOST_LINES) {
                note_lines(item, &format!("{path}[{index}]"), places);
            }
        }
        Value::Table(entries) => {
            for entry in entries.iter().take(MOST_LINES) {
                note_lines(&entry.node, &format!("{path}.{}", entry.key), places);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
