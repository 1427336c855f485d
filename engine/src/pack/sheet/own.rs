//! Rows of sheets of Klaxon's own, in which a column names the kind of each question.

use klaxon_protocol::games::quiz::MOST_DECIMALS;

use super::super::draft::{Drafted, blank_question};
use super::super::kind_fields::{Field, KindFields, kind_named, kinds};
use super::super::kinds::{USUAL_KIND, read_question};
use super::super::problem::{Findings, SourcePlace, excerpt};
use super::super::tree::{Node, TreeEntry, Value};
use super::answers::{AnswerCell, Convention, right_ones};
use super::columns::Columns;
use super::grid::Row;
use super::kind_columns::{KIND, KindColumns, OFF, ZERO};
use super::times::read_time;

const PLACES: &str = "places";
/// In place of answers that are missing.
const UNREAD: [AnswerCell<'static>; 2] = [(1, "unread"), (2, "unread too")];

/// Reads a row as the question in the native format that it stands for.
pub(super) fn read_row(
    row: &Row,
    columns: &Columns,
    of_kinds: &KindColumns,
    convention: Convention,
    place: SourcePlace,
    findings: &mut Findings,
) -> Drafted {
    let answers = columns.answers_of(row);
    let correct = columns.correct_of(row);
    let rights = || right_ones(correct, &answers, convention);
    let name = match row.cell(of_kinds.kind).to_lowercase() {
        name if !name.is_empty() => name,
        _ if rights().is_ok_and(|rights| rights.len() > 1) => "choices".to_owned(),
        _ => USUAL_KIND.to_owned(),
    };
    let Some(kind) = kind_named(&name) else {
        let names: Vec<&str> = kinds().iter().map(|kind| kind.name).collect();
        findings.add(place, format!("the kind is one of {}, not {}", names.join(", "), excerpt(&name)));
        return Drafted::new(blank_question(), place);
    };
    let mut reading = OwnRow { kind, row, of_kinds, entries: Vec::new(), problems: Vec::new() };
    reading.put(KIND, Value::Text(kind.name.to_owned()));
    reading.put("text", Value::Text(row.cell(columns.text).to_owned()));
    reading.put_answers(&answers, correct, convention);
    if let Some((column, unit)) = columns.time {
        match read_time(row.cell(column), unit) {
            Ok(time) => reading.entries.extend(time.map(|time| entry("open_for", Value::Integer(time.0.into())))),
            Err(problem) => reading.problems.push(problem),
        }
    }
    reading.put_fields();
    let OwnRow { entries, problems, .. } = reading;
    // What could not be read has a placeholder among the entries, so that all other mistakes are found, too.
    problems.into_iter().for_each(|problem| findings.add(place, problem));
    read_question(Node { line: place.line, value: Value::Table(entries) }, place.question.unwrap_or(0), findings)
}

/// A row on its way to a question.
struct OwnRow<'r> {
    kind: &'static KindFields,
    row: &'r Row,
    of_kinds: &'r KindColumns,
    entries: Vec<TreeEntry>,
    problems: Vec<String>,
}

