//! Trivia: questions with choices, of which one is right.

mod host;
mod ids;
mod pack;
mod player;
mod quick;
mod settings;
mod view;

pub use host::*;
pub use ids::*;
pub use pack::*;
pub use player::*;
pub(crate) use quick::answer as quick_answer;
pub use settings::*;
