//! A show of ten players on a gateway where a big show fans out: when its players see their question.

use std::time::Duration;

use super::contestant::{BenchError, Contestant, Round};
use super::plan::Plan;
use super::rows::{Row, Subject, What};
use super::statistics::quantile;
use crate::report::words::count;

/// The players of the small show.
const FEW: usize = 10;
/// So long after the big show's question the small one's follows: the fan-out is in full swing.
const INTO_IT: Duration = Duration::from_millis(10);

/// Each of Klaxon's kinds: the small show alone, and beside the big one.
///
/// # Errors
/// If one of them fails.
pub async fn measure(plan: &Plan, told: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for &kind in &plan.klaxon {
        told("joining");
        let mut big = Contestant::start(&plan.launch, kind).await?;
        big.join(plan.players).await?;
        let mut small = big.beside(&plan.launch).await?;
        small.join(FEW).await?;
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..plan.rounds {
            let asked = small.ask().await?;
            alone.extend(seen(&asked, &small)?);
            small.end_question().await?;
            let later = async {
                tokio::time::sleep(INTO_IT).await;
                small.ask().await
            };
            let (of_big, of_small) = tokio::join!(big.ask(), later);
            of_big?;
            beside.extend(seen(&of_small?, &small)?);
            big.end_question().await?;
            small.end_question().await?;
            told("asking");
        }
        for (case, mut times) in [("alone".to_owned(), alone), (beside_of(plan.players), beside)] {
            times.sort_by(f64::total_cmp);
            let p99: Vec<f64> = quantile(&times, 0.99).into_iter().collect();
            rows.push(Row::plain(Subject::Fairness, kind, &case, What::Seen99, &p99));
        }
    }
    Ok(rows)
}

fn beside_of(players: usize) -> String {
    format!("beside {} players", count(players as u64))
}

/// Milliseconds from the server's time in the question, which is in whole ones, to each player's.
fn seen(round: &Round, contestant: &Contestant) -> Result<Vec<f64>, BenchError> {
    let at = round.question(contestant.kind)?.at.0 as f64;
    Ok(round.heard.at.iter().map(|seen| seen.0 as f64 / 1e3 - at).collect())
}
