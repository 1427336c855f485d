//! The rule book by examples and by properties.

mod coins;
mod delay;
mod examples;
mod hostile;
mod kept;
pub(super) mod play;
mod setups;
