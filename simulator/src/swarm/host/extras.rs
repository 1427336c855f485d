//! What the host does besides asking: one thing at some questions, from the seed.

use std::collections::HashMap;
use std::time::Duration;

use klaxon_protocol::games::trivia::QuestionId;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Something besides. `at` is the part of the question's open time that has passed by then, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Extra {
    /// The clock is stopped and runs again after `standing`.
    Pause {
        /// When.
        at: f64,
        /// For how long.
        standing: Duration,
    },
    /// A message to everybody.
    Message {
        /// When.
        at: f64,
        /// What.
        text: String,
    },
    /// More or less time, before the question opens.
    AdjustTime {
        /// Milliseconds more.
        by: i32,
    },
    /// Somebody presses once too often: the question is to be closed before it opens, which the server refuses.
    CloseTooEarly,
    /// The question is closed before its time.
    CloseEarly {
        /// When.
        at: f64,
    },
    /// Everybody in play gets lives.
    GiveLives {
        /// When.
        at: f64,
        /// How many.
        lives: u8,
    },
    /// The question is voided after its reveal.
    Void {
        /// Why.
        reason: String,
    },
}

/// The extras of a show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    by_question: HashMap<QuestionId, Extra>,
}

impl Extras {
    /// One of each at different questions of the show, as far as there are enough; never at the last.
    #[must_use]
    pub fn from_seed(seed: u64, questions: u16) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // A stream of its own: the extras are the same for any players.
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
        Self { by_question: places.into_iter().map(QuestionId).zip(extras).collect() }
    }

    /// One extra only.
    #[must_use]
    pub fn only(question: QuestionId, extra: Extra) -> Self {
        Self { by_question: HashMap::from([(question, extra)]) }
    }

    /// What there is to do at this question.
    #[must_use]
    pub fn at(&self, question: QuestionId) -> Option<Extra> {
        self.by_question.get(&question).cloned()
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
            assert_eq!(extras.by_question.len(), 7);
            assert_eq!(extras.at(QuestionId(12)), None);
        }
        assert_eq!(Extras::from_seed(1, 1), Extras::default());
    }
}
