//! Bingo: its shows, what the host does between the balls, and what players call.

mod host;
mod player;
mod show;

pub use host::{host_step, is_bingo_play};
pub use player::Caller;
pub use show::{bingo75, bingo90, tambola};

/// How much happens in the round of a ball, as a part of what happens in a question of trivia: balls are many.
pub const BUSY: f64 = 0.1;
