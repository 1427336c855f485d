//! The columns of a sheet: identified by their names and, if these are ambiguous, by their content.

use std::collections::BTreeSet;

use super::super::problem::excerpt;
use super::answers::AnswerCell;
use super::grid::{Grid, Row, letters, trimmed};
use super::kind_columns::{KindColumns, kind_column};
use super::names::{Role, Unit, asks_for_number, role};

/// Rows that are searched for the header, which may follow a title and instructions.
pub(super) const HEADER_WITHIN: usize = 200;

/// Where the wrong answers are.
#[derive(Debug)]
pub(super) enum Answers {
    /// In a column for each number, the right one among them.
    Numbered(Vec<(usize, usize)>),
    /// In columns of their own; the right answer is in the column with the right answers.
    Wrong(Vec<usize>),
}

/// The columns that are read.
#[derive(Debug)]
pub(super) struct Columns {
    pub text: usize,
    pub answers: Answers,
    /// None in a sheet with kinds, if no question of it has a right answer.
    pub correct: Option<usize>,
    /// The name of that column asks for the answer's number.
    pub by_number: bool,
    /// None if the sheet has no time limits: then the show's setting applies.
    pub time: Option<(usize, Unit)>,
    /// How many columns the header has.
    pub width: usize,
    /// Further columns, if each row names the kind of its question.
    pub of_kinds: Option<KindColumns>,
}

/// Where the header is, or would be if no column were missing.
#[derive(Debug)]
pub(super) struct Header {
    /// The row's index.
    pub row: usize,
    /// The needed columns that it does not name.
    pub missing: Vec<&'static str>,
    /// The column with the kinds of questions, if there is one.
    pub kind: Option<usize>,
}

impl Header {
    /// The row that names most of the needed columns, the first of those that name equally many; at least two.
    pub fn find(grid: &Grid) -> Option<Self> {
        let rows = grid.rows.iter().take(HEADER_WITHIN).enumerate();
        let headers = rows.map(|(row, cells)| {
            let kind = kind_column(cells, &grid.rows[row + 1..]);
            Self { row, missing: missing(cells, kind.is_some()), kind }
        });
        headers.filter(|header| header.missing.len() <= 2).min_by_key(|header| header.missing.len())
    }
}

/// The needed columns that a row does not name. Instructions speak of questions and answers too, but never in cells of their own.
fn missing(row: &Row, has_kinds: bool) -> Vec<&'static str> {
    let roles: Vec<Role> = row.cells.iter().map(|cell| role(trimmed(cell))).collect();
    let has = |wanted: Role| roles.contains(&wanted);
    let wrong = roles.iter().filter(|role| **role == Role::Wrong).count();
    let text = ("Question", has(Role::Text) || has(Role::PerhapsText));
    let correct = ("Correct answer", has(Role::Correct) || has(Role::OneAnswer));
    // A letter alone is as often an answer itself.
    let is_name = |cell: &str| text.1 || correct.1 || trimmed(cell).chars().count() > 2;
    let has_answer =
        |number| row.cells.iter().zip(&roles).any(|(cell, role)| *role == Role::Answer(number) && is_name(cell));
    let (one, two) = (("Answer 1", has_answer(1)), ("Answer 2", has_answer(2)));
    let is_numbered = one.1 || two.1 || wrong == 0;
    let needed = if has_kinds {
        // What else is needed depends on the kind.
        vec![text]
    } else if is_numbered {
        vec![text, one, two, correct]
    } else {
        // The right answer stands in a column of its own, beside those with the wrong ones.
        vec![text, correct]
    };
    needed.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name).collect()
}

/// The columns of a header with the rows below it.
struct Sheet<'g> {
    header: &'g Row,
    rows: &'g [Row],
    roles: Vec<Role>,
}

