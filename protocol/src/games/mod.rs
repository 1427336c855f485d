//! What games say, each in a folder of its own: its messages, settings and numbers. The core carries them without knowing them.
//!
//! Trivia is the first game, so its messages are variants of the core's enums, and stay so as long as there is version 1 of the wire. Other
//! games speak by [`crate::player::GameEvent`] and the like, whose bodies are theirs.

pub mod bingo;
pub mod media;
pub mod quiz;
pub mod rundown;
pub mod trivia;
