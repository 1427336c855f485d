//! The results of a show for the archive, for every game.

use klaxon_protocol::games::trivia::{Choice, Difficulty, Mode, QuestionId};
use klaxon_protocol::ids::{GameName, Name, PlayerId, RoundId, Seat, ShowCode, ShowId};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Millis;

/// Everything that the archive keeps of a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowResults {
    /// The show's summary.
    pub summary: ShowSummary,
    /// The questions that were asked, each number once.
    pub questions: Vec<QuestionResult>,
    /// Everybody who had a seat, each seat and each player once.
    pub players: Vec<PlayerResults>,
    /// For a game other than trivia: its results of each round, in order.
    pub rounds: Vec<RoundResult>,
}

/// Which game was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Played {
    /// Trivia, in this mode.
    Trivia(Mode),
    /// Another game.
    Game(GameName),
}

impl Played {
    /// The mode of trivia; a meaningless placeholder for other games.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        match self {
            Self::Trivia(mode) => *mode,
            Self::Game(_) => Mode::Points,
        }
    }
}

/// A game's results of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundResult {
    /// The round's number.
    pub round: RoundId,
    /// The results, in the format that the game's documentation describes.
    pub body: Body,
}

/// A show's summary. Amounts are in minor units of `currency`, times on the server's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowSummary {
    /// The show's id.
    pub show: ShowId,
    /// What players typed to join.
    pub code: ShowCode,
    /// The show's title.
    pub title: String,
    /// The game, and the mode of trivia.
    pub played: Played,
    /// When it was created.
    pub created_at: Millis,
    /// When the show ended.
    pub ended_at: Millis,
    /// How many players had a seat.
    pub joined: u32,
    /// The pot: what could be won in total.
    pub pot: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// The sum of all prizes.
    pub paid: u64,
    /// What was not paid out, and is kept for another show.
    pub rolled_over: u64,
}

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionResult {
    /// Its number in the show, from 1.
    pub question: QuestionId,
    /// The question's text.
    pub text: String,
    /// Such as "Science".
    pub category: Option<String>,
    /// The difficulty that the pack gives it.
    pub difficulty: Option<Difficulty>,
    /// The choices as they were sent.
    pub choices: Vec<String>,
    /// The right choice.
    pub right: Choice,
    /// Counted answers by choice; one count for each choice.
    pub counts: Vec<u32>,
    /// Players in play who did not answer.
    pub silent: u32,
    /// Whether it was voided.
    pub voided: bool,
    /// When the question opened.
    pub asked_at: Millis,
    /// When the question closed.
    pub closed_at: Millis,
}

/// What one player did and won in one show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerResults {
    /// The player's place in the show's arrays.
    pub seat: Seat,
    /// The player's id.
    pub player: PlayerId,
    /// The player's name.
    pub name: Name,
    /// Whether they were in play at the end.
    pub alive: bool,
    /// Extra lives left.
    pub lives: u8,
    /// Points.
    pub score: u32,
    /// How many of their counted answers were right.
    pub right_answers: u32,
    /// The question that eliminated the player.
    pub out_at: Option<QuestionId>,
    /// The player's place, from 1; ties share a place; 0 for a player without a place, such as a banned one.
    pub place: u32,
    /// The player's prize, in minor units of the show's currency.
    pub prize: u64,
}
