//! Trivia: questions with choices, of which one is right.

mod first_settings;
mod host;
mod ids;
mod pack;
mod player;
mod quick;
mod settings;
mod setup;
mod show;
mod view;

pub use first_settings::*;
pub use host::*;
pub use ids::*;
pub use pack::*;
pub use player::*;
pub(crate) use quick::answer as quick_answer;
pub use settings::*;
pub use show::*;
