//! The columns of sheets of Klaxon's own, in which a column names the kind of each question. Further columns have the names of fields in the
//! native format.

use std::collections::BTreeSet;

use super::super::kind_fields::{KindFields, kind_named, kinds};
use super::super::kinds::ONLY_IN_A_PACK;
use super::grid::{Row, trimmed};

/// The name of the column with the kinds.
pub(super) const KIND: &str = "kind";
/// Columns of numbers that are no fields in the native format: by how much an answer may be off, and from where on it is wrong.
pub(super) const OFF: &str = "off";
pub(super) const ZERO: &str = "zero";
/// Fields that are read from the columns of every sheet.
const OF_EVERY_SHEET: [&str; 6] = ["text", "choices", "items", "spellings", "right", "score"];

/// The columns that only such sheets have.
#[derive(Debug)]
pub(super) struct KindColumns {
    pub kind: usize,
    /// Columns with the names of fields.
    fields: Vec<(usize, &'static str)>,
}

/// The column with the kinds, if the row has one and a kind stands in it below.
pub(super) fn kind_column(header: &Row, rows: &[Row]) -> Option<usize> {
    let column = header.cells.iter().position(|cell| trimmed(cell).eq_ignore_ascii_case(KIND))?;
    rows.iter().any(|row| kind_named(&row.cell(column).to_lowercase()).is_some()).then_some(column)
}

/// What columns can be called beside those of every sheet.
pub(super) fn field_names() -> BTreeSet<&'static str> {
    let of_all_kinds = kinds().iter().flat_map(KindFields::fields);
    let of_all_kinds = of_all_kinds.filter(|(_, field)| !field.is_table()).map(|(name, _)| name);
    of_all_kinds.filter(|name| !OF_EVERY_SHEET.contains(name)).chain(ONLY_IN_A_PACK).chain([OFF, ZERO]).collect()
}

impl KindColumns {
    pub fn of(kind: usize, header: &Row) -> Self {
        let known = field_names();
        let field = |cell: &str| {
            let name = trimmed(cell).to_lowercase().replace(' ', "_");
            known.get(name.as_str()).copied()
        };
        let fields = header.cells.iter().enumerate().filter_map(|(column, cell)| Some((column, field(cell)?)));
        Self { kind, fields: fields.collect() }
    }

    /// All columns that only such sheets have.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.fields.iter().map(|(column, _)| *column).chain([self.kind])
    }

    /// Whether a row has one of the fields.
    pub fn are_in(&self, row: &Row) -> bool {
        self.fields_of(row).next().is_some()
    }

    /// What a row has in the column of that name.
    pub fn cell<'r>(&self, row: &'r Row, name: &str) -> &'r str {
        let column = self.fields.iter().find(|(_, other)| *other == name);
        column.map_or("", |(column, _)| row.cell(*column))
    }

    /// The fields that a row has, by their names.
    pub fn fields_of<'r>(&self, row: &'r Row) -> impl Iterator<Item = (&'static str, &'r str)> {
        let fields = self.fields.iter().map(|(column, name)| (*name, row.cell(*column)));
        fields.filter(|(_, cell)| !cell.is_empty())
    }

    /// Columns with the same name.
    pub fn twice(&self) -> Option<Vec<usize>> {
        let (_, name) = self
            .fields
            .iter()
            .enumerate()
            .find_map(|(index, (_, name))| self.fields[..index].iter().find(|(_, other)| other == name))?;
        Some(self.fields.iter().filter(|(_, other)| other == name).map(|(column, _)| *column).collect())
    }
}
