//! All that a player says and hears.

mod events;
#[cfg(test)]
mod fuzz;
mod hears;
mod quick;
mod says;

pub use events::*;
pub use hears::*;
pub use says::*;
