//! Additional actions of the host: one at each of some questions, chosen by the seed.

use std::collections::HashMap;
use std::time::Duration;

use klaxon_protocol::ids::RoundId;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// An additional action. `at` is its time as a fraction of the question's open time, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Extra {
    /// The clock is stopped for `standing`.
    Pause {
        /// When the clock is stopped.
        at: f64,
        /// How long it is stopped.
        standing: Duration,
    },
    /// A message to all players.
    Message {
        /// When it is sent.
        at: f64,
        /// The text.
        text: String,
    },
    /// More or less time for a question, before it opens.
    AdjustTime {
        /// The change in milliseconds.
        by: i32,
    },
    /// A close of the question before it opens, which the server refuses.
    CloseTooEarly,
    /// An early close of the question.
    CloseEarly {
        /// When it is closed.
        at: f64,
    },
    /// Lives for all players in play.
    GiveLives {
        /// When they are given.
        at: f64,
        /// The number of lives.
        lives: u8,
    },
    /// A void of the question after its reveal.
    Void {
        /// The reason.
        reason: String,
    },
}

/// The additional actions of a show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    by_round: HashMap<RoundId, Extra>,
}

impl Extras {
    /// One action of each kind, at different questions, as far as there are enough; never at the last.
    #[must_use]
    pub fn from_seed(seed: u64, questions: u16) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // A random stream of its own, so that the actions don't depend on the players.
        rng.set_stream(u64::MAX);
        let mut places: Vec<u16> = (1..questions).collect();
        places.shuffle(&mut rng);
        let extras = [
            Extra::Pause {
                at: rng.random_range(0.1..0.7),
                standing: Duration::from_millis(rng.random_range(500..1500)),
            },
            Extra::Message { at: rng.random_range(0.0..0.9), text: "Good luck to all of you!".into() },
            Extra::AdjustTime { by: rng.random_range(-300..800) },
            Extra::CloseEarly { at: rng.random_range(0.4..0.8) },
            Extra::Void { reason: "The question was not fair.".into() },
            Extra::GiveLives { at: rng.random_range(0.0..0.9), lives: 1 },
            Extra::CloseTooEarly,
        ];
        Self { by_round: places.into_iter().map(RoundId).zip(extras).collect() }
    }

    /// A single action.
    #[must_use]
    pub fn only(question: RoundId, extra: Extra) -> Self {
        Self { by_round: HashMap::from([(question, extra)]) }
    }

    /// The action at this question, if any.
    #[must_use]
    pub fn at(&self, question: RoundId) -> Option<Extra> {
        self.by_round.get(&question).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_are_the_seed_s_and_never_at_the_last_question() {
        for seed in 0..50 {
            let extras = Extras::from_seed(seed, 12);
            assert_eq!(extras, Extras::from_seed(seed, 12));
            assert_eq!(extras.by_round.len(), 7);
            assert_eq!(extras.at(RoundId(12)), None);
        }
        assert_eq!(Extras::from_seed(1, 1), Extras::default());
    }
}
