//! The same archive in every database, and what only one of them can get wrong.

mod forget;
#[cfg(feature = "cluster")]
mod plans;
#[cfg(feature = "cluster")]
mod servers;
mod sqlite;
