//! Rows and cells, independent of the file format.

use super::super::text::Lines;

/// Columns that are read at most; no question has that many answers.
pub(super) const MOST_COLUMNS: usize = 256;
/// Rows of a text that are read at most.
pub(super) const MOST_ROWS: usize = 20_000;

/// One sheet.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// What it is called, if its file can hold several.
    pub name: Option<String>,
    /// The rows in which something is written.
    pub rows: Vec<Row>,
    /// Notes for the user who imports it.
    pub notes: Vec<String>,
    /// Cells that are merged with others.
    pub merged: Vec<Merged>,
    /// How many more rows there are, in which something is written.
    pub left_out: usize,
}

/// A range of cells that are one; the text is in the first of them.
#[derive(Debug)]
pub(super) struct Merged {
    /// The line of the first row, and of the last.
    pub lines: (usize, usize),
    /// The first column, and the last.
    pub columns: (usize, usize),
}

impl Grid {
    /// Notes about merged cells, in the rows from this one on and in columns that are read.
    pub fn notes_of(&self, first: usize, is_read: impl Fn(usize) -> bool) -> Option<String> {
        let (from, to) = (self.rows.get(first)?.line, self.rows.last()?.line);
        let is_in_use = |merged: &&Merged| {
            let columns = merged.columns.0..=merged.columns.1.min(MOST_COLUMNS);
            merged.lines.1 >= from && merged.lines.0 <= to && columns.into_iter().any(&is_read)
        };
        let mut merged = self.merged.iter().filter(is_in_use);
        let shown: Vec<String> = merged.by_ref().take(5).map(ToString::to_string).collect();
        let more = if merged.next().is_some() { " and more" } else { "" };
        let text = format!(
            "cells are merged, and what they hold counts for the first of them only: {}{more}",
            shown.join(", ")
        );
        (!shown.is_empty()).then_some(text)
    }
}

impl std::fmt::Display for Merged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { lines, columns } = self;
        write!(f, "{}{}:{}{}", letters(columns.0), lines.0, letters(columns.1), lines.1)
    }
}

/// A row.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// The line of the file where it starts, or the number that a spreadsheet gives it.
    pub line: usize,
    /// Up to the last one in which something is written.
    pub cells: Vec<String>,
    /// The number of cells that the file has for it, including empty ones at its end; none if the format does not tell.
    pub width: Option<usize>,
    /// What is wrong with cells themselves, by column.
    pub faults: Vec<(usize, String)>,
}

impl Row {
    /// What is written in a cell.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| trimmed(cell))
    }
}

/// The text without the blanks around it, and without invisible characters at its ends.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}'))
}

/// What a spreadsheet calls a column: A, B, ... Z, AA.
pub(super) fn letters(column: usize) -> String {
    let mut left = column + 1;
    let mut letters = Vec::new();
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + u8::try_from(left % 26).expect("it is below 26")));
        left /= 26;
    }
    letters.iter().rev().collect()
}

/// The text as this separator splits it.
pub(super) fn split(separator: u8, text: &str) -> Grid {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(text.as_bytes());
    let lines = Lines::of(text);
    let mut grid = Grid::default();
    // The text is UTF-8 and rows may differ in length, so nothing is left that could be an error.
    for record in reader.records().map_while(Result::ok) {
        let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        // The position is that of the empty lines before the row, if there are any.
        let empty = text.get(start..).map_or(0, |rest| rest.len() - rest.trim_start_matches('\n').len());
        let written =
            (1..).zip(record.iter()).filter(|(_, cell)| !trimmed(cell).is_empty()).last().map_or(0, |(count, _)| count);
        if grid.rows.len() == MOST_ROWS {
            grid.left_out += usize::from(written > 0);
        } else if written > 0 {
            grid.rows.push(Row {
                line: lines.line(start + empty),
                cells: record.iter().take(written.min(MOST_COLUMNS)).map(str::to_owned).collect(),
                width: Some(record.len()),
                faults: Vec::new(),
            });
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_called_as_in_a_spreadsheet() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(letters), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
