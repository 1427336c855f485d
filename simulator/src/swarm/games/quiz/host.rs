//! What the host of a quiz does beside asking and revealing.

use std::time::Duration;

use klaxon_protocol::games::quiz::{AnswerKind, QuizEvent};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::{Body, GameEvent};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::typing::RUDE;

/// The probability that the host judges an answer to be wrong.
const WRONG: f64 = 0.4;
/// The probability that the host voids a question after its reveal, or gives or takes points.
const VOIDS: f64 = 0.05;
const GIVES: f64 = 0.15;

/// The host of a quiz.
#[derive(Debug, Clone, Copy)]
pub struct QuizHost {
    /// Decides what the host does now and then.
    pub seed: u64,
}

fn play(body: &Value) -> Action {
    Action::Play { body: Body::of(body) }
}

impl QuizHost {
    fn rng(self, round: Option<RoundId>, times: usize) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        // Streams of its own, so that the host does not depend on the players.
        let round = round.map_or(0, |round| u64::from(round.0));
        rng.set_stream(u64::MAX - 1 - (round << 16 | times as u64 & 0xffff));
        rng
    }

    /// What the host does after an event, each with how long after.
    #[must_use]
    pub fn steps(self, event: &GameEvent, pause: Duration) -> Vec<(Duration, Action)> {
        let Ok(told) = event.body.read::<QuizEvent>() else { return Vec::new() };
        match told {
            // A slide has no round.
            QuizEvent::Question(_) if event.round.is_none() => vec![(pause, Action::Next)],
            QuizEvent::Question(asked) if matches!(asked.answer, AnswerKind::Words { .. }) => {
                vec![(pause, play(&json!({ "hide": RUDE })))]
            }
            QuizEvent::Floor(floor) if floor.seat.is_some() => {
                let at = floor.order.iter().position(|seat| Some(*seat) == floor.seat).unwrap_or_default();
                let wrong = self.rng(Some(floor.round), at).random_bool(WRONG);
                vec![(pause, play(&json!({ "judge": if wrong { "wrong" } else { "right" } })))]
            }
            QuizEvent::Reveal(reveal) => {
                let mut rng = self.rng(Some(reveal.round), usize::from(u16::MAX));
                let shown = reveal.words.first().map(|shown| play(&json!({ "hide": shown.word })));
                let voids =
                    rng.random_bool(VOIDS).then(|| Action::Void { reason: "The question was not fair.".to_owned() });
                let (seat, by) = (rng.random_range(0..40), rng.random_range(-200..400));
                let gives = rng.random_bool(GIVES).then(|| play(&json!({ "points": { "seat": seat, "by": by } })));
                shown.into_iter().chain(gives).chain(voids).map(|action| (pause / 2, action)).collect()
            }
            _ => Vec::new(),
        }
    }
}
