//! The games that the swarm plays, each in a folder of its own: what a host creates and does, and what a player does in a
//! round. All else of a show is the same for every game.

pub mod bingo;
pub mod trivia;

use std::time::Duration;

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::games::rundown;
use klaxon_protocol::games::trivia::{Create, Pack, Settings};
use klaxon_protocol::host::{Action, CreateGame, FromHost};
use klaxon_protocol::ids::{CommandId, ShowCode};
use klaxon_protocol::player::{Body, ToPlayer};
use klaxon_protocol::time::Span;

use self::bingo::Caller;
use self::trivia::{AnswerKey, Quizzer};
use super::players::actions::{Action as Planned, Told};
use super::players::plan::PlayerPlan;

/// How long gateways are waited for at the close of a round of a rundown.
const BARRIER: Span = Span(2_000);

/// What is played.
#[derive(Debug, Clone)]
pub enum Game {
    /// Trivia.
    Trivia {
        /// The questions.
        pack: Pack,
        /// The settings.
        settings: Settings,
    },
    /// A running order of parts.
    Rundown {
        /// What the show is called.
        title: String,
        /// Its setup.
        setup: Body,
        /// How many rounds it can have.
        rounds: u16,
        /// How many can play.
        seats: u32,
    },
}

impl Game {
    /// What the show is called.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Trivia { pack, .. } => &pack.title,
            Self::Rundown { title, .. } => title,
        }
    }

    /// How many rounds there can be.
    #[must_use]
    pub fn rounds(&self) -> u16 {
        match self {
            Self::Trivia { pack, .. } => u16::try_from(pack.questions.len()).unwrap_or(u16::MAX),
            Self::Rundown { rounds, .. } => *rounds,
        }
    }

    /// By which message its players claim.
    #[must_use]
    pub const fn form(&self) -> ClaimForm {
        match self {
            Self::Trivia { .. } => ClaimForm::Answer,
            Self::Rundown { .. } => ClaimForm::Claim,
        }
    }

    /// The host's message that creates a show of it.
    #[must_use]
    pub fn create(self, id: CommandId, code: Option<ShowCode>) -> FromHost {
        match self {
            Self::Trivia { pack, settings } => FromHost::Create(Box::new(Create { id, code, pack, settings })),
            Self::Rundown { title, setup, seats, .. } => FromHost::CreateGame(Box::new(CreateGame {
                id,
                code,
                game: rundown::game_name(),
                title,
                seats,
                barrier: BARRIER,
                setup,
            })),
        }
    }

    /// What its players know of it before it begins.
    #[must_use]
    pub fn known(&self) -> Known {
        match self {
            Self::Trivia { pack, .. } => Known::Trivia(AnswerKey::of(pack)),
            Self::Rundown { .. } => Known::Rundown,
        }
    }
}

/// What players know of a game before it begins.
#[derive(Debug, Clone)]
pub enum Known {
    /// The right choices, which some of them know.
    Trivia(AnswerKey),
    /// Nothing.
    Rundown,
}

/// A player's part of the game: what it hears, and what it claims.
#[derive(Debug)]
pub enum Hand {
    /// Of trivia.
    Trivia(Quizzer),
    /// Of a rundown, whatever its part is.
    Rundown(Box<Caller>),
}

impl Hand {
    /// A new player's.
    #[must_use]
    pub fn new(known: &Known) -> Self {
        match known {
            Known::Trivia(_) => Self::Trivia(Quizzer::default()),
            Known::Rundown => Self::Rundown(Box::default()),
        }
    }

    /// Takes in a message.
    pub fn hear(&mut self, message: &ToPlayer) {
        match self {
            Self::Trivia(quizzer) => quizzer.hear(message),
            Self::Rundown(caller) => caller.hear(message),
        }
    }

    /// All that the player does in a round that begins, unordered. `swarm` is the number of players to steal tokens from.
    #[must_use]
    pub fn actions(&self, known: &Known, seed: u64, player: &PlayerPlan, round: &Told, swarm: u32) -> Vec<Planned> {
        match (self, known) {
            (Self::Trivia(quizzer), Known::Trivia(key)) => quizzer.actions(key, seed, player, round, swarm),
            (Self::Rundown(caller), _) => caller.actions(seed, player, round, swarm),
            (Self::Trivia(_), Known::Rundown) => Vec::new(),
        }
    }

    /// How much happens in a round, as a part of what happens in a question of trivia.
    #[must_use]
    pub const fn busy(&self) -> f64 {
        match self {
            Self::Trivia(_) => 1.0,
            Self::Rundown(_) => bingo::BUSY,
        }
    }
}

/// What the host does after an event, and how long after, beside what every game's host does: open the lobby, go on to
/// the next round, reveal, end.
#[must_use]
pub fn host_steps(event: &ToPlayer, pause: Duration) -> Option<(Duration, Action)> {
    let ToPlayer::GameEvent(event) = event else { return None };
    bingo::host_step(event, pause)
}
