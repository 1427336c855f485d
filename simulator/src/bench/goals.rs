//! What was to be reached, and whether it was.

use serde::Serialize;

use super::contestant::Kind;
use super::idle::PINGED;
use super::intake::{FILE, MEMORY};
use super::rows::{Row, Subject, What};

/// A goal and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Goal {
    /// What is measured.
    pub what: String,
    /// Of which contestant.
    pub kind: Kind,
    /// At most so much.
    pub at_most: f64,
    /// So much was measured; none if it was not, or was not given.
    pub reached: Option<f64>,
}

impl Goal {
    /// Whether there is a figure, and it is no more than it may be.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.reached.is_some_and(|reached| reached <= self.at_most)
    }

    /// In a word.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.reached {
            Some(_) if self.is_reached() => "reached",
            Some(_) => "missed",
            None => "no figure",
        }
    }
}

/// The goals of the subjects that were measured.
#[must_use]
pub fn goals(rows: &[Row], kinds: &[Kind], subjects: &[Subject]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for &kind in kinds {
        let fan_out = if kind == Kind::IoUring { 0.95 } else { 1.15 };
        let wanted: [(Subject, What, &str, &str, f64); 11] = [
            (Subject::FanOut, What::Processor, "", "fan-out: CPU per delivery / floor", fan_out),
            (Subject::FanOut, What::Last, "", "fan-out: time to the last / floor", 1.1),
            (Subject::Intake, What::Processor, MEMORY, "intake, journal in memory: CPU per answer / floor", 1.2),
            (Subject::Intake, What::Processor, FILE, "intake, journal in a file: CPU per answer / floor", 1.4),
            (Subject::Memory, What::Resident, "", "resident memory per joined idle player, KiB", 2.0),
            (Subject::Idle, What::Core, "", "idle players with heartbeats, % of a core", 0.5),
            (Subject::Idle, What::Core, PINGED, "idle players who answer pings, % of a core", 0.5),
            (Subject::Boot, What::Boot, "", "boot to first handshake, ms", 50.0),
            (Subject::Growth, What::Growth, "", "CPU per delivery, most / fewest players", 1.1),
            (Subject::Fairness, What::Part, "", "a show of ten: its wait / a big one's fan-out", 0.5),
            (Subject::Reactors, What::Threads, "", "CPU per delivery, 2 reactors / 1", 1.1),
        ];
        for (subject, measured, case, what, at_most) in wanted {
            if !subjects.contains(&subject) {
                continue;
            }
            let row = rows.iter().find(|row| {
                (row.subject, row.kind, row.what) == (subject, kind, measured) && (case.is_empty() || row.case == case)
            });
            // Where there is a floor, it is the measure.
            let against_floor = matches!(subject, Subject::FanOut | Subject::Intake);
            let sample = row.and_then(|row| if against_floor { row.ratio.as_ref() } else { row.sample.as_ref() });
            goals.push(Goal { what: what.to_owned(), kind, at_most, reached: sample.map(|sample| sample.median) });
        }
    }
    goals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_missed_or_has_no_figure() {
        let rows = [
            Row::beside(Subject::FanOut, Kind::Portable, "", What::Processor, &[6.0], &[6.0]),
            Row::plain(Subject::Boot, Kind::Portable, "", What::Boot, &[80.0]),
        ];
        let subjects = [Subject::FanOut, Subject::Boot];
        let goals = goals(&rows, &[Kind::Portable], &subjects);
        let verdicts: Vec<_> = goals.iter().map(|goal| (goal.at_most, goal.verdict())).collect();
        assert_eq!(verdicts, [(1.15, "reached"), (1.1, "no figure"), (50.0, "missed")]);
        assert_eq!(goals.iter().map(Goal::is_reached).collect::<Vec<_>>(), [true, false, false]);
    }
}
