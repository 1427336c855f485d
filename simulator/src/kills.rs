//! When the server is killed: in the middle of which questions, by the seed.

use std::time::Duration;

use klaxon_protocol::ids::QuestionId;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::evidence::Micros;
use crate::host::Stage;
use crate::server::{Server, ServerError};

/// One kill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kill {
    /// In which question.
    pub question: QuestionId,
    /// At which part of its open time, 0 to 1.
    pub at: f64,
    /// How long the server stays away before it is started again.
    pub away: Duration,
}

/// The kills of a show, in order, each in another question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kills(Vec<Kill>);

impl Kills {
    /// So many kills spread over so many questions; at most one for each. An elimination may end early, so the first questions
    /// are taken as far as they suffice.
    #[must_use]
    pub fn from_seed(seed: u64, kills: u16, questions: u16) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        // A stream of its own: the kills are the same whoever plays.
        dice.set_stream(u64::MAX - 1);
        let within = questions.min((questions / 2).max(kills));
        let mut places: Vec<u16> = (1..=within).collect();
        places.shuffle(&mut dice);
        places.truncate(usize::from(kills));
        places.sort_unstable();
        let kill = |place| Kill {
            question: QuestionId(place),
            at: dice.random_range(0.15..0.85),
            away: Duration::from_millis(dice.random_range(20..400)),
        };
        Self(places.into_iter().map(kill).collect())
    }

    /// The kill of this question.
    fn at(&self, question: QuestionId) -> Option<Kill> {
        self.0.iter().copied().find(|kill| kill.question == question)
    }

    /// Kills and restarts the server as planned while `stage` goes on, and notes when in `done`. Ends only when the server does,
    /// without having been killed.
    pub async fn carry_out(
        &self,
        server: &mut Server,
        mut stage: watch::Receiver<Stage>,
        done: &mut Vec<Micros>,
    ) -> ServerError {
        let mut last = None;
        loop {
            let asked = stage.borrow_and_update().question.filter(|asked| last < Some(asked.question));
            if let Some(asked) = asked {
                last = Some(asked.question);
                if let Some(kill) = self.at(asked.question) {
                    let open = asked.closes_at.since(asked.opens_at).to_std();
                    let at = Duration::from_millis(asked.opens_at.0) + open.mul_f64(kill.at);
                    let wait = at.saturating_sub(Duration::from_micros(Micros::now().0));
                    tokio::select! {
                        () = sleep(wait) => {}
                        error = server.ended() => return error,
                    }
                    done.push(Micros::now());
                    if let Err(error) = server.kill_and_restart(kill.away).await {
                        return error;
                    }
                    continue;
                }
            }
            tokio::select! {
                changed = stage.changed() => if changed.is_err() {
                    return server.ended().await;
                },
                error = server.ended() => return error,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_the_seed_s_each_in_another_question() {
        for seed in 0..100 {
            let kills = Kills::from_seed(seed, 5, 12);
            assert_eq!(kills, Kills::from_seed(seed, 5, 12));
            assert_eq!(kills.0.len(), 5);
            assert!(kills.0.is_sorted_by(|a, b| a.question < b.question));
            assert!(kills.0.iter().all(|kill| kill.question.0 <= 6));
        }
        assert_eq!(Kills::from_seed(1, 0, 12), Kills::default());
        assert_eq!(Kills::from_seed(1, 12, 12).0.len(), 12);
    }
}
