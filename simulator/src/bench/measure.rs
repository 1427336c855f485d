//! Measures the subjects of a plan, in order.

use super::contestant::BenchError;
use super::plan::Plan;
use super::rows::{Row, Subject};
use super::{boot, door, fairness, fan_out, growth, idle, intake, memory, reactors};

/// Measures all subjects. `step` is called at each step, and `failed` for a subject that can't be measured; the others
/// are measured nevertheless.
pub async fn measure(
    plan: &Plan,
    step: &impl Fn(Subject, &str),
    failed: &mut impl FnMut(Subject, BenchError),
) -> Vec<Row> {
    let mut rows = Vec::new();
    for &subject in &plan.subjects {
        match measure_one(plan, subject, &|text: &str| step(subject, text)).await {
            Ok(measured) => rows.extend(measured),
            Err(error) => failed(subject, error),
        }
    }
    rows
}

async fn measure_one(plan: &Plan, subject: Subject, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    match subject {
        Subject::FanOut => fan_out::measure(plan, step).await,
        Subject::Intake => intake::measure(plan, step).await,
        Subject::Memory => memory::measure(plan, step).await,
        Subject::Idle => idle::measure(plan, step).await,
        Subject::Boot => boot::measure(plan, step).await,
        Subject::Door => door::measure(plan, step).await,
        Subject::Growth => growth::measure(plan, step).await,
        Subject::Fairness => fairness::measure(plan, step).await,
        Subject::Reactors => reactors::measure(plan, step).await,
    }
}
