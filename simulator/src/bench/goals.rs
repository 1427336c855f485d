//! The goals of the benchmark, and whether they were reached.

use serde::Serialize;

use super::contestant::Kind;
use super::rows::{FILE, MEMORY, Measure, PINGED, Row, Subject};
use super::statistics::{Estimate, Side};

/// A goal, and the measurement for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Goal {
    /// The measured quantity.
    pub what: String,
    /// The contestant.
    pub kind: Kind,
    /// The largest value that reaches the goal.
    pub at_most: f64,
    /// The measured value; none if it was not measured.
    pub reached: Option<Estimate>,
}

/// Whether a goal was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval is within the goal.
    Reached,
    /// The whole interval is beyond the goal.
    Missed,
    /// The interval contains the goal, or there were too few rounds for an interval.
    Undecided,
    /// Nothing was measured.
    NoFigure,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Reached => "reached",
            Self::Missed => "missed",
            Self::Undecided => "undecided",
            Self::NoFigure => "no figure",
        })
    }
}

impl Goal {
    /// Whether the goal was reached.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.reached.map(|reached| reached.side(self.at_most)) {
            Some(Side::Within) => Verdict::Reached,
            Some(Side::Beyond) => Verdict::Missed,
            Some(Side::Undecided) => Verdict::Undecided,
            None => Verdict::NoFigure,
        }
    }
}

/// The goals of the measured subjects.
#[must_use]
pub fn goals(rows: &[Row], kinds: &[Kind], subjects: &[Subject]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for &kind in kinds {
        let fan_out = if kind == Kind::IoUring { 0.95 } else { 1.15 };
        let wanted: [(Subject, Measure, &str, &str, f64); 11] = [
            (Subject::FanOut, Measure::Processor, "", "fan-out: CPU per delivery / floor", fan_out),
            (Subject::FanOut, Measure::Last, "", "fan-out: time to the last / floor", 1.1),
            (Subject::Intake, Measure::Processor, MEMORY, "intake, journal in memory: CPU per answer / floor", 1.2),
            (Subject::Intake, Measure::Processor, FILE, "intake, journal in a file: CPU per answer / floor", 1.4),
            (Subject::Memory, Measure::Resident, "", "resident memory per joined idle player, KiB", 2.0),
            (Subject::Idle, Measure::Core, "", "idle players with heartbeats, % of a core", 0.5),
            (Subject::Idle, Measure::Core, PINGED, "idle players who answer pings, % of a core", 0.5),
            (Subject::Boot, Measure::Boot, "", "boot to first handshake, ms", 50.0),
            (Subject::Growth, Measure::Growth, "", "CPU per delivery, most / fewest players", 1.1),
            (Subject::Fairness, Measure::Part, "", "a show of ten: its wait / a big one's fan-out", 0.5),
            (Subject::Reactors, Measure::Threads, "", "CPU per delivery, 2 reactors / 1", 1.1),
        ];
        for (subject, measured, case, what, at_most) in wanted {
            if !subjects.contains(&subject) {
                continue;
            }
            let row = rows.iter().find(|row| {
                (row.subject, row.kind, row.what) == (subject, kind, measured) && (case.is_empty() || row.case == case)
            });
            // For these subjects the goal is the ratio to the floor.
            let against_floor = matches!(subject, Subject::FanOut | Subject::Intake);
            let reached = row.and_then(|row| if against_floor { row.ratio } else { row.figure });
            goals.push(Goal { what: what.to_owned(), kind, at_most, reached });
        }
    }
    goals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_missed_undecided_or_has_no_figure() {
        let rows = |ratios: &[f64], boot: f64| {
            vec![
                Row::beside(Subject::FanOut, Kind::Portable, "", Measure::Processor, ratios, &vec![1.0; ratios.len()]),
                Row::plain(Subject::Boot, Kind::Portable, "", Measure::Boot, &[boot]),
            ]
        };
        let verdicts = |ratios: &[f64], boot: f64| {
            let goals = goals(&rows(ratios, boot), &[Kind::Portable], &[Subject::FanOut, Subject::Boot]);
            let limits: Vec<_> = goals.iter().map(|goal| goal.at_most).collect();
            assert_eq!(limits, [1.15, 1.1, 50.0]);
            goals.iter().map(Goal::verdict).collect::<Vec<_>>()
        };
        use Verdict::{Missed, NoFigure, Reached, Undecided};
        assert_eq!(verdicts(&[1.0, 1.01, 1.02, 1.0, 1.01, 1.02], 80.0), [Reached, NoFigure, Missed]);
        // The estimate is below the goal, but the interval contains the goal.
        assert_eq!(verdicts(&[1.0, 1.3, 1.1, 1.2, 1.0, 1.1], 8.0), [Undecided, NoFigure, Reached]);
        // The estimate is above the goal, but the interval contains the goal.
        assert_eq!(verdicts(&[1.0, 1.3, 1.2, 1.3, 1.2, 1.2], 8.0), [Undecided, NoFigure, Reached]);
        assert_eq!(verdicts(&[1.2, 1.3, 1.2, 1.3, 1.2, 1.3], 8.0), [Missed, NoFigure, Reached]);
        assert_eq!(verdicts(&[0.5, 0.5], 8.0), [Undecided, NoFigure, Reached]);
    }
}
