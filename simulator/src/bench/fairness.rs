//! Measures the delay of a question to a show of ten players while a big show fans out on the same gateway. The delay
//! is from the host's command until the kernel has received the bytes for a player, since the loads share a core and
//! delay each other.

use std::time::{Duration, Instant};

use super::contestant::{BenchError, Contestant, Kind};
use super::hosting::MOST_QUESTIONS;
use super::plan::Plan;
use super::rows::{Measure, Row, Subject};
use crate::report::words::{count, quantile};

/// The number of players of the small show.
const FEW: usize = 10;
/// The delay of the small show's question after the big one's, so that it falls into the fan-out.
const INTO_IT: Duration = Duration::from_millis(10);

/// The reason for a missing figure.
const NOT_BESIDE: &str = "the big show was through before the small one asked";

/// The measurements of one kind.
#[derive(Debug, Default)]
struct Rounds {
    /// Milliseconds from the host's command to each of the small show's players, without the big show.
    alone: Vec<f64>,
    /// Milliseconds from the host's command to each of the small show's players, during the big show's fan-out.
    beside: Vec<f64>,
    /// Milliseconds from the big show's first player to its last.
    big: Vec<f64>,
    /// The delay of the small show's last player, as a fraction of the big show's fan-out.
    part: Vec<f64>,
}

/// Measures each of Klaxon's kinds: the small show alone, and during the big show's fan-out.
///
/// # Errors
/// If a contestant fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let mut all = Vec::new();
    for &kind in &plan.klaxon {
        step("joining");
        let mut big = Contestant::start(&plan.launch, kind).await?;
        big.join(plan.players).await?;
        let mut small = big.beside(&plan.launch).await?;
        small.join(FEW).await?;
        let mut rounds = Rounds::default();
        let began = Instant::now();
        let stopping = plan.stopping.shared_by(plan.klaxon.len());
        for round in 1..=usize::from(MOST_QUESTIONS) {
            rounds.one(&mut big, &mut small).await?;
            step(&format!("asking, {round} rounds"));
            let rows = || vec![part(kind, &rounds)];
            if stopping.has_enough(Subject::Fairness, round, began.elapsed(), rows) {
                break;
            }
        }
        all.push((kind, rounds));
    }
    Ok(rows(&all, plan.players))
}

impl Rounds {
    async fn one(&mut self, big: &mut Contestant, small: &mut Contestant) -> Result<(), BenchError> {
        let alone = small.ask().await?;
        small.end_question().await?;
        let later = async {
            tokio::time::sleep(INTO_IT).await;
            small.ask().await
        };
        let (of_big, of_small) = tokio::join!(big.ask(), later);
        let (of_big, of_small) = (of_big?, of_small?);
        big.end_question().await?;
        small.end_question().await?;
        let took = of_big.received.took().as_secs_f64() * 1e3;
        self.alone.extend(alone.waits());
        self.big.push(took);
        // Ignored if the big show's fan-out had ended before the small show's question.
        if of_big.received.at.last().is_some_and(|last| of_small.began < *last) {
            self.beside.extend(of_small.waits());
            self.part.extend(of_small.waits().last().map(|wait| wait / took));
        }
        Ok(())
    }
}

/// The delay of the small show's last player as a fraction of the fan-out, by round.
fn part(kind: Kind, rounds: &Rounds) -> Row {
    let row = Row::ratio(Subject::Fairness, kind, "", Measure::Part, &rounds.part);
    Row { refused: row.sample.is_none().then(|| NOT_BESIDE.to_owned()), ..row }
}

fn rows(all: &[(Kind, Rounds)], players: usize) -> Vec<Row> {
    let big = format!("{} players", count(players as u64));
    let row = |kind: Kind, case: &str, what: Measure, figures: &[f64]| {
        let row = Row::plain(Subject::Fairness, kind, case, what, figures);
        let refused = row.sample.is_none().then(|| NOT_BESIDE.to_owned());
        Row { refused, ..row }
    };
    let mut rows = Vec::new();
    for (what, part) in [(Measure::Seen50, 0.5), (Measure::Seen99, 0.99)] {
        for (kind, rounds) in all {
            for (case, times) in [("alone".to_owned(), &rounds.alone), (format!("beside {big}"), &rounds.beside)] {
                let mut times = times.clone();
                times.sort_by(f64::total_cmp);
                let figure: Vec<f64> = quantile(&times, part).into_iter().collect();
                rows.push(row(*kind, &case, what, &figure));
            }
        }
    }
    rows.extend(all.iter().map(|(kind, rounds)| row(*kind, &big, Measure::Last, &rounds.big)));
    rows.extend(all.iter().map(|(kind, rounds)| part(*kind, rounds)));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_show_that_was_never_beside_the_big_one_has_no_figure_for_it() {
        let rounds = Rounds { alone: vec![0.5, 0.4], big: vec![0.1], ..Rounds::default() };
        let rows = rows(&[(Kind::Portable, rounds)], 1000);
        let given = |row: &&Row| row.sample.is_some();
        let cases: Vec<_> = rows.iter().filter(given).map(|row| (row.case.as_str(), row.what)).collect();
        assert_eq!(cases, [("alone", Measure::Seen50), ("alone", Measure::Seen99), ("1,000 players", Measure::Last)]);
        assert!(rows.iter().all(|row| row.sample.is_some() != row.refused.is_some()));
    }
}
