//! An Excel workbook (xlsx), read cell by cell: what it may hold is bounded before and while it is read.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use calamine::{DataRef, Dimensions, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use zip::ZipArchive;

use super::grid::{Grid, MOST_COLUMNS, Merged, Row, letters, trimmed};

/// The most bytes that the parts of a workbook may have, unpacked: 4 MiB of a file can be packed from gigabytes.
pub(super) const MOST_UNPACKED: u64 = 32 * 1024 * 1024;
/// The most parts.
pub(super) const MOST_PARTS: usize = 1_000;
/// The most cells in which something is written, in all sheets.
pub(super) const MOST_CELLS: usize = 200_000;
/// The most places that rows may have up to their last cell in which something is written, in all sheets: a cell far to the right makes a row long.
pub(super) const MOST_PLACES: usize = 2_000_000;
/// The most bytes of text in cells, in all sheets: a text that is kept once can stand in any number of them.
pub(super) const MOST_TEXT: usize = 16 * 1024 * 1024;

/// What every xlsx file begins with, as every other zip file does.
pub(in crate::pack) const ZIP: &[u8] = b"PK\x03\x04";
/// What an Excel file of before 2007 begins with, and one that a password protects.
pub(super) const OLD_EXCEL: &[u8] = b"\xd0\xcf\x11\xe0";

/// The sheets that can be seen; the error says what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Grid>, String> {
    check_size(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let mut bounds = Bounds::default();
    let mut grids = Vec::new();
    for sheet in workbook.sheets_metadata().to_vec() {
        if sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible {
            grids.push(read_sheet(&mut workbook, sheet.name, &mut bounds)?);
        }
    }
    Ok(grids)
}

fn broken(error: impl std::fmt::Display) -> String {
    format!("this is no Excel workbook that can be read ({error}); save it as xlsx again, or as CSV (UTF-8)")
}

/// Unpacks everything once and discards it, to measure the size: the sizes declared in a zip file may be false.
fn check_size(bytes: &[u8]) -> Result<(), String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > MOST_PARTS {
        return Err(format!("the workbook has {} parts; at most {MOST_PARTS} are read", archive.len()));
    }
    let mut left = MOST_UNPACKED;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(broken)?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(broken)?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            format!(
                "unpacked, the workbook has more than {} MiB; copy the questions into a new one",
                MOST_UNPACKED >> 20
            )
        })?;
    }
    Ok(())
}

/// What was read so far, of all sheets.
#[derive(Default)]
struct Bounds {
    cells: usize,
    places: usize,
    text: usize,
}

impl Bounds {
    /// Takes a cell that makes its row longer by so many places.
    fn take(&mut self, text: &str, longer: usize) -> Result<(), String> {
        self.cells += 1;
        self.places += longer;
        self.text += text.len();
        if self.cells > MOST_CELLS || self.places > MOST_PLACES || self.text > MOST_TEXT {
            return Err(format!(
                "the workbook has more than {MOST_CELLS} cells, {MOST_PLACES} with the empty ones before them, or {} MiB of text; copy the questions into a new one",
                MOST_TEXT >> 20
            ));
        }
        Ok(())
    }
}

fn read_sheet(workbook: &mut Xlsx<Cursor<&[u8]>>, name: String, bounds: &mut Bounds) -> Result<Grid, String> {
    let mut rows: BTreeMap<u32, Row> = BTreeMap::new();
    let mut notes = Vec::new();
    let mut dates = Vec::new();
    let mut fractions = Vec::new();
    let mut cells = match workbook.worksheet_cells_reader(&name) {
        Ok(cells) => cells,
        Err(XlsxError::NotAWorksheet(_)) => return Ok(Grid { name: Some(name), ..Grid::default() }),
        Err(error) => return Err(broken(error)),
    };
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(broken)? {
        let (line, column) = (cell.pos.0, usize::try_from(cell.pos.1).unwrap_or(usize::MAX));
        if column >= MOST_COLUMNS {
            continue;
        }
        let place = || format!("{}{}", letters(column), u64::from(line) + 1);
        let mut fault = None;
        let text = match cell.value {
            DataRef::Empty if cell.formula.is_some() => {
                fault = Some(format!("cell {} has a formula without its result; open and save the file once", place()));
                String::new()
            }
            DataRef::Empty => continue,
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text,
            DataRef::SharedString(text) => text.to_owned(),
            DataRef::Int(number) => number.to_string(),
            DataRef::Float(number) => {
                if number.fract() != 0.0 {
                    fractions.push(place());
                }
                number_text(number)
            }
            DataRef::Bool(is_true) => if is_true { "True" } else { "False" }.to_owned(),
            DataRef::DateTime(date) => {
                dates.push(place());
                date_text(date)
            }
            DataRef::Error(error) => {
                fault = Some(format!("cell {} holds the error {error}", place()));
                String::new()
            }
        };
        if trimmed(&text).is_empty() && fault.is_none() {
            continue;
        }
        let row = rows.entry(line).or_insert_with(|| Row {
            line: usize::try_from(line).unwrap_or(usize::MAX).saturating_add(1),
            ..Row::default()
        });
        bounds.take(&text, (column + 1).saturating_sub(row.cells.len()))?;
        if row.cells.len() <= column {
            row.cells.resize(column + 1, String::new());
        }
        row.cells[column] = text;
        row.faults.extend(fault.map(|fault| (column, fault)));
    }
    if !dates.is_empty() {
        notes.push(format!("dates are read as 2026-12-31, however the sheet shows them: {}", some_of(&dates)));
    }
    if !fractions.is_empty() {
        notes.push(format!("numbers are read without their format, 50 % as 0.5: {}", some_of(&fractions)));
    }
    drop(cells);
    // What can't be read there was of no consequence so far.
    let merged = workbook.merge_cells_by_sheet_name(&name).unwrap_or_default();
    let merged = merged.iter().map(merged_cells).collect();
    Ok(Grid { name: Some(name), rows: rows.into_values().collect(), notes, merged, left_out: 0 })
}

fn merged_cells(range: &Dimensions) -> Merged {
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let line = |row: u32| number(row).saturating_add(1);
    Merged { lines: (line(range.start.0), line(range.end.0)), columns: (number(range.start.1), number(range.end.1)) }
}

fn some_of(places: &[String]) -> String {
    let shown = places.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    if places.len() > 5 { format!("{shown} and {} more", places.len() - 5) } else { shown }
}

/// 2 is kept as 2.0, and 0.1 + 0.2 as more digits than are shown: a spreadsheet shows 15.
fn number_text(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    format!("{rounded}")
}

fn date_text(date: ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let time =
        if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") };
    let days = date.as_f64();
    if date.is_duration() || days < 1.0 {
        return time;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if days.fract() == 0.0 { date } else { format!("{date} {time}") }
}
