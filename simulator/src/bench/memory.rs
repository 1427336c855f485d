//! The server's resident memory per player who joined and is idle.

use super::contestant::{BenchError, Contestant};
use super::plan::Plan;
use super::rows::{Measure, Row, Subject};

/// Measures all contestants, each with a process that has had no players before.
///
/// # Errors
/// If a contestant fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for kind in plan.contestants() {
        step("joining");
        let mut contestant = Contestant::start(&plan.launch, kind).await?;
        let before = contestant.clock.resident()?;
        contestant.join(plan.players).await?;
        let each = contestant.clock.resident()?.saturating_sub(before) as f64 / plan.players.max(1) as f64 / 1024.0;
        rows.push(Row::plain(Subject::Memory, kind, "", Measure::Resident, &[each]));
    }
    Ok(rows)
}
