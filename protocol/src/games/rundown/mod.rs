//! Rundown: a show's running order, whose parts are games and breaks, played one after the other.

mod events;
mod host;
mod preload;
mod ranges;
mod seed;
mod setup;
mod teams;

pub use events::*;
pub use host::*;
pub use preload::*;
pub use ranges::*;
pub use seed::SecretSeed;
pub use setup::*;
pub use teams::*;

use crate::ids::GameName;

/// What `create_game` calls it.
const NAME: &str = "rundown";

/// What `create_game` calls it.
///
/// # Panics
/// Never.
#[must_use]
pub fn game_name() -> GameName {
    GameName::parse(NAME).expect("these are letters")
}
