//! The whole of a run: what was measured, on what, and which goals it reached.

use std::time::Duration;

use serde::Serialize;

use super::goals::{Goal, Verdict, goals};
use super::plan::Plan;
use super::rows::Row;
use super::statistics::PRECISE;

/// A run.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    /// The machine it ran on.
    pub machine: Machine,
    /// How many players there were, unless the row has a number of its own.
    pub players: usize,
    /// So many rounds were wanted; none for as many as were needed.
    pub rounds: Option<usize>,
    /// The seconds after which a subject ended, if the rounds were not given.
    pub limit: u64,
    /// How long the run took.
    pub seconds: f64,
    /// How near an interval's ends had to be, as a part of the ratio.
    pub precise: f64,
    /// What was measured.
    pub rows: Vec<Row>,
    /// What was to be reached.
    pub goals: Vec<Goal>,
    /// Whether the load had a core of its own.
    pub load_has_core: bool,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// What its processor calls itself.
    pub processor: String,
    /// How many cores it has.
    pub cores: usize,
    /// Its kernel.
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

/// What the processor calls itself, from the text of `/proc/cpuinfo`.
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

    /// What became of the goals as a whole: of all of them what is worst. A goal for which nothing was measured is missed.
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

    /// In a sentence: how it was measured.
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
