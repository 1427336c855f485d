//! A report on a terminal. Titles, names and frames are untrusted, so control characters in them are escaped.

use klaxon_protocol::text::harmless;

use super::document::{Block, Cell, Column, Document, Table, TableRow, Text, Tone};

/// The width of the longest bar, in characters.
const BAR: f64 = 40.0;
/// Characters that fill a cell in eighths, from none to all.
const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// The maximum number of displayed problems per row.
const PROBLEMS: usize = 3;

/// The report as text, with colours if `colour`.
#[must_use]
pub fn text(document: &Document, colour: bool) -> String {
    let ink = Ink { colour };
    let mut lines = vec![String::new(), ink.title(&harmless(&document.title))];
    lines.extend(document.subtitles.iter().map(harmless));
    for block in &document.blocks {
        match block {
            Block::Facts(facts) => {
                lines.extend(facts.iter().map(|(name, value)| format!("  {name:<18} {}", harmless(value))));
            }
            Block::Table(table) => ink.table(table, &mut lines),
            Block::Note(text) => lines.extend([String::new(), ink.text(text)]),
            Block::Curve(_) => {}
        }
    }
    lines.join("\n") + "\n"
}

#[derive(Clone, Copy)]
struct Ink {
    colour: bool,
}

impl Ink {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn title(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn text(self, text: &Text) -> String {
        let parts = text.0.iter().map(|(tone, part)| match tone {
            Tone::Plain => harmless(part),
            Tone::Good => self.paint("32", &harmless(part)),
            Tone::Bad => self.paint("31", &harmless(part)),
        });
        parts.collect()
    }

    fn table(self, table: &Table, lines: &mut Vec<String>) {
        let note = if table.note.is_empty() { String::new() } else { format!(": {}", harmless(&table.note)) };
        lines.push(String::new());
        if !table.caption.is_empty() {
            lines.push(format!("{}{note}", self.title(&harmless(&table.caption))));
        }
        let longest_bar = table.longest_bar();
        let rows: Vec<Vec<(usize, String)>> =
            table.rows.iter().map(|row| self.cells(&table.columns, row, longest_bar)).collect();
        let titles = table.columns.iter().map(|column| column.title.chars().count());
        let mut widths: Vec<usize> = titles.collect();
        for row in &rows {
            for (width, (cell, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(*cell);
            }
        }
        let line = |cells: &[(usize, String)]| {
            let padded = cells.iter().zip(&table.columns).zip(&widths).map(|(((width, text), column), &wide)| {
                let space = " ".repeat(wide - width);
                if column.is_text { format!("{text}{space}") } else { format!("{space}{text}") }
            });
            format!("  {}", padded.collect::<Vec<_>>().join("  ").trim_end())
        };
        if table.columns.iter().any(|column| !column.title.is_empty()) {
            let titles: Vec<_> = table.columns.iter().map(|column| plain(column.title)).collect();
            lines.push(line(&titles));
        }
        for (row, cells) in table.rows.iter().zip(&rows) {
            lines.push(line(cells));
            for problem in row.problems.iter().take(PROBLEMS) {
                let signs = std::iter::once("→").chain(std::iter::repeat(" "));
                lines.extend(problem.lines().zip(signs).map(|(part, sign)| format!("      {sign} {}", harmless(part))));
            }
        }
    }

    /// The displayed text of each cell, and its width.
    fn cells(self, columns: &[Column], row: &TableRow, longest_bar: f64) -> Vec<(usize, String)> {
        let cells = row.cells.iter().zip(columns).map(|(cell, column)| match cell {
            Cell::Bar(bar) => plain(&block_bar(bar.value / longest_bar)),
            Cell::Text(text) => {
                let whole: String = text.0.iter().map(|(_, part)| harmless(part)).collect();
                match whole.chars().count() {
                    wide if wide > column.longest => plain(&shortened(&whole, column.longest)),
                    wide => (wide, self.text(text)),
                }
            }
        });
        cells.collect()
    }
}

fn plain(text: &str) -> (usize, String) {
    (text.chars().count(), text.to_owned())
}

/// A bar of block characters for a fraction of the longest bar; every fraction above 0 is visible.
fn block_bar(part: f64) -> String {
    let exact = (part * BAR * 8.0).round() as usize;
    let eighths = if part > 0.0 { exact.max(1) } else { 0 };
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

/// The text cut to `width` characters, with an ellipsis at the end.
fn shortened(text: &str, width: usize) -> String {
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::super::document::Bar;
    use super::*;

    #[test]
    fn bars_grow_with_their_value_and_are_never_lost() {
        assert_eq!(block_bar(0.0), "");
        assert_eq!(block_bar(1e-6), "▏");
        assert_eq!(block_bar(1.0).chars().count(), 40);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_colours_take_no_room() {
        let mut table =
            Table::new("scores", "of all", &[Column::text("who"), Column::number("points"), Column::text("")]);
        let bar = |value| Cell::Bar(Bar { value, spread: None, is_reference: false });
        table.rows = vec![
            TableRow::from([Text::judged(true, "Ann").into(), "7".into(), bar(1.0)]),
            TableRow {
                problems: vec!["late\nagain".into()],
                ..TableRow::from([Text::judged(false, "B").into(), "1,000".into(), bar(0.0)])
            },
        ];
        let document = Document { title: "t".into(), blocks: vec![Block::Table(table)], ..Document::default() };
        let bar = "█".repeat(40);
        let shown = format!(
            "\nt\n\nscores: of all\n  who    points\n  ✓ Ann       7  {bar}\n  ✗ B     1,000\n      → late\n        again\n"
        );
        assert_eq!(text(&document, false), shown);
        let mut coloured = text(&document, true);
        for code in ["\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[0m"] {
            assert!(coloured.contains(code), "{coloured:?}");
            coloured = coloured.replace(code, "");
        }
        assert_eq!(coloured, shown);
    }

    #[test]
    fn long_words_are_cut_at_characters_where_the_column_is_so() {
        assert_eq!(shortened("äöüäöü", 5), "äöüä…");
        let mut table = Table::new("t", "", &[Column::text("").cut_at(40), Column::text("")]);
        table.rows = vec![TableRow::from(["ä".repeat(50).into(), "ö".repeat(50).into()])];
        let document = Document { blocks: vec![Block::Table(table)], ..Document::default() };
        let text = text(&document, false);
        assert_eq!((text.matches('ä').count(), text.matches('ö').count()), (39, 50));
    }

    #[test]
    fn nothing_of_others_acts_on_the_terminal() {
        let document = Document {
            title: "\x1b[2J".into(),
            blocks: vec![Block::Facts(vec![("who", "\x07".into())])],
            ..Document::default()
        };
        let text = text(&document, false);
        assert!(!text.contains(['\x1b', '\x07']), "{text:?}");
    }
}
