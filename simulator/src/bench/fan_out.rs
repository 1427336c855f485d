//! One question to everybody: the server's processor time for each delivery, and the time to the last player.

use super::contestant::{BenchError, Contestant};

/// What was measured of one contestant, by round.
#[derive(Debug, Default)]
pub struct FanOut {
    /// Microseconds of the server's processor time for each delivery.
    pub processor: Vec<f64>,
    /// Milliseconds from the first player who had it to the last.
    pub last: Vec<f64>,
}

/// Asks so many questions of each in turn, after `warm_up` that do not count.
///
/// # Errors
/// If one of them fails.
pub async fn measure(
    contestants: &mut [Contestant],
    warm_up: usize,
    rounds: usize,
    mut told: impl FnMut(),
) -> Result<Vec<FanOut>, BenchError> {
    let mut all: Vec<FanOut> = contestants.iter().map(|_| FanOut::default()).collect();
    for round in 0..warm_up + rounds {
        for (contestant, figures) in contestants.iter_mut().zip(&mut all) {
            let asked = contestant.ask().await?;
            contestant.end_question().await?;
            if round >= warm_up {
                let deliveries = asked.heard.at.len().max(1) as f64;
                figures.processor.push(asked.processor.as_secs_f64() * 1e6 / deliveries);
                figures.last.push(asked.heard.took().as_secs_f64() * 1e3);
            }
        }
        told();
    }
    Ok(all)
}
