//! Questions in a spreadsheet, as CSV, TSV or xlsx: Kahoot's, Blooket's, Wayground's (Quizizz's) and Gimkit's templates, and whatever
//! has a header row that names the same columns. A column Kind makes it one of Klaxon's own, with questions of all kinds.

mod answers;
mod columns;
mod grid;
mod kind_columns;
mod names;
mod own;
mod times;
mod workbook;

#[cfg(test)]
mod tests;

use klaxon_protocol::games::quiz::{By, Kind, OneRight, SeveralRight};

use super::draft::{Draft, Drafted, MOST_READ, at_most, blank_question, choice_at, in_fixed_order};
use super::problem::{Findings, SourcePlace, excerpt};
use super::question::PackedQuestion;
use super::text;
use answers::{AnswerCell, Convention, right_ones};
use columns::{Answers, Columns, Header};
use grid::{Grid, MOST_ROWS, Row};
use times::read_time;
pub(super) use workbook::ZIP;

/// What separates cells in a text.
const SEPARATORS: &[u8] = b",;\t|";

/// Whether the text looks like such a sheet.
pub(super) fn looks_like_one(text: &str) -> bool {
    split(text).is_some()
}

/// The sheet under the separator with which most of a header is there.
fn split(text: &str) -> Option<(Grid, Header)> {
    let grids = SEPARATORS.iter().map(|&separator| grid::split(separator, text));
    let found = grids.filter_map(|grid| Header::find(&grid).map(|header| (grid, header)));
    found.min_by_key(|(_, header)| header.missing.len())
}

/// Reads a file; `wanted` is the name of the sheet to read, if its file has several.
pub(super) fn read(bytes: &[u8], title: &str, wanted: Option<&str>, findings: &mut Findings) -> Draft {
    let draft = Draft::unread(Some(title));
    let found = find(bytes, wanted, findings);
    let read = found.and_then(|(grid, header)| {
        let place = SourcePlace { line: Some(grid.rows[header.row].line), question: None };
        let (columns, notes) = Columns::of(&grid, &header).map_err(|problem| (place, problem))?;
        let notes_of_cells = grid.notes_of(header.row + 1, |column| columns.all().any(|read| read == column));
        grid.notes.iter().cloned().chain(notes_of_cells).chain(notes).for_each(|note| findings.note(note));
        if grid.left_out > 0 {
            findings.add(
                SourcePlace::default(),
                format!("the sheet has more than {MOST_ROWS} rows; a pack has at most 500 questions"),
            );
        }
        Ok(read_rows(&grid.rows[header.row + 1..], &columns, findings))
    });
    match read {
        Ok(questions) => Draft { questions, ..draft },
        Err((place, problem)) => {
            findings.add(place, problem);
            draft
        }
    }
}

/// The sheet with the questions and its header, or why there is none.
fn find(bytes: &[u8], wanted: Option<&str>, findings: &mut Findings) -> Result<(Grid, Header), (SourcePlace, String)> {
    let nowhere = |problem: String| (SourcePlace::default(), problem);
    if bytes.starts_with(workbook::OLD_EXCEL) {
        return Err(nowhere(
            "the file is an old Excel file (xls), or has a password; save it as xlsx without a password, or as CSV (UTF-8)".into(),
        ));
    }
    if bytes.starts_with(ZIP) {
        return choose(workbook::read(bytes).map_err(nowhere)?, wanted, findings).map_err(nowhere);
    }
    if wanted.is_some() {
        return Err(nowhere("only an xlsx file has sheets to choose from".into()));
    }
    let (text, note) = text::decode_sheet(bytes).map_err(nowhere)?;
    note.into_iter().for_each(|note| findings.note(note));
    split(&text).ok_or_else(|| nowhere(no_header(text.lines().take(20).any(|line| line.contains('\t')))))
}

fn no_header(has_tabs: bool) -> String {
    let cards = if has_tabs { "; cards with a term and a definition have no wrong answers to choose from" } else { "" };
    format!(
        "no header row; it names the columns Question, Answer 1, Answer 2, up to Answer 6, Time limit, \
         Correct answer, separated by commas, semicolons or tabs{cards}"
    )
}

/// The one sheet of a workbook that has a header, or the one that is wanted.
fn choose(grids: Vec<Grid>, wanted: Option<&str>, findings: &mut Findings) -> Result<(Grid, Header), String> {
    let names = |grids: &[&Grid]| {
        grids.iter().filter_map(|grid| grid.name.as_deref()).map(excerpt).collect::<Vec<_>>().join(", ")
    };
    let all: Vec<&Grid> = grids.iter().collect();
    if let Some(wanted) = wanted
        && !grids.iter().any(|grid| grid.name.as_deref() == Some(wanted))
    {
        return Err(format!("there is no sheet {}; the sheets are {}", excerpt(wanted), names(&all)));
    }
    let is_wanted = |grid: &&Grid| wanted.is_none() || grid.name.as_deref() == wanted;
    let headers: Vec<(&Grid, Header)> =
        grids.iter().filter(is_wanted).filter_map(|grid| Header::find(grid).map(|header| (grid, header))).collect();
    let fewest = headers.iter().map(|(_, header)| header.missing.len()).min();
    let mut best: Vec<(&Grid, Header)> =
        headers.into_iter().filter(|(_, header)| Some(header.missing.len()) == fewest).collect();
    if best.len() > 1 {
        // An example without questions is no second choice.
        let is_filled = |(grid, header): &(&Grid, Header)| grid.rows.len() > header.row + 1;
        if best.iter().any(is_filled) {
            best.retain(is_filled);
        }
    }
    let chosen = match best.len() {
        0 => return Err(no_header(false).replace(", separated by commas, semicolons or tabs", "")),
        1 => best.pop(),
        _ => {
            let names = names(&best.iter().map(|(grid, _)| *grid).collect::<Vec<_>>());
            return Err(format!("several sheets have questions: {names}; `--sheet NAME` chooses one"));
        }
    };
    let Some((grid, header)) = chosen else { return Err(no_header(false)) };
    let others: Vec<&Grid> =
        all.into_iter().filter(|other| other.name != grid.name && !other.rows.is_empty()).collect();
    if !others.is_empty() {
        findings.note(format!("the sheet {} is read; not read: {}", names(&[grid]), names(&others)));
    }
    let at = grids.iter().position(|other| other.name == grid.name).expect("the chosen sheet is one of them");
    Ok((grids.into_iter().nth(at).expect("it was found there"), header))
}

