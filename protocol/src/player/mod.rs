//! All that a player says and hears.

mod decode;
mod events;
#[cfg(test)]
#[path = "../../fuzz/main.rs"]
mod fuzz;
mod game;
mod hears;
mod phase;
mod says;
mod unordered;

pub use events::*;
pub use game::*;
pub use hears::*;
pub use phase::*;
pub use says::*;
pub use unordered::*;
