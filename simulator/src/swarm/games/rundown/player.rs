//! A player of a rundown.

use klaxon_protocol::games::rundown::{Overview, PartKind, Setup, Standing};
use klaxon_protocol::player::ToPlayer;
use serde_json::Value;

use crate::swarm::games::bingo::{self, Caller};
use crate::swarm::games::quiz::Answerer;
use crate::swarm::players::actions::{Action, RoundSeen, around};
use crate::swarm::players::plan::{PlayerPlan, rng};

/// A player of a rundown: what is known of the show, and a hand for the part that is being played.
#[derive(Debug, Default)]
pub struct RundownPlayer {
    /// The kinds of all parts.
    kinds: Vec<String>,
    /// The part that began last.
    part: Option<u8>,
    hand: PartHand,
    points: i64,
}

/// What a player does in a part.
#[derive(Debug, Default)]
enum PartHand {
    /// Nothing: before the first part, and in breaks.
    #[default]
    Idle,
    Bingo(Caller),
    Quiz(Answerer),
}

impl PartHand {
    fn new(kind: &str) -> Self {
        match kind {
            "bingo" => Self::Bingo(Caller::default()),
            "quiz" => Self::Quiz(Answerer::default()),
            _ => Self::Idle,
        }
    }
}

impl RundownPlayer {
    /// Takes in a message.
    pub fn hear(&mut self, message: &ToPlayer) {
        match message {
            ToPlayer::GameSnapshot(snapshot) => {
                if let Ok(overview) = snapshot.body.read::<Overview>() {
                    self.kinds = overview.parts;
                    self.enter(overview.part);
                }
            }
            ToPlayer::GameEvent(event) => {
                self.enter(event.body.0.get("part").and_then(Value::as_u64).and_then(|part| part.try_into().ok()));
            }
            ToPlayer::GameOwn(own) => {
                if let Ok(standing) = own.body.read::<Standing>() {
                    self.points = standing.points;
                }
            }
            _ => {}
        }
        match &mut self.hand {
            PartHand::Idle => {}
            PartHand::Bingo(caller) => caller.hear(message),
            PartHand::Quiz(answerer) => answerer.hear(message),
        }
    }

    fn enter(&mut self, part: Option<u8>) {
        let Some(entered) = part.filter(|_| part != self.part) else { return };
        self.part = part;
        self.hand = self.kinds.get(usize::from(entered)).map_or(PartHand::Idle, |kind| PartHand::new(kind));
    }

    /// All that the player does in a round, unordered. `setup` has what is right, which the player may or may not know.
    #[must_use]
    pub fn actions(
        &self,
        setup: Option<&Setup>,
        seed: u64,
        player: &PlayerPlan,
        round: &RoundSeen,
        swarm: u32,
    ) -> Vec<Action> {
        let mut rng = rng(seed, player.number, round.round.0);
        let mut actions = match &self.hand {
            PartHand::Idle => Vec::new(),
            PartHand::Bingo(caller) => caller.actions(&mut rng, player, round),
            PartHand::Quiz(answerer) => {
                let part = setup.zip(self.part).and_then(|(setup, part)| setup.parts.get(usize::from(part)));
                let questions = match part.map(|part| &part.kind) {
                    Some(PartKind::Quiz(quiz)) => &quiz.questions[..],
                    _ => &[],
                };
                answerer.actions(&mut rng, questions, self.points, player, round)
            }
        };
        actions.extend(around(&mut rng, player, round, swarm));
        actions
    }

    /// How much happens in a round, as a part of what happens in a question of trivia.
    #[must_use]
    pub const fn busy(&self) -> f64 {
        match self.hand {
            PartHand::Bingo(_) => bingo::BUSY,
            PartHand::Idle | PartHand::Quiz(_) => 1.0,
        }
    }
}
