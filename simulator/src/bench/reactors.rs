//! Measures whether a delivery costs more when more threads share the players. The server uses both cores, so the load
//! generator shares one of them.

use super::contestant::{BenchError, Contestant, Kind, Launch};
use super::fan_out::{self, FanOut, ask_in_turn};
use super::plan::Plan;
use super::rows::{Measure, Row, Subject};
use super::statistics::ratios;

/// The cores of the server.
const BOTH: &str = "0,1";
/// Numbers of threads that own sockets.
const THREADS: [usize; 2] = [1, 2];

/// Measures each of Klaxon's transports with one thread and with two, and the baseline server, which has one thread.
///
/// # Errors
/// If one of them fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let klaxon = plan.klaxon.iter().flat_map(|&kind| THREADS.map(|threads| (kind, threads)));
    let cases: Vec<_> = std::iter::once((Kind::Floor, 1)).chain(klaxon).collect();
    let join = async || {
        let mut contestants = Vec::new();
        for &(kind, shards) in &cases {
            step("joining");
            let launch = Launch { server_cores: BOTH.into(), load_core: None, shards, ..plan.launch.clone() };
            let mut contestant = Contestant::start(&launch, kind).await?;
            contestant.join(plan.players).await?;
            contestants.push(contestant);
        }
        Ok(contestants)
    };
    let rows = |all: &[FanOut]| rows(&cases, all);
    Ok(rows(&ask_in_turn(plan, Subject::Reactors, join, rows, step).await?))
}

fn rows(cases: &[(Kind, usize)], all: &[FanOut]) -> Vec<Row> {
    let kinds: Vec<Kind> = cases.iter().map(|(kind, _)| *kind).collect();
    let costs = fan_out::rows(Subject::Reactors, "", &kinds, all).into_iter();
    let costs = costs.filter(|row| row.what == Measure::Processor);
    let named = |(row, (_, threads)): (Row, &(Kind, usize))| {
        let case = format!("{threads} thread{}", if *threads == 1 { "" } else { "s" });
        Row { case, ..row }
    };
    let mut rows: Vec<Row> = costs.zip(cases).map(named).collect();
    for (one, two) in cases.iter().zip(all).zip(cases.iter().zip(all).skip(1)) {
        let ((&(kind, _), one), (&(same, _), two)) = (one, two);
        if kind == same {
            let ratios = ratios(&two.processor, &one.processor);
            rows.push(Row::ratio(Subject::Reactors, kind, "", Measure::Threads, &ratios));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_are_compared_with_one_of_the_same_kind_round_by_round() {
        let of = |processor: &[f64]| FanOut { processor: processor.to_vec(), ..FanOut::default() };
        let cases =
            [(Kind::Floor, 1), (Kind::IoUring, 1), (Kind::IoUring, 2), (Kind::Portable, 1), (Kind::Portable, 2)];
        let all = [&[5.0, 9.0][..], &[4.0, 8.0], &[5.0, 10.0], &[6.0, 6.0], &[6.0, 6.0]].map(of);
        let rows = rows(&cases, &all);
        let compared: Vec<_> = rows.iter().filter(|row| row.what == Measure::Threads).collect();
        let medians = compared.iter().map(|row| (row.kind, row.sample.as_ref().unwrap().median));
        assert_eq!(medians.collect::<Vec<_>>(), [(Kind::IoUring, 1.25), (Kind::Portable, 1.0)]);
        assert_eq!(rows[2].case, "2 threads");
    }
}
