//! The ids of shows, seats, rounds, players, and connections.
//!
//! Each is a type of its own, so that a seat can't be passed as a round.

mod numbers;
mod texts;

pub(crate) use numbers::number_type;
pub use numbers::*;
pub(crate) use texts::TEXTS;
pub use texts::*;
