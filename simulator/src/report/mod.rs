//! Display of results for people: a report is a [`Document`], printed on a terminal or written as a page. For programs
//! the results are written as JSON.

mod document;
mod html;
mod terminal;
pub mod words;

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

pub use document::{Bar, Block, Cell, Column, Curve, Document, Table, TableRow, Text, Tone};
pub use html::page;
pub use terminal::text;

/// Prints a report. Writes its results to the file `json` and its page to the file `html`, if given.
///
/// # Errors
/// If a file can't be written.
pub fn publish(
    document: &Document,
    figures: &impl Serialize,
    json: Option<&Path>,
    html: Option<&Path>,
) -> anyhow::Result<()> {
    print!("{}", text(document, std::io::stdout().is_terminal()));
    if let Some(path) = json {
        let json = serde_json::to_vec_pretty(figures)?;
        std::fs::write(path, json).with_context(|| format!("--json {}", path.display()))?;
    }
    if let Some(path) = html {
        std::fs::write(path, page(document)).with_context(|| format!("--html {}", path.display()))?;
    }
    Ok(())
}
