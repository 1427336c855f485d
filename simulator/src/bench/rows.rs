//! The results of all subjects, as rows of one form.

use serde::Serialize;

use super::contestant::Kind;
use super::statistics::{Estimate, Sample};

/// The case of intake with a journal in memory.
pub const MEMORY: &str = "journal in memory";
/// The case of intake with a journal on disk.
pub const FILE: &str = "journal in a file";
/// The case of idle players who only answer pings. With the floor they send heartbeats at the same interval: a read and
/// a write each.
pub const PINGED: &str = "pings";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// One question to everybody.
    FanOut,
    /// One answer from everybody.
    Intake,
    /// What a joined player who does nothing takes.
    Memory,
    /// What players with heartbeats cost.
    Idle,
    /// From the start of the process to its first handshake.
    Boot,
    /// What a new connection costs.
    Door,
    /// Fan-out to few and to many.
    Growth,
    /// A small show beside a big one.
    Fairness,
    /// Fan-out by one thread and by two.
    Reactors,
}

impl Subject {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 9] = [
        Self::FanOut,
        Self::Intake,
        Self::Memory,
        Self::Idle,
        Self::Boot,
        Self::Door,
        Self::Growth,
        Self::Fairness,
        Self::Reactors,
    ];

    /// The heading for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::FanOut => "Fan-out: one question to everybody",
            Self::Intake => "Intake: one answer from everybody, until its reply is there",
            Self::Memory => "Memory: a joined player who does nothing",
            Self::Idle => "Idle: all players, with heartbeats only",
            Self::Boot => "Boot: from the start of the process to its first handshake",
            Self::Door => "Door: a new connection, until its handshake is done",
            Self::Growth => "Growth: fan-out to few and to many",
            Self::Fairness => "Fairness: a show of ten beside a big one that fans out",
            Self::Reactors => "Reactors: fan-out by one thread and by two, load on the same cores",
        }
    }
}

/// A measured quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The server's processor time per player.
    Processor,
    /// The time from the first player who received it to the last.
    Last,
    /// The server's resident memory per player.
    Resident,
    /// The used part of a core.
    Core,
    /// The time from the start to the first handshake.
    Boot,
    /// Handshakes per second.
    Shaken,
    /// Processor time per player with the most players, divided by that with the fewest.
    Growth,
    /// The median time from the host's command to a player.
    Seen50,
    /// The 99th percentile of the time from the host's command to a player.
    Seen99,
    /// The delay of a small show's last player, as a part of a big show's fan-out.
    Part,
    /// Processor time with two threads, divided by that with one.
    Threads,
}

impl Measure {
    /// Whether the quantity is itself a ratio of two that were measured in the same round.
    #[must_use]
    pub const fn is_ratio(self) -> bool {
        matches!(self, Self::Growth | Self::Part | Self::Threads)
    }

    /// The heading for people, with the unit.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Processor => "CPU each, us",
            Self::Last => "first to last, ms",
            Self::Resident => "resident each, KiB",
            Self::Core => "of a core, %",
            Self::Boot => "boot, ms",
            Self::Shaken => "handshakes a second",
            Self::Growth => "most / fewest",
            Self::Seen50 => "seen after, p50, ms",
            Self::Seen99 => "seen after, p99, ms",
            Self::Part => "wait / big fan-out",
            Self::Threads => "2 threads / 1",
        }
    }
}

/// One quantity of one contestant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The subject.
    pub subject: Subject,
    /// The contestant.
    pub kind: Kind,
    /// The case, if the subject has several; otherwise empty.
    pub case: String,
    /// The quantity.
    pub what: Measure,
    /// The distribution of the rounds; none without rounds.
    pub sample: Option<Sample>,
    /// The estimate from the rounds.
    pub figure: Option<Estimate>,
    /// The estimate of the ratio to the floor, from the ratio of each round.
    pub ratio: Option<Estimate>,
    /// Why there is no estimate.
    pub refused: Option<String>,
}

impl Row {
    /// A row without a ratio to the floor: of several rounds, or measured once.
    #[must_use]
    pub fn plain(subject: Subject, kind: Kind, case: &str, what: Measure, rounds: &[f64]) -> Self {
        let figure = match rounds {
            [once] => Some(Estimate::once(*once)),
            several => Estimate::of(several),
        };
        Self {
            subject,
            kind,
            case: case.to_owned(),
            what,
            sample: Sample::of(rounds),
            figure,
            ratio: None,
            refused: None,
        }
    }

    /// A row with its ratio to the floor, whose rounds alternated with its own.
    #[must_use]
    pub fn beside(subject: Subject, kind: Kind, case: &str, what: Measure, rounds: &[f64], floor: &[f64]) -> Self {
        let mut row = Self::plain(subject, kind, case, what, rounds);
        row.figure = Estimate::of(rounds);
        row.ratio = Estimate::of_ratio(rounds, floor);
        if row.ratio.is_none() {
            row.refused = Some("in no round was there anything to compare".to_owned());
        }
        row
    }

    /// A row whose quantity is a ratio, one per round.
    #[must_use]
    pub fn ratio(subject: Subject, kind: Kind, case: &str, what: Measure, ratios: &[f64]) -> Self {
        Self { figure: Estimate::of(ratios), ..Self::plain(subject, kind, case, what, ratios) }
    }

    /// Whether the row's ratio, if it has one, is known precisely enough.
    #[must_use]
    pub fn is_precise(&self) -> bool {
        let ratio = if self.what.is_ratio() { self.figure } else { self.ratio };
        ratio.is_none_or(|ratio| ratio.is_precise())
    }
}

#[cfg(test)]
mod tests {
    use super::super::statistics::Known;
    use super::*;

    #[test]
    fn a_floor_that_wobbles_is_no_reason_to_print_nothing() {
        let floor = [4.0, 5.0, 9.0, 4.5, 12.0, 5.0];
        let rounds = floor.map(|floor| 1.2 * floor);
        let row = Row::beside(Subject::FanOut, Kind::Portable, "", Measure::Processor, &rounds, &floor);
        let ratio = row.ratio.unwrap();
        assert!((ratio.value - 1.2).abs() < 1e-9 && row.is_precise() && row.refused.is_none(), "{ratio:?}");
        assert!(row.sample.is_some());
    }

    #[test]
    fn a_row_without_a_floor_says_that_there_is_nothing_to_compare() {
        let row = Row::beside(Subject::FanOut, Kind::Portable, "", Measure::Processor, &[6.0], &[]);
        assert!(row.ratio.is_none() && row.refused.is_some());
    }

    #[test]
    fn one_round_of_many_is_not_a_figure_that_was_measured_once() {
        let once = Row::plain(Subject::Memory, Kind::Portable, "", Measure::Resident, &[0.6]);
        assert_eq!(once.figure.unwrap().known, Known::Once);
        let one_of_many = Row::ratio(Subject::Fairness, Kind::Portable, "", Measure::Part, &[0.2]);
        assert_eq!(one_of_many.figure.unwrap().known, Known::TooFewRounds);
        assert!(once.is_precise() && !one_of_many.is_precise());
    }
}
