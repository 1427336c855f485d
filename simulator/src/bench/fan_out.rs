//! One question to everybody: the server's processor time for each delivery, and the time to the last player.

use super::contestant::{BenchError, Contestant, Kind};
use super::plan::Plan;
use super::rows::{Row, Subject, What};

/// Rounds that come first and do not count.
pub const WARM_UP: usize = 2;

/// What was measured of one contestant, by round.
#[derive(Debug, Default, Clone)]
pub struct FanOut {
    /// Microseconds of the server's processor time for each delivery.
    pub processor: Vec<f64>,
    /// Milliseconds from the first player who had it to the last.
    pub last: Vec<f64>,
}

/// Asks so many questions of each in turn, after those that do not count.
///
/// # Errors
/// If one of them fails.
pub async fn ask_in_turn(
    contestants: &mut [Contestant],
    rounds: usize,
    told: &impl Fn(&str),
) -> Result<Vec<FanOut>, BenchError> {
    let mut all: Vec<FanOut> = contestants.iter().map(|_| FanOut::default()).collect();
    for round in 0..WARM_UP + rounds {
        for (contestant, figures) in contestants.iter_mut().zip(&mut all) {
            let asked = contestant.ask().await?;
            contestant.end_question().await?;
            if round >= WARM_UP {
                figures.processor.push(asked.each());
                figures.last.push(asked.heard.took().as_secs_f64() * 1e3);
            }
        }
        told("asking");
    }
    Ok(all)
}

/// All contestants, with as many players as planned.
///
/// # Errors
/// If one of them fails.
pub async fn measure(plan: &Plan, told: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let mut contestants = Vec::new();
    for kind in plan.contestants() {
        told("joining");
        let mut contestant = Contestant::start(&plan.launch, kind).await?;
        contestant.join(plan.players).await?;
        contestants.push(contestant);
    }
    let all = ask_in_turn(&mut contestants, plan.rounds, told).await?;
    let kinds: Vec<Kind> = contestants.iter().map(|contestant| contestant.kind).collect();
    Ok(rows(Subject::FanOut, "", &kinds, &all))
}

/// The rows of contestants of which the first is the floor.
#[must_use]
pub fn rows(subject: Subject, case: &str, kinds: &[Kind], all: &[FanOut]) -> Vec<Row> {
    let floor = all.first().cloned().unwrap_or_default();
    let of = |what: What, figures: fn(&FanOut) -> &[f64]| {
        let pairs = kinds.iter().zip(all);
        let floor = figures(&floor);
        pairs.map(|(&kind, each)| Row::beside(subject, kind, case, what, figures(each), floor)).collect::<Vec<_>>()
    };
    [of(What::Processor, |each| &each.processor), of(What::Last, |each| &each.last)].concat()
}
