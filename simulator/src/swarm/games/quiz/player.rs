//! What a player of a quiz answers.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::quiz::{Asked, QuizEvent, QuizQuestion, QuizView};
use klaxon_protocol::games::rundown::Overview;
use klaxon_protocol::ids::{ClaimKey, RoundId};
use klaxon_protocol::player::{Role, ToPlayer};
use rand::{Rng, RngExt};

use super::answers::Sight;
use crate::swarm::players::actions::{Action, RoundSeen, claim, early, race, reload, slip};
use crate::swarm::players::plan::PlayerPlan;
use crate::swarm::players::saying::Saying;

/// The probability that a player answers before the question opens.
const EARLY: f64 = 0.02;
/// The probability that a player says what can't be said: of most, and of those who cheat.
const SLIPS: f64 = 0.02;
const CHEATS: f64 = 0.3;
/// The probability that a player races where it is about being first.
const RACES: f64 = 0.4;

/// A player of a quiz.
#[derive(Debug, Default)]
pub struct Answerer {
    /// The last question that was received.
    pub(super) asked: Option<Asked>,
}

impl Answerer {
    /// Takes in a message.
    pub fn hear(&mut self, message: &ToPlayer) {
        match message {
            ToPlayer::GameSnapshot(snapshot) => {
                let now = snapshot.body.read::<Overview>().ok().and_then(|overview| overview.now);
                self.asked = now.and_then(|now| now.read::<QuizView>().ok()).and_then(|view| view.question);
            }
            ToPlayer::GameEvent(event) => {
                if let Ok(QuizEvent::Question(asked)) = event.body.read() {
                    self.asked = Some(asked);
                }
            }
            _ => {}
        }
    }

    /// What the player answers, unordered. `questions` are those of the part with what is right.
    #[must_use]
    pub fn actions(
        &self,
        rng: &mut impl Rng,
        questions: &[QuizQuestion],
        points: i64,
        player: &PlayerPlan,
        round: &RoundSeen,
    ) -> Vec<Action> {
        let Some(asked) = self.asked.as_ref().filter(|_| player.role == Role::Player) else { return Vec::new() };
        let known = usize::from(asked.number).checked_sub(1).and_then(|index| questions.get(index));
        let sight = Sight { asked, known, points };
        let said = |key, value| Saying::claim(round.round, key, value);
        let mut actions = Vec::new();
        for key in (0..rng.random_range(1..=sight.keys())).map(ClaimKey) {
            let known = rng.random_bool(player.habits.skill).then(|| sight.right(rng)).flatten();
            let value = known.unwrap_or_else(|| sight.any(rng));
            let (value, other) = (said(key, value), said(key, sight.any(rng)));
            if rng.random_bool(EARLY) {
                actions.push(early(rng, round, &value));
            }
            let made = if sight.is_race() && rng.random_bool(RACES) { race } else { claim };
            let claims = made(rng, player, round, &value, &other);
            if sight.is_race() {
                actions.extend(reload(rng, player, round, &claims));
            }
            actions.extend(claims);
        }
        if rng.random_bool(if player.habits.cheats { CHEATS } else { SLIPS }) {
            let (key, value) = sight.slip(rng, player.habits.cheats);
            actions.push(slip(rng, round, &said(key, value)));
        }
        actions
    }

    /// A claim that is possible in this round.
    pub fn guess(&self, rng: &mut impl Rng, round: RoundId, points: i64) -> Saying {
        let sight = self.asked.as_ref().map(|asked| Sight { asked, known: None, points });
        Saying::claim(round, ClaimKey(0), sight.map_or(ClaimValue::Bits(0), |sight| sight.any(rng)))
    }
}
