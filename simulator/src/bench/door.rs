//! The cost of a new connection, from the accept to the end of its handshake, when many clients connect at once. They
//! send nothing afterwards.

use std::time::Instant;

use super::contestant::{BenchError, Contestant};
use super::fan_out::WARM_UP;
use super::plan::Plan;
use super::rows::{Measure, Row, Subject};

/// The maximum number of connections in a round. They are closed before the next round, so that ports and descriptors
/// suffice.
const IN_A_ROUND: usize = 2000;

/// The measurements of one contestant, by round.
#[derive(Debug, Default)]
struct Knocks {
    /// Microseconds of the server's processor time per connection.
    processor: Vec<f64>,
    /// Handshakes per second.
    shaken: Vec<f64>,
}

/// Measures all contestants.
///
/// # Errors
/// If a contestant fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let players = plan.players.min(IN_A_ROUND);
    let mut contestants = Vec::new();
    for kind in plan.contestants() {
        contestants.push((Contestant::start(&plan.launch, kind).await?, Knocks::default()));
    }
    let began = Instant::now();
    for round in 0.. {
        for turn in 0..contestants.len() {
            let place = (round + turn) % contestants.len();
            let (contestant, knocks) = &mut contestants[place];
            let (processor, took) = contestant.knock(players).await?;
            contestant.leave().await?;
            if round >= WARM_UP {
                knocks.processor.push(processor.as_secs_f64() * 1e6 / players as f64);
                knocks.shaken.push(players as f64 / took.as_secs_f64());
            }
        }
        step(&format!("knocking, {} rounds", round + 1));
        let rounds = (round + 1).saturating_sub(WARM_UP);
        if rounds > 0 && plan.stopping.has_enough(Subject::Door, rounds, began.elapsed(), || rows(&contestants)) {
            break;
        }
    }
    Ok(rows(&contestants))
}

/// The rows of the contestants, the first of which is the floor.
fn rows(all: &[(Contestant, Knocks)]) -> Vec<Row> {
    let of = |what: Measure, figures: fn(&Knocks) -> &[f64]| {
        let floor = all.first().map_or(&[][..], |(_, floor)| figures(floor));
        let row = |(contestant, knocks): &(Contestant, Knocks)| {
            Row::beside(Subject::Door, contestant.kind, "", what, figures(knocks), floor)
        };
        all.iter().map(row).collect::<Vec<_>>()
    };
    [of(Measure::Processor, |knocks| &knocks.processor), of(Measure::Shaken, |knocks| &knocks.shaken)].concat()
}
