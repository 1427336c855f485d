//! One question to all players: the server's processor time per delivery, and the time until the last player has it.

use std::time::Instant;

use super::contestant::{BenchError, Contestant, Kind};
use super::hosting::MOST_QUESTIONS;
use super::plan::Plan;
use super::rows::{Measure, Row, Subject};

/// Rounds at the beginning that are not counted.
pub const WARM_UP: usize = 2;

/// The measurements of one contestant, by round.
#[derive(Debug, Default, Clone)]
pub struct FanOut {
    /// Microseconds of the server's processor time per delivery.
    pub processor: Vec<f64>,
    /// Milliseconds from the first player who received it to the last.
    pub last: Vec<f64>,
}

/// Asks a question of each contestant in turn, round after round, until the rows that `rows` computes are known well
/// enough. Each round begins with another contestant, so that none always follows the same one. `join` starts the
/// contestants with their players, and is called again when a show has had all its questions.
///
/// # Errors
/// If a contestant fails.
pub async fn ask_in_turn(
    plan: &Plan,
    subject: Subject,
    join: impl AsyncFn() -> Result<Vec<Contestant>, BenchError>,
    rows: impl Fn(&[FanOut]) -> Vec<Row>,
    step: &impl Fn(&str),
) -> Result<Vec<FanOut>, BenchError> {
    let mut all: Vec<FanOut> = Vec::new();
    let began = Instant::now();
    let mut rounds = 0;
    loop {
        let mut contestants = join().await?;
        all.resize(contestants.len(), FanOut::default());
        for round in 0..usize::from(MOST_QUESTIONS) {
            for turn in 0..contestants.len() {
                let place = (round + turn) % contestants.len();
                let asked = contestants[place].ask().await?;
                contestants[place].end_question().await?;
                if round >= WARM_UP {
                    all[place].processor.push(asked.each());
                    all[place].last.push(asked.received.took().as_secs_f64() * 1e3);
                }
            }
            step(&format!("asking, {} rounds", rounds + 1));
            if round >= WARM_UP {
                rounds += 1;
                if plan.stopping.has_enough(subject, rounds, began.elapsed(), || rows(&all)) {
                    return Ok(all);
                }
            }
        }
    }
}

/// Measures all contestants, with the planned number of players.
///
/// # Errors
/// If a contestant fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let kinds: Vec<Kind> = plan.contestants().collect();
    let join = async || {
        let mut contestants = Vec::new();
        for &kind in &kinds {
            step("joining");
            let mut contestant = Contestant::start(&plan.launch, kind).await?;
            contestant.join(plan.players).await?;
            contestants.push(contestant);
        }
        Ok(contestants)
    };
    let rows = |all: &[FanOut]| rows(Subject::FanOut, "", &kinds, all);
    Ok(rows(&ask_in_turn(plan, Subject::FanOut, join, rows, step).await?))
}

/// The rows of the contestants, the first of which is the floor.
#[must_use]
pub fn rows(subject: Subject, case: &str, kinds: &[Kind], all: &[FanOut]) -> Vec<Row> {
    let floor = all.first().cloned().unwrap_or_default();
    let of = |what: Measure, figures: fn(&FanOut) -> &[f64]| {
        let pairs = kinds.iter().zip(all);
        let floor = figures(&floor);
        pairs.map(|(&kind, each)| Row::beside(subject, kind, case, what, figures(each), floor)).collect::<Vec<_>>()
    };
    [of(Measure::Processor, |each| &each.processor), of(Measure::Last, |each| &each.last)].concat()
}
