//! The rule book by examples and by properties.

mod examples;
mod hostile;
mod play;
mod properties;
