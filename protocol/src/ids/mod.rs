//! The names of things: shows, seats, rounds, players, connections.
//!
//! Every one is its own type, so that a seat can't be passed where a round is meant.

mod numbers;
mod texts;

pub(crate) use numbers::number_type;
pub use numbers::*;
pub(crate) use texts::TEXTS;
pub use texts::*;