fn read_rows(rows: &[Row], columns: &Columns, findings: &mut Findings) -> Vec<Drafted> {
    // A row without content may still have its number and time limit.
    let is_written = |row: &&Row| {
        columns.asked().any(|column| !row.cell(column).is_empty())
            || columns.of_kinds.as_ref().is_some_and(|of_kinds| of_kinds.are_in(row))
    };
    let has_fault = |row: &Row| row.faults.iter().any(|&(column, _)| columns.all().any(|read| read == column));
    let rows: Vec<&Row> =
        rows.iter().filter(|row| (is_written(row) || has_fault(row)) && !columns.are_explained_by(row)).collect();
    let convention = if columns.by_number {
        Convention::Number
    } else {
        Convention::of(rows.iter().map(|row| (columns.correct_of(row), columns.answers_of(row))))
    };
    let mut questions = Vec::with_capacity(rows.len().min(1_000));
    for row in at_most(MOST_READ, rows, SourcePlace::default(), findings) {
        let place = SourcePlace { line: Some(row.line), question: Some(questions.len() + 1) };
        let faults = faults_of(row, columns);
        questions.push(if !faults.is_empty() {
            faults.into_iter().for_each(|fault| findings.add(place, fault));
            Drafted::new(blank_question(), place)
        } else if let Some(of_kinds) = &columns.of_kinds {
            own::read_row(row, columns, of_kinds, convention, place, findings)
        } else {
            Drafted::new(read_row(row, columns, convention, &mut |problem| findings.add(place, problem)), place)
        });
    }
    questions
}

/// What keeps a row from being read at all.
fn faults_of(row: &Row, columns: &Columns) -> Vec<String> {
    let faults = row.faults.iter().filter(|(column, _)| columns.all().any(|read| read == *column));
    let mut faults: Vec<String> = faults.map(|(_, fault)| fault.clone()).collect();
    if faults.is_empty() && row.width.is_some() && row.cells.len() > columns.width {
        faults.push(format!(
            "the row has {} cells and the header {}: a text with the separator in it stands in quotes",
            row.cells.len(),
            columns.width
        ));
    }
    faults
}

fn read_row(row: &Row, columns: &Columns, convention: Convention, tell: &mut dyn FnMut(String)) -> PackedQuestion {
    let mut packed = PackedQuestion::from(blank_question());
    let question = &mut packed.question;
    row.cell(columns.text).clone_into(&mut question.text);
    let correct = columns.correct_of(row);
    let kind = match &columns.answers {
        Answers::Numbered(_) => numbered(&columns.answers_of(row), correct, convention, tell),
        Answers::Wrong(wrong) => {
            let wrong = wrong.iter().map(|&column| row.cell(column).to_owned()).filter(|answer| !answer.is_empty());
            apart(correct, wrong.collect(), tell)
        }
    };
    if let Some(kind) = kind {
        question.kind = kind;
    }
    if let Some((column, unit)) = columns.time {
        match read_time(row.cell(column), unit) {
            Ok(open_for) => question.open_for = open_for,
            Err(problem) => tell(problem),
        }
    }
    packed
}

/// The choices among which a cell names the right ones.
fn numbered(
    answers: &[AnswerCell<'_>],
    correct: &str,
    convention: Convention,
    tell: &mut dyn FnMut(String),
) -> Option<Kind> {
    let right = right_ones(correct, answers, convention).unwrap_or_else(|problem| {
        tell(problem);
        vec![0]
    });
    if answers.is_empty() {
        tell("the row has no answers to choose from".to_owned());
        return None;
    }
    let choices = answers.iter().map(|&(_, answer)| answer.to_owned()).collect();
    let mut right: Vec<u8> = right.into_iter().map(|index| choice_at(index).0).collect();
    Some(match right[..] {
        [right] => Kind::Choice(OneRight { choices, right }),
        _ => {
            right.sort_unstable();
            Kind::Choices(SeveralRight { choices, right, by: By::All, weights: None })
        }
    })
}

/// The choices if the right answer is separate from the wrong ones, in an order that does not disclose which it is.
fn apart(correct: &str, wrong: Vec<String>, tell: &mut dyn FnMut(String)) -> Option<Kind> {
    if correct.is_empty() {
        tell("the correct answer is missing".to_owned());
        return None;
    }
    let (choices, right) = in_fixed_order(correct.to_owned(), wrong);
    Some(Kind::Choice(OneRight { choices, right: right.0 }))
}
