//! How a show ended: what the archive keeps of it, whatever the game.

use klaxon_protocol::games::trivia::{Choice, Difficulty, Mode, QuestionId};
use klaxon_protocol::ids::{GameName, Name, PlayerId, RoundId, Seat, ShowCode, ShowId};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Millis;

/// All that is kept of a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowResults {
    /// The show at a glance.
    pub summary: ShowSummary,
    /// The questions that were asked, each number once.
    pub questions: Vec<QuestionResult>,
    /// Everybody who had a seat, each seat and each player once.
    pub players: Vec<PlayerResults>,
    /// Of a game other than trivia: what it has to say of each round, in order.
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
    /// The mode of trivia; of other games one that means nothing.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        match self {
            Self::Trivia(mode) => *mode,
            Self::Game(_) => Mode::Points,
        }
    }
}

/// What a game has to say of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundResult {
    /// Which round.
    pub round: RoundId,
    /// What, as the game's page says.
    pub body: Body,
}

/// A show at a glance. Money is in minor units of `currency`, times are the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowSummary {
    /// Which show.
    pub show: ShowId,
    /// What players typed to join.
    pub code: ShowCode,
    /// What it was called.
    pub title: String,
    /// How it was played.
    pub played: Played,
    /// When it was created.
    pub created_at: Millis,
    /// When it ended.
    pub ended_at: Millis,
    /// How many players had a seat.
    pub joined: u32,
    /// What could be won.
    pub pot: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// How much was won.
    pub paid: u64,
    /// How much was kept for another show.
    pub rolled_over: u64,
}

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionResult {
    /// Its number in the show, from 1.
    pub question: QuestionId,
    /// What was asked.
    pub text: String,
    /// Such as "Science".
    pub category: Option<String>,
    /// How hard it was meant to be.
    pub difficulty: Option<Difficulty>,
    /// The choices as they were sent.
    pub choices: Vec<String>,
    /// Which of them is right.
    pub right: Choice,
    /// Counted answers by choice; as many as there are choices.
    pub counts: Vec<u32>,
    /// Players in play who did not answer.
    pub silent: u32,
    /// Whether it was voided.
    pub voided: bool,
    /// When it opened.
    pub asked_at: Millis,
    /// When it closed.
    pub closed_at: Millis,
}

/// What one player did and won in one show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerResults {
    /// The player's place in the show's arrays.
    pub seat: Seat,
    /// Who.
    pub player: PlayerId,
    /// What they were called.
    pub name: Name,
    /// Whether they were in play at the end.
    pub alive: bool,
    /// Extra lives left.
    pub lives: u8,
    /// Points.
    pub score: u32,
    /// How many of their counted answers were right.
    pub right_answers: u32,
    /// The question that put them out.
    pub out_at: Option<QuestionId>,
    /// Their place, from 1; equals share one; 0 for one who has none, such as a banned player.
    pub place: u32,
    /// What they won, in minor units of the show's currency.
    pub prize: u64,
}