impl Columns {
    /// The columns that the header names, and what to know about those that are not read; or why they can't be told apart.
    pub fn of(grid: &Grid, header: &Header) -> Result<(Self, Vec<String>), String> {
        if !header.missing.is_empty() {
            return Err(format!("the header row has no column {}", header.missing.join(", ")));
        }
        let cells = &grid.rows[header.row];
        let roles = cells.cells.iter().map(|cell| role(trimmed(cell))).collect();
        let mut sheet = Sheet { header: cells, rows: &grid.rows[header.row + 1..], roles };
        let of_kinds = match header.kind {
            Some(kind) => {
                let of_kinds = KindColumns::of(kind, cells);
                for column in of_kinds.all() {
                    sheet.roles[column] = Role::Other;
                }
                Some(of_kinds)
            }
            None => None,
        };
        let answers = match sheet.answers()? {
            Answers::Wrong(wrong) if of_kinds.is_some() => {
                if let Some(&first) = wrong.first() {
                    return Err(format!(
                        "{} is not read beside a column Kind; call it Answer 2, and so on",
                        sheet.named(first)
                    ));
                }
                Answers::Numbered(Vec::new())
            }
            answers => answers,
        };
        if let Some(twice) = of_kinds.as_ref().and_then(KindColumns::twice) {
            return Err(sheet.ambiguous("the same", &twice));
        }
        let correct = match sheet.one_of(|role| role == Role::Correct)? {
            Some(correct) => Some(correct),
            None => sheet.one_of(|role| role == Role::OneAnswer)?,
        };
        if correct.is_none() && of_kinds.is_none() {
            return Err("the header row has no column Correct answer".to_owned());
        }
        let time = sheet.one_of(|role| matches!(role, Role::Time(_)))?;
        let columns = Self {
            text: sheet.text()?,
            answers,
            correct,
            by_number: correct.is_some_and(|column| asks_for_number(cells.cell(column))),
            time: time.and_then(|column| match sheet.roles[column] {
                Role::Time(unit) => Some((column, unit)),
                _ => None,
            }),
            width: cells.width.unwrap_or(0),
            of_kinds,
        };
        let notes = sheet.dropped(&columns);
        Ok((columns, notes))
    }

    /// All columns that are read.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        let of_kinds = self.of_kinds.iter().flat_map(KindColumns::all);
        self.asked().chain(self.time.map(|(column, _)| column)).chain(of_kinds)
    }

    /// Those in which something is written of every question.
    pub fn asked(&self) -> impl Iterator<Item = usize> + '_ {
        let answers: Vec<usize> = match &self.answers {
            Answers::Numbered(answers) => answers.iter().map(|&(_, column)| column).collect(),
            Answers::Wrong(wrong) => wrong.clone(),
        };
        [self.text].into_iter().chain(self.correct).chain(answers)
    }

    /// What a row has in the column with the right answer.
    pub fn correct_of<'r>(&self, row: &'r Row) -> &'r str {
        self.correct.map_or("", |column| row.cell(column))
    }

    /// The numbered answers of a row that are not empty.
    pub fn answers_of<'r>(&self, row: &'r Row) -> Vec<AnswerCell<'r>> {
        let Answers::Numbered(answers) = &self.answers else { return Vec::new() };
        answers
            .iter()
            .map(|&(number, column)| (number, row.cell(column)))
            .filter(|(_, answer)| !answer.is_empty())
            .collect()
    }

    /// Whether a row only explains the columns, as templates do below their header.
    pub fn are_explained_by(&self, row: &Row) -> bool {
        let says = |column: usize| role(row.cell(column));
        let is_text = matches!(says(self.text), Role::Text | Role::PerhapsText);
        is_text
            && match &self.answers {
                Answers::Numbered(answers) => {
                    answers.iter().filter(|&&(number, column)| says(column) == Role::Answer(number)).count() >= 2
                }
                Answers::Wrong(wrong) => {
                    self.correct.map(says) == Some(Role::Correct)
                        && wrong.iter().any(|&column| says(column) == Role::Wrong)
                }
            }
    }
}