impl OwnRow<'_> {
    fn put(&mut self, key: &str, value: Value) {
        self.entries.push(entry(key, value));
    }

    fn wrong(&mut self, problem: impl std::fmt::Display) {
        self.problems.push(format!("a question of kind `{}` {problem}", self.kind.name));
    }

    /// What is in a column of that name.
    fn cell(&self, name: &str) -> &str {
        self.of_kinds.cell(self.row, name)
    }

    fn put_answers(&mut self, answers: &[AnswerCell<'_>], correct: &str, convention: Convention) {
        let kind = self.kind;
        let texts = |answers: &[AnswerCell<'_>]| {
            Value::List(answers.iter().map(|(_, answer)| node(Value::Text((*answer).to_owned()))).collect())
        };
        if let Some(choices) = kind.field("choices") {
            let answers = if choices.is_required && answers.is_empty() {
                self.wrong("has answers to choose from, and there are none");
                &UNREAD
            } else {
                answers
            };
            if !answers.is_empty() {
                self.put("choices", texts(answers));
            }
            match kind.field("right") {
                Some(right) if !answers.is_empty() || !correct.is_empty() => {
                    self.put_rights(right, answers, correct, convention);
                }
                None if !correct.is_empty() => self.wrong("has no correct answer: leave that cell empty"),
                _ => {}
            }
        } else if kind.field("items").is_some() {
            self.put("items", texts(answers));
            if !correct.is_empty() {
                self.wrong("has its answers in the right order: leave the cell with the correct answer empty");
            }
        } else if kind.field("spellings").is_some() {
            // The correct answer is the one that is shown, and the others are further spellings of it.
            let first = Some((0, correct)).filter(|(_, correct)| !correct.is_empty());
            self.put("spellings", texts(&first.into_iter().chain(answers.iter().copied()).collect::<Vec<_>>()));
        } else {
            if !answers.is_empty() {
                self.wrong("has no answers to choose from: leave these cells empty");
            }
            if kind.field("score").is_some() {
                self.put_number(correct);
            } else if !correct.is_empty() {
                self.wrong("has no correct answer: leave that cell empty");
            }
        }
    }

    fn put_rights(&mut self, right: &Field, answers: &[AnswerCell<'_>], correct: &str, convention: Convention) {
        let rights = right_ones(correct, answers, convention).unwrap_or_else(|problem| {
            self.problems.push(problem);
            Vec::from_iter((!answers.is_empty()).then_some(0))
        });
        let mut texts: Vec<Node> = rights.iter().map(|&index| node(Value::Text(answers[index].1.to_owned()))).collect();
        if right.is_list() {
            return self.put("right", Value::List(texts));
        }
        if texts.len() > 1 {
            self.wrong(format_args!("has one correct answer, and not {}; `choices` has several", texts.len()));
        }
        if let Some(last) = texts.pop() {
            self.put("right", last.value);
        }
    }

    /// A number has as many decimals as its cells show.
    fn put_number(&mut self, correct: &str) {
        let of_columns = ["least", "most", OFF, ZERO].map(|name| (name, self.cell(name)));
        let cells = [("right", correct)].into_iter().chain(of_columns).filter(|(_, cell)| !cell.is_empty());
        let (mut numbers, mut problems) = (Vec::new(), Vec::new());
        for (name, cell) in cells {
            match Decimal::parse(cell) {
                Some(number) => numbers.push((name, number)),
                None => problems
                    .push(format!("`{name}` is a number of at most 15 digits, such as -3.14, not {}", excerpt(cell))),
            }
        }
        let shown = numbers.iter().map(|(_, number)| number.decimals).max().unwrap_or(0);
        let decimals = match self.cell("decimals") {
            "" => shown,
            cell => cell.parse().ok().filter(|decimals| *decimals >= shown).unwrap_or_else(|| {
                problems.push(format!(
                    "`decimals` is a whole number, and no less than the {shown} that there are, not {}",
                    excerpt(cell)
                ));
                shown
            }),
        };
        self.problems.append(&mut problems);
        if correct.is_empty() {
            self.wrong("has a number as its correct answer, and that is missing");
        }
        if !numbers.iter().any(|(name, _)| *name == "right") {
            numbers.push(("right", Decimal { digits: 0, decimals: 0 }));
        }
        let decimals = if decimals > MOST_DECIMALS {
            self.wrong(format_args!("has at most {MOST_DECIMALS} decimals, not {decimals}"));
            MOST_DECIMALS
        } else {
            decimals
        };
        self.put("decimals", Value::Integer(decimals.into()));
        let mut score = Vec::new();
        for (name, number) in numbers {
            let Some(number) = number.with(decimals) else {
                self.problems.push(format!("`{name}` has too many digits"));
                continue;
            };
            match name {
                OFF => {
                    score.push(vec![entry("by", Value::Text("within".to_owned())), entry(OFF, Value::Integer(number))])
                }
                ZERO => {
                    score.push(vec![entry("by", Value::Text("curve".to_owned())), entry(ZERO, Value::Integer(number))])
                }
                _ => self.put(name, Value::Integer(number)),
            }
        }
        let places = self.cell(PLACES);
        if !places.is_empty() {
            score.push(vec![entry("by", Value::Text("nearest".to_owned())), entry(PLACES, list(places, true))]);
        }
        if score.len() > 1 {
            self.wrong("has one of Off, Zero and Places");
        }
        // Without any of them, only the number itself is right.
        let exact = || vec![entry("by", Value::Text("within".to_owned())), entry(OFF, Value::Integer(0))];
        self.put("score", Value::Table(score.pop().unwrap_or_else(exact)));
    }

    /// The columns that are fields as they are.
    fn put_fields(&mut self) {
        let is_number = self.kind.field("score").is_some();
        for (name, cell) in self.of_kinds.fields_of(self.row) {
            let is_of_number = is_number && ["least", "most", "decimals", OFF, ZERO, PLACES].contains(&name);
            if !is_of_number {
                self.entries.push(entry(name, value_of(cell, self.kind.field(name))));
            }
        }
    }
}

/// A number as it is written.
struct Decimal {
    /// Without its decimal point.
    digits: i64,
    decimals: u8,
}

impl Decimal {
    fn parse(cell: &str) -> Option<Self> {
        let unsigned = cell.strip_prefix(['-', '+']).unwrap_or(cell);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = format!("{whole}{fraction}");
        let is_number = !whole.is_empty() && digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let digits: i64 = Some(digits).filter(|_| is_number)?.parse().ok()?;
        let digits = if cell.starts_with('-') { -digits } else { digits };
        Some(Self { digits, decimals: u8::try_from(fraction.len()).ok()? })
    }

    /// With so many decimals, or as it is if it has more.
    fn with(&self, decimals: u8) -> Option<i64> {
        self.digits.checked_mul(10_i64.checked_pow(u32::from(decimals.saturating_sub(self.decimals)))?)
    }
}

/// What a cell says where this field is.
fn value_of(cell: &str, field: Option<&Field>) -> Value {
    let Some(field) = field else { return Value::Text(cell.to_owned()) };
    if field.is_list() {
        return list(cell, field.is_number());
    }
    let is_true = match cell.to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    };
    match is_true.filter(|_| field.is_boolean()) {
        Some(is_true) => Value::Bool(is_true),
        None => plain(cell, field.is_number()),
    }
}

/// A list, with commas or semicolons between its items.
fn list(cell: &str, of_numbers: bool) -> Value {
    let items = cell.split([',', ';']).map(|item| node(plain(item.trim(), of_numbers)));
    Value::List(items.collect())
}

/// A number, if one is wanted and it is one, or a text.
fn plain(cell: &str, is_number: bool) -> Value {
    let number = cell.strip_suffix(".0").unwrap_or(cell).parse().ok().filter(|_| is_number);
    number.map_or_else(|| Value::Text(cell.to_owned()), Value::Integer)
}

fn node(value: Value) -> Node {
    Node { line: None, value }
}

fn entry(key: &str, value: Value) -> TreeEntry {
    TreeEntry { key: key.to_owned(), line: None, node: node(value) }
}
