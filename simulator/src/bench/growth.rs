//! Whether a delivery costs more with more players: fan-out to few and many players, all sizes in turn.

use super::contestant::{BenchError, Contestant, Kind};
use super::fan_out::{self, FanOut, ask_in_turn};
use super::plan::Plan;
use super::rows::{Measure, Row, Subject};
use super::statistics::ratios;
use crate::report::words::count;

/// Measures the floor and Klaxon's kinds, each with all sizes.
///
/// # Errors
/// If a contestant fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let kinds: Vec<Kind> = plan.contestants().filter(|&kind| kind != Kind::Customary).collect();
    let sizes = plan.sizes();
    let join = async || {
        let mut contestants = Vec::new();
        for players in sizes {
            for &kind in &kinds {
                step("joining");
                let mut contestant = Contestant::start(&plan.launch, kind).await?;
                contestant.join(players).await?;
                contestants.push(contestant);
            }
        }
        Ok(contestants)
    };
    let rows = |all: &[FanOut]| rows(&kinds, &sizes, all);
    Ok(rows(&ask_in_turn(plan, Subject::Growth, join, rows, step).await?))
}

fn rows(kinds: &[Kind], sizes: &[usize], all: &[FanOut]) -> Vec<Row> {
    let by_size: Vec<&[FanOut]> = all.chunks(kinds.len().max(1)).collect();
    let mut rows = Vec::new();
    for (players, figures) in sizes.iter().zip(&by_size) {
        let case = format!("{} players", count(*players as u64));
        let with_last = fan_out::rows(Subject::Growth, &case, kinds, figures);
        rows.extend(with_last.into_iter().filter(|row| row.what == Measure::Processor));
    }
    if let (Some(fewest), Some(most)) = (by_size.first(), by_size.last()) {
        for ((&kind, most), fewest) in kinds.iter().zip(*most).zip(*fewest) {
            let ratios = ratios(&most.processor, &fewest.processor);
            rows.push(Row::ratio(Subject::Growth, kind, "most / fewest players", Measure::Growth, &ratios));
        }
    }
    rows
}
