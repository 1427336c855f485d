//! The result of a run: the measurements, the machine, and the goals.

use std::time::Duration;

use serde::Serialize;

use super::goals::{Goal, Verdict, goals};
use super::plan::Plan;
use super::rows::Row;
use super::statistics::PRECISE;

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    /// The machine it ran on.
    pub machine: Machine,
    /// The number of players, unless a row has its own.
    pub players: usize,
    /// The fixed number of rounds; none if they were measured until precise.
    pub rounds: Option<usize>,
    /// The time limit of a subject in seconds, unless the rounds were fixed.
    pub limit: u64,
    /// The duration of the run in seconds.
    pub seconds: f64,
    /// The required distance of an interval's ends from the ratio, as a part of it.
    pub precise: f64,
    /// The measurements.
    pub rows: Vec<Row>,
    /// The goals.
    pub goals: Vec<Goal>,
    /// Whether the load had a core of its own.
    pub load_has_core: bool,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The processor's model name.
    pub processor: String,
    /// The number of cores.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { processor: model(&info).unwrap_or("unknown processor").to_owned(), cores, kernel }
    }
}

/// The processor's model name, from the text of `/proc/cpuinfo`.
fn model(info: &str) -> Option<&str> {
    info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name.trim()))
}

impl BenchReport {
    /// The report of these rows.
    #[must_use]
    pub fn of(plan: &Plan, machine: Machine, rows: Vec<Row>, took: Duration) -> Self {
        Self {
            machine,
            players: plan.players,
            rounds: plan.stopping.exactly,
            limit: plan.stopping.at_most.as_secs(),
            seconds: took.as_secs_f64(),
            precise: PRECISE,
            goals: goals(&rows, &plan.klaxon, &plan.subjects),
            rows,
            load_has_core: plan.launch.load_core.is_some(),
        }
    }

    /// The verdict over all goals: the worst of them. A goal without a measurement counts as missed.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts: Vec<Verdict> = self.goals.iter().map(Goal::verdict).collect();
        let any = |verdict| verdicts.contains(&verdict);
        if any(Verdict::Missed) || any(Verdict::NoFigure) {
            Verdict::Missed
        } else if any(Verdict::Undecided) {
            Verdict::Undecided
        } else {
            Verdict::Reached
        }
    }

    /// A sentence about how the run was measured.
    #[must_use]
    pub fn how(&self) -> String {
        let load = if self.load_has_core { "the load on another" } else { "the load on the same: only one is there" };
        let rounds = match self.rounds {
            Some(rounds) => format!("{rounds} rounds"),
            None => format!(
                "rounds until each ratio is known to {:.0} %, {} s a subject at most",
                self.precise * 100.0,
                self.limit
            ),
        };
        format!(
            "{} players, {rounds}, by turns, server on one core and {load}; {}, {} cores, Linux {}; {:.0} s",
            self.players, self.machine.processor, self.machine.cores, self.machine.kernel, self.seconds
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_s_name_is_read_from_the_kernel_s_words() {
        assert_eq!(model("processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: x\n"), Some("AMD EPYC"));
        assert_eq!(model("processor\t: 0\n"), None);
        assert!(Machine::here().cores > 0);
    }
}
