//! Compares what the archive wrote to the database with what the audit computes from the journal.

mod compare;
mod rows;

pub use compare::compare;
pub use rows::{DatabaseError, PlayerRow, Rows, ShowRow, complete};
