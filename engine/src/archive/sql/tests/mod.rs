//! The same archive in every database, and what only one of them can get wrong.

mod plans;
mod servers;
mod sqlite;
