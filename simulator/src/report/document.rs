//! A report's content, independent of how it is displayed.

/// A report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The title.
    pub title: String,
    /// How the report was made, one line each.
    pub subtitles: Vec<String>,
    /// The parts, in order.
    pub blocks: Vec<Block>,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Names and values.
    Facts(Vec<(&'static str, String)>),
    /// A table.
    Table(Table),
    /// A development over time; displayed on a page only.
    Curve(Curve),
    /// A remark.
    Note(Text),
}

impl Block {
    /// Whether it is a graphic, which can be displayed beside another.
    #[must_use]
    pub fn is_plot(&self) -> bool {
        match self {
            Self::Curve(_) => true,
            Self::Table(table) => table.is_plot(),
            Self::Facts(_) | Self::Note(_) => false,
        }
    }
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The caption; empty if it continues the table before.
    pub caption: String,
    /// An explanation; may be empty.
    pub note: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, with one cell per column.
    pub rows: Vec<TableRow>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(caption: impl Into<String>, note: impl Into<String>, columns: &[Column]) -> Self {
        Self { caption: caption.into(), note: note.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Whether the table contains bars.
    #[must_use]
    pub fn is_plot(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.cells).any(|cell| matches!(cell, Cell::Bar(_)))
    }

    /// The end of the longest bar; always above 0.
    #[must_use]
    pub fn longest_bar(&self) -> f64 {
        let ends = self.rows.iter().flat_map(|row| &row.cells).map(|cell| match cell {
            Cell::Bar(Bar { value, spread, .. }) => spread.map_or(*value, |(_, high)| high.max(*value)),
            Cell::Text(_) => 0.0,
        });
        ends.fold(f64::MIN_POSITIVE, f64::max)
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The heading; may be empty.
    pub title: &'static str,
    /// Whether the column is text, aligned left; numbers are aligned right.
    pub is_text: bool,
    /// The maximum number of characters that a terminal displays.
    pub longest: usize,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(title: &'static str) -> Self {
        Self { title, is_text: true, longest: usize::MAX }
    }

    /// The column, limited to this many characters on a terminal.
    #[must_use]
    pub const fn cut_at(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn number(title: &'static str) -> Self {
        Self { title, is_text: false, longest: usize::MAX }
    }
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableRow {
    /// One cell per column.
    pub cells: Vec<Cell>,
    /// Problems, one paragraph each; displayed below the row.
    pub problems: Vec<String>,
}

impl<const N: usize> From<[Cell; N]> for TableRow {
    fn from(cells: [Cell; N]) -> Self {
        Self { cells: cells.into(), problems: Vec::new() }
    }
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text or a number.
    Text(Text),
    /// A bar, comparable with those of the other rows.
    Bar(Bar),
}

impl<T: Into<Text>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// A bar with a length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// The length.
    pub value: f64,
    /// The quartiles of the measured values.
    pub spread: Option<(f64, f64)>,
    /// Whether the others are compared with this one.
    pub is_reference: bool,
}

/// A text, parts of which are coloured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub Vec<(Tone, String)>);

/// The meaning of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// No meaning.
    Plain,
    /// Something is right.
    Good,
    /// Something is wrong.
    Bad,
}

impl Text {
    /// A text in one colour.
    #[must_use]
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self(vec![(tone, text.into())])
    }

    /// A text with a sign that tells whether something is right.
    #[must_use]
    pub fn judged(is_good: bool, text: impl Into<String>) -> Self {
        let (tone, sign) = if is_good { (Tone::Good, "✓") } else { (Tone::Bad, "✗") };
        Self(vec![(tone, sign.to_owned()), (Tone::Plain, format!(" {}", text.into()))])
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(Tone::Plain, text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A development over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// The caption.
    pub caption: String,
    /// An explanation; may be empty.
    pub note: String,
    /// The points, in ascending order of time.
    pub points: Vec<(f64, f64)>,
    /// The labels of the first and the last point.
    pub ends: (String, String),
    /// The label of the largest value.
    pub most: String,
}
