//! The whole of a run: what was measured, on what, and which goals it reached.

use std::time::Duration;

use serde::Serialize;

use super::goals::{Goal, goals};
use super::plan::Plan;
use super::rows::Row;
use super::statistics::STEADY;

/// A run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The machine it ran on.
    pub machine: Machine,
    /// How many players there were, where the row says nothing else.
    pub players: usize,
    /// Rounds that count.
    pub rounds: usize,
    /// How long the run took.
    pub seconds: f64,
    /// The most that the floor's rounds may spread.
    pub steady: f64,
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

impl Report {
    /// The report of these rows.
    #[must_use]
    pub fn of(plan: &Plan, machine: Machine, rows: Vec<Row>, took: Duration) -> Self {
        Self {
            machine,
            players: plan.players,
            rounds: plan.rounds,
            seconds: took.as_secs_f64(),
            steady: STEADY,
            goals: goals(&rows, &plan.klaxon, &plan.subjects),
            rows,
            load_has_core: plan.launch.load_core.is_some(),
        }
    }

    /// Whether every goal of what was measured is reached.
    #[must_use]
    pub fn all_reached(&self) -> bool {
        self.goals.iter().all(Goal::is_reached)
    }

    /// In a sentence: how it was measured.
    #[must_use]
    pub fn how(&self) -> String {
        let load = if self.load_has_core { "the load on another" } else { "the load on the same: only one is there" };
        format!(
            "{} players, {} rounds in turn, server on one core and {load}; {}, {} cores, Linux {}; {:.0} s",
            self.players, self.rounds, self.machine.processor, self.machine.cores, self.machine.kernel, self.seconds
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
