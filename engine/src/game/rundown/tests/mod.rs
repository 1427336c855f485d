//! The rule book by examples and by properties.

mod coins;
mod examples;
mod hostile;
pub(super) mod play;
mod setups;
