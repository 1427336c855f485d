//! The database beside the journal: what the archive wrote is read back, and compared with what the audit makes of the journal.

mod compare;
mod rows;

pub use compare::compare;
pub use rows::{DatabaseError, PlayerRow, Rows, ShowRow, complete};
