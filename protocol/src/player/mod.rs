//! All that a player says and hears.

mod events;
mod hears;
mod says;

pub use events::*;
pub use hears::*;
pub use says::*;
