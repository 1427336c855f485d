//! A report as people read it, however it is shown.

/// A report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// What it is about.
    pub title: String,
    /// How it came about, a line each.
    pub subtitles: Vec<String>,
    /// Its parts, in order.
    pub blocks: Vec<Block>,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Single figures: what, and how much.
    Facts(Vec<(&'static str, String)>),
    /// Rows and columns.
    Table(Table),
    /// What changed over time; only a page shows it.
    Curve(Curve),
    /// A remark.
    Note(Text),
}

impl Block {
    /// Whether it is a picture, which can stand beside another.
    #[must_use]
    pub fn is_plot(&self) -> bool {
        match self {
            Self::Curve(_) => true,
            Self::Table(table) => table.is_plot(),
            Self::Facts(_) | Self::Note(_) => false,
        }
    }
}

/// Rows and columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// What it is about; empty if that is what the one before is about.
    pub caption: String,
    /// What else is to be known of it; may be empty.
    pub note: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell for each column.
    pub rows: Vec<TableRow>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(caption: impl Into<String>, note: impl Into<String>, columns: &[Column]) -> Self {
        Self { caption: caption.into(), note: note.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Whether bars are what it shows.
    #[must_use]
    pub fn is_plot(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.cells).any(|cell| matches!(cell, Cell::Bar(_)))
    }

    /// The end of the longest bar; more than 0.
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
    /// Its title; may be empty.
    pub title: &'static str,
    /// Whether it holds text, which begins at the left; numbers end at the right.
    pub is_text: bool,
    /// How many characters of it a terminal shows.
    pub longest: usize,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(title: &'static str) -> Self {
        Self { title, is_text: true, longest: usize::MAX }
    }

    /// The same, of which a terminal shows no more than this many characters.
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
    /// A cell for each column.
    pub cells: Vec<Cell>,
    /// What is wrong with it, a paragraph each; below the row.
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
    /// Words or a number.
    Text(Text),
    /// A bar beside those of the other rows.
    Bar(Bar),
}

impl<T: Into<Text>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// A bar, as long as its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// How long it is.
    pub value: f64,
    /// From where to where half of what was measured lies.
    pub spread: Option<(f64, f64)>,
    /// Whether it is what the others are compared with.
    pub is_reference: bool,
}

/// Words of which some have a colour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub Vec<(Tone, String)>);

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    Plain,
    /// It is as it should be.
    Good,
    /// It is not.
    Bad,
}

impl Text {
    /// Words in one colour.
    #[must_use]
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self(vec![(tone, text.into())])
    }

    /// A sign whether something is as it should be, and what.
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

/// What changed over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// What it is about.
    pub caption: String,
    /// What else is to be known of it.
    pub note: String,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
    /// The first and the last place from left to right, for people.
    pub ends: (String, String),
    /// The largest value, for people.
    pub most: String,
}
