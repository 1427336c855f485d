//! Rows and cells, independent of the file format.

use super::super::text::Lines;

/// Columns that are read at most; no question has that many answers.
pub(super) const MOST_COLUMNS: usize = 256;

/// One sheet.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// What it is called, if its file can hold several.
    pub name: Option<String>,
    /// The rows in which something is written.
    pub rows: Vec<Row>,
    /// Notes for the user who imports it.
    pub notes: Vec<String>,
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
        if written > 0 {
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
