//! The games that the swarm plays, each in a folder of its own: what a host creates and does, and what a player does in a
//! round. All else of a show is the same for every game.

pub mod bingo;
pub mod quiz;
pub mod rundown;
pub mod trivia;

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::rundown::{Setup, game_name};
use klaxon_protocol::games::trivia::{Create, Pack, Settings};
use klaxon_protocol::host::{Action, CreateGame, FromHost};
use klaxon_protocol::ids::{CommandId, RoundId, ShowCode};
use klaxon_protocol::player::{Body, Phase, ToPlayer};
use klaxon_protocol::time::Span;
use rand::{Rng, RngExt};

use self::rundown::{RundownHost, RundownPlayer, Skip};
use self::trivia::{AnswerKey, Quizzer};
use super::players::actions::{Action as Planned, RoundSeen};
use super::players::plan::PlayerPlan;
use super::players::saying::Saying;

/// How long gateways are waited for at the close of a round of a rundown.
const BARRIER: Span = Span(2_000);

/// A show that the swarm can play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ShowName {
    /// Questions with choices
    Trivia,
    /// Bingo with 75 balls: sleepers may call late, false calls cost the ticket
    Bingo75,
    /// Bingo with 90 balls, by strips: the last ball must complete the pattern, and the balls depend on a public value
    Bingo90,
    /// A quiz with questions of all kinds, and quizzes that put players out
    Kinds,
    /// A quiz, tambola, and buzzers
    Evening,
}

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
        /// How many rounds it can have, unless the host opens some again.
        rounds: u16,
        /// How many it has at least.
        sure: u16,
        /// How many can play.
        seats: u32,
        /// Where the host ends a part, if anywhere.
        skip: Option<Skip>,
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

    /// How many rounds there are at least.
    #[must_use]
    pub fn sure_rounds(&self) -> u16 {
        match self {
            Self::Trivia { .. } => self.rounds(),
            Self::Rundown { sure, .. } => *sure,
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
                game: game_name(),
                title,
                seats,
                barrier: BARRIER,
                setup,
            })),
        }
    }

    /// What its players know of it before it begins.
    #[must_use]
    pub fn known(&self) -> Beforehand {
        match self {
            Self::Trivia { pack, .. } => Beforehand::Trivia(AnswerKey::of(pack)),
            Self::Rundown { setup, .. } => Beforehand::Rundown(setup.read().ok().map(Arc::new)),
        }
    }

    /// What its host does; `seed` decides what a host does now and then.
    #[must_use]
    pub fn host(&self, seed: u64) -> GameHost {
        match self {
            Self::Trivia { .. } => GameHost::Trivia { questions: self.rounds() },
            Self::Rundown { skip, .. } => GameHost::Rundown(RundownHost::new(seed, *skip)),
        }
    }
}

/// What players know of a game before it begins.
#[derive(Debug, Clone)]
pub enum Beforehand {
    /// The right choices, which some of them know.
    Trivia(AnswerKey),
    /// The setup with what is right in it.
    Rundown(Option<Arc<Setup>>),
}

impl Beforehand {
    fn setup(&self) -> Option<&Setup> {
        match self {
            Self::Rundown(setup) => setup.as_deref(),
            Self::Trivia(_) => None,
        }
    }
}

/// A player's part of the game: what it hears, and what it claims.
#[derive(Debug)]
pub enum Hand {
    /// Of trivia.
    Trivia(Quizzer),
    /// Of a rundown.
    Rundown(Box<RundownPlayer>),
}

impl Hand {
    /// A new player's.
    #[must_use]
    pub fn new(known: &Beforehand) -> Self {
        match known {
            Beforehand::Trivia(_) => Self::Trivia(Quizzer::default()),
            Beforehand::Rundown(_) => Self::Rundown(Box::default()),
        }
    }

    /// Takes in a message. Returns whether the player is in play, if the message tells that.
    pub fn hear(&mut self, known: &Beforehand, message: &ToPlayer) -> Option<bool> {
        match self {
            Self::Trivia(quizzer) => quizzer.hear(message),
            Self::Rundown(player) => player.hear(known.setup(), message),
        }
    }

    /// A claim that is possible in this round, for players who do not care whether it is right.
    #[must_use]
    pub fn guess(&self, rng: &mut impl Rng, round: RoundId) -> Saying {
        match self {
            Self::Trivia(_) => Saying::of(ClaimForm::Answer, round, rng.random_range(0..2)),
            Self::Rundown(player) => player.guess(rng, round),
        }
    }

    /// All that the player does in a round that begins, unordered. `swarm` is the number of players to steal tokens from.
    #[must_use]
    pub fn actions(
        &self,
        known: &Beforehand,
        seed: u64,
        player: &PlayerPlan,
        round: &RoundSeen,
        swarm: u32,
    ) -> Vec<Planned> {
        match (self, known) {
            (Self::Trivia(quizzer), Beforehand::Trivia(key)) => quizzer.actions(key, seed, player, round, swarm),
            (Self::Rundown(hand), _) => hand.actions(known.setup(), seed, player, round, swarm),
            (Self::Trivia(_), Beforehand::Rundown(_)) => Vec::new(),
        }
    }

    /// How much happens in a round, as a part of what happens in a question of trivia.
    #[must_use]
    pub const fn busy(&self) -> f64 {
        match self {
            Self::Trivia(_) => 1.0,
            Self::Rundown(player) => player.busy(),
        }
    }
}

/// What the host does that only one game has, beside what every game's host does: open the lobby, go on to the next round,
/// reveal, end.
#[derive(Debug)]
pub enum GameHost {
    /// Of trivia: the show ends after the last question.
    Trivia {
        /// How many questions there are.
        questions: u16,
    },
    /// Of a rundown: the show ends once no part is left.
    Rundown(RundownHost),
}

impl GameHost {
    /// Whether the show ends after this round.
    #[must_use]
    pub const fn ends_after(&self, round: u16) -> bool {
        match self {
            Self::Trivia { questions } => round >= *questions,
            Self::Rundown(_) => false,
        }
    }

    /// What the host does after an event, each with how long after.
    #[must_use]
    pub fn steps(&self, event: &ToPlayer, pause: Duration) -> Vec<(Duration, Action)> {
        match (self, event) {
            (Self::Rundown(host), ToPlayer::GameEvent(event)) => host.steps(event, pause),
            _ => Vec::new(),
        }
    }

    /// What the host does in this phase instead of an action that was refused; none if the game has no answer to that.
    #[must_use]
    pub fn instead(&self, refused: &Action, code: ErrorCode, phase: Phase) -> Option<Action> {
        match self {
            Self::Trivia { .. } => None,
            Self::Rundown(_) => rundown::instead(refused, code, phase),
        }
    }
}
