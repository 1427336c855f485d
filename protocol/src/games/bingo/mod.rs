//! Bingo with 75 and with 90 balls: the settings of a part of a show, and what its players and hosts are sent. The rules are in
//! docs/rules/bingo.md.

mod check;
mod events;
mod pattern;
mod play;
mod proof;
mod settings;

pub use events::*;
pub use pattern::*;
pub use play::*;
pub use proof::*;
pub use settings::*;