impl Sheet<'_> {
    fn with(&self, is_it: impl Fn(Role) -> bool) -> Vec<usize> {
        (0..self.roles.len()).filter(|&column| is_it(self.roles[column])).collect()
    }

    /// What is written in a column.
    fn written(&self, column: usize) -> Vec<&str> {
        self.rows.iter().map(|row| row.cell(column)).filter(|cell| !cell.is_empty()).collect()
    }

    /// The column as a message names it.
    fn named(&self, column: usize) -> String {
        let name: Vec<&str> = self.header.cell(column).split_whitespace().collect();
        format!("{} ({})", excerpt(&name.join(" ")), letters(column))
    }

    fn names(&self, columns: &[usize]) -> String {
        columns.iter().map(|&column| self.named(column)).collect::<Vec<_>>().join(", ")
    }

    fn ambiguous(&self, what: &str, columns: &[usize]) -> String {
        let names = self.names(columns);
        format!("several columns can be {what}: {names}; keep one of them, or call the others something else")
    }

    /// The one column that is this; of several, the one in which something is written.
    fn one_of(&self, is_it: impl Fn(Role) -> bool) -> Result<Option<usize>, String> {
        let all = self.with(is_it);
        let used: Vec<usize> = all.iter().copied().filter(|&column| !self.written(column).is_empty()).collect();
        match used[..] {
            [] => Ok(all.first().copied()),
            [one] => Ok(Some(one)),
            _ => Err(self.ambiguous("the same", &used)),
        }
    }

    fn answers(&self) -> Result<Answers, String> {
        let numbers: BTreeSet<usize> = self
            .roles
            .iter()
            .filter_map(|role| match role {
                Role::Answer(number) => Some(*number),
                _ => None,
            })
            .collect();
        if numbers.contains(&0) {
            let names = self.names(&self.with(|role| role == Role::Answer(0)));
            return Err(format!(
                "{names} would be answer 0: number the answers from 1 on, and the correct ones as well"
            ));
        }
        let mut answers = Vec::new();
        for number in numbers {
            answers.extend(self.one_of(|role| role == Role::Answer(number))?.map(|column| (number, column)));
        }
        if answers.is_empty() {
            Ok(Answers::Wrong(self.with(|role| role == Role::Wrong)))
        } else {
            Ok(Answers::Numbered(answers))
        }
    }

    /// The column with the questions' texts. An exact name has precedence over a longer one; a column without texts is
    /// ignored, whatever its name.
    fn text(&self) -> Result<usize, String> {
        let sure = self.with(|role| role == Role::Text);
        let perhaps = self.with(|role| role == Role::PerhapsText);
        let is_alone = sure.len() + perhaps.len() == 1 && perhaps.is_empty();
        let holds_texts = |column: &usize| !self.is_numbering(*column) && (is_alone || !self.is_repeating(*column));
        for candidates in [&sure, &perhaps] {
            let left: Vec<usize> = candidates.iter().copied().filter(holds_texts).collect();
            match left[..] {
                [] => {}
                [one] => return Ok(one),
                [first, ..] if left.iter().all(|&column| self.written(column) == self.written(first)) => {
                    return Ok(first);
                }
                _ => return Err(self.ambiguous("what is asked", &left)),
            }
        }
        let all = [sure, perhaps].concat();
        let others = self.with(|role| role == Role::Other);
        let others: Vec<usize> = others.into_iter().filter(|&column| !self.written(column).is_empty()).collect();
        let names = self.names(&[all.clone(), others].concat());
        Err(format!(
            "no column can be told to be what is asked: {} holds no texts; call the right one of {names} Question",
            self.names(&all)
        ))
    }

    /// Whether a column holds numbers only, such as 7, "7." or "Q7", or links.
    fn is_numbering(&self, column: usize) -> bool {
        let is_number = |cell: &str| {
            let lower = cell.to_lowercase();
            let rest = ["question", "q", "no", "nr"].iter().find_map(|word| lower.strip_prefix(word)).unwrap_or(&lower);
            let rest = rest.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ')' | '(' | '#' | ':'));
            !rest.is_empty() && rest.chars().all(|c| c.is_numeric() || matches!(c, '.' | ','))
                || lower.starts_with("http")
        };
        let written = self.written(column);
        !written.is_empty() && written.into_iter().all(is_number)
    }

    /// Whether a column repeats the same few values, such as "quiz".
    fn is_repeating(&self, column: usize) -> bool {
        let written = self.written(column);
        let different: BTreeSet<&str> = written.iter().copied().collect();
        written.len() >= 2 && different.len() <= written.len().div_ceil(3)
    }

    /// A note for each column with content that is not read, except for a nameless one that counts the rows.
    fn dropped(&self, columns: &Columns) -> Vec<String> {
        let read: BTreeSet<usize> = columns.all().collect();
        let most = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(self.roles.len());
        let is_dropped = |&column: &usize| {
            let has_name = !self.header.cell(column).is_empty();
            !read.contains(&column) && !self.written(column).is_empty() && (has_name || !self.is_numbering(column))
        };
        (0..most).filter(is_dropped).map(|column| format!("column {} is not imported", self.named(column))).collect()
    }
}
