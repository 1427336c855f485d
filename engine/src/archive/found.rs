//! Results of queries over several shows.

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{Name, PlayerId, ShowId};

use crate::game::results::{PlayerResults, ShowSummary};

/// A show in a player's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayedShow {
    /// The show.
    pub show: ShowSummary,
    /// What the player did in it.
    pub player: PlayerResults,
}

/// A question with a low share of right answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardQuestion {
    /// In which show it was asked.
    pub show: ShowId,
    /// Its number there.
    pub question: QuestionId,
    /// The question's text.
    pub text: String,
    /// Such as "Science".
    pub category: Option<String>,
    /// How many counted answers were right.
    pub right_answers: u64,
    /// How many answers counted.
    pub answers: u64,
}

/// A player's winnings over several shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    /// The player's id.
    pub player: PlayerId,
    /// The player's name in the last of these shows.
    pub name: Name,
    /// In how many shows they won something.
    pub shows: u32,
    /// The sum of their prizes, in minor units.
    pub won: u64,
}
