//! Trivia: its packs, and what players answer.

mod pack;
mod player;

pub use pack::arithmetic;
pub use player::{AnswerKey, Quizzer};
