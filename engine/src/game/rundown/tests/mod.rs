//! The rule book by examples and by properties.
