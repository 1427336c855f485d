//! The rule book by examples and by properties, played as a part of a rundown.

mod corrections;
mod examples;
mod extra_time;
mod hostile;
mod media;
mod play;
mod prizes;
mod properties;
mod settings;
