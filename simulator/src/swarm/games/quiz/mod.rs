//! Quiz as a part of a rundown: its questions, what the host does beside asking them, and what players answer.

mod answers;
mod host;
mod player;
mod show;
mod typing;

#[cfg(test)]
mod tests;

pub use host::QuizHost;
pub use player::Answerer;
pub use show::{buzzers, kinds, last_chance, of_pack, rounds, survival};
