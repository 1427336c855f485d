//! A rundown by its rule book (docs/rules/rundown.md), with none of the engine's code: the order of its parts, what seats keep
//! between them, the host's actions, the script, and the podium. Each part is judged by its own book.

mod book;
mod claims;
mod clock;
mod course;
mod host;
mod judge;
mod ledger;
mod podium;
mod replies;
mod secrets;
mod told;
mod view;

pub(super) use book::RundownBook;
pub(super) use judge::{judge, keeps_secrets};
pub(super) use ledger::{MOST_LIVES, SeatLedger};
pub(super) use podium::outcome;
pub(super) use replies::Refusal;

#[cfg(test)]
mod tests;
