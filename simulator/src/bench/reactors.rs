//! Whether a delivery costs more when more threads share the players. The server has both cores, so the load shares one with it.

use super::contestant::{BenchError, Contestant, Kind, Launch};
use super::fan_out::{self, ask_in_turn};
use super::plan::Plan;
use super::rows::{Row, Subject, What};

/// The cores of the server.
const BOTH: &str = "0,1";
/// How many threads own sockets.
const THREADS: [usize; 2] = [1, 2];

/// Each of Klaxon's kinds with one thread and with two, and the floor, which has one.
///
/// # Errors
/// If one of them fails.
pub async fn measure(plan: &Plan, told: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let mut contestants = Vec::new();
    let mut cases = Vec::new();
    let klaxon = plan.klaxon.iter().flat_map(|&kind| THREADS.map(|threads| (kind, threads)));
    for (kind, shards) in std::iter::once((Kind::Floor, 1)).chain(klaxon) {
        told("joining");
        let launch = Launch { server_cores: BOTH.into(), load_core: None, shards, ..plan.launch.clone() };
        let mut contestant = Contestant::start(&launch, kind).await?;
        contestant.join(plan.players).await?;
        contestants.push(contestant);
        cases.push((kind, format!("{shards} thread{}", if shards == 1 { "" } else { "s" })));
    }
    let all = ask_in_turn(&mut contestants, plan.few_rounds(), told).await?;
    let kinds: Vec<Kind> = cases.iter().map(|(kind, _)| *kind).collect();
    let rows = fan_out::rows(Subject::Reactors, "", &kinds, &all).into_iter();
    let rows = rows.filter(|row| row.what == What::Processor);
    Ok(rows.zip(cases).map(|(row, (_, case))| Row { case, ..row }).collect())
}
