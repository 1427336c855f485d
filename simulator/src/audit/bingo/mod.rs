//! Bingo by its rule book (docs/rules/bingo.md), with none of the engine's code: all tickets are dealt again from the seed,
//! the balls drawn again, calls judged by sets of numbers, and prizes divided.

mod book;
mod dealing;
mod judge;
mod numbers;
mod part;
mod patterns;
mod replies;
mod summary;

pub(super) use book::BingoBook;
pub use dealing::Ticket;
pub(super) use judge::{judge, seeds_are_secret};
pub use patterns::is_complete;
pub(super) use replies::is_true;
pub(super) use summary::summaries;
pub use summary::{BingoSummary, PrizeSummary};
