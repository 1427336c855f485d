//! The rule book by examples and by properties.

mod examples;
mod hostile;
mod kept;
mod play;
mod properties;
