//! A show of trivia, as its rules begin it.

use super::pack::Pack;
use super::settings::Settings;
use crate::ids::{CommandId, GameName, ShowCode};

/// What shows of any game call trivia.
const NAME: &str = "trivia";

/// What shows of any game call trivia.
///
/// # Panics
/// Never.
#[must_use]
pub fn game_name() -> GameName {
    GameName::parse(NAME).expect("these are letters")
}

/// Whether a show of this game is one of trivia.
#[must_use]
pub fn is_trivia(game: &GameName) -> bool {
    game.as_str() == NAME
}

/// A show of trivia, as its rules begin it, whatever its journal's first record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriviaShow {
    /// The host's id for the command.
    pub id: CommandId,
    /// What players type to join.
    pub code: ShowCode,
    /// All that is random in the show comes from here.
    pub seed: u64,
    /// The questions.
    pub pack: Pack,
    /// How it is played.
    pub settings: Settings,
}
