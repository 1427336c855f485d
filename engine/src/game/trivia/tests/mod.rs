//! The rule book by examples and by properties.

mod examples;
mod play;
mod properties;
