//! What the subjects find: rows of one form, and the rule by which a figure is not given.

use serde::Serialize;

use super::contestant::Kind;
use super::statistics::{STEADY, Sample, ratio};

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

    /// For people.
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

/// A figure that a subject has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The server's processor time for each player.
    Processor,
    /// From the first player who had it to the last.
    Last,
    /// The server's resident memory for each player.
    Resident,
    /// Part of a core.
    Core,
    /// From the start to the first handshake.
    Boot,
    /// Handshakes in a second.
    Shaken,
    /// Processor time for each of the most players against each of the fewest.
    Growth,
    /// Half of the players had the question in less than this after the host's word.
    Seen50,
    /// 99 of 100 had.
    Seen99,
    /// The wait of a small show's last player, as a part of the time in which a big show fans out.
    Part,
    /// Processor time with two threads against that with one.
    Threads,
}

impl What {
    /// For people, with the unit.
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

/// One figure of one contestant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Of which subject.
    pub subject: Subject,
    /// Whose.
    pub kind: Kind,
    /// In which case, if there are several.
    pub case: String,
    /// What.
    pub what: What,
    /// How much; none if it is not given.
    pub sample: Option<Sample>,
    /// The same in terms of the floor.
    pub ratio: Option<Sample>,
    /// Why it is not given.
    pub refused: Option<String>,
}

impl Row {
    /// A figure that stands for itself.
    #[must_use]
    pub fn plain(subject: Subject, kind: Kind, case: &str, what: What, rounds: &[f64]) -> Self {
        Self { subject, kind, case: case.to_owned(), what, sample: Sample::of(rounds), ratio: None, refused: None }
    }

    /// A figure beside the floor's, whose rounds took turns with its own. It is not given if the floor wobbled: then the machine was
    /// busy with something else, and no figure of these rounds means anything.
    #[must_use]
    pub fn beside(subject: Subject, kind: Kind, case: &str, what: What, rounds: &[f64], floor: &[f64]) -> Self {
        let mut row = Self::plain(subject, kind, case, what, rounds);
        match Sample::of(floor) {
            Some(steady) if steady.is_steady() => row.ratio = ratio(rounds, floor),
            wobbled => {
                row.sample = None;
                row.refused = Some(match wobbled {
                    Some(sample) => format!(
                        "the floor wobbled: the middle half of its rounds spread {:.0} % of their median, more than {:.0} %",
                        sample.spread() * 100.0,
                        STEADY * 100.0
                    ),
                    None => "the floor was not measured".to_owned(),
                });
            }
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_figure_is_given_beside_a_floor_that_wobbled() {
        let row =
            |floor: &[f64]| Row::beside(Subject::FanOut, Kind::Portable, "", What::Processor, &[6.0, 6.0, 6.0], floor);
        let steady = row(&[5.0, 5.0, 5.1]);
        assert_eq!((steady.ratio.unwrap().median, steady.refused), (1.2, None));
        let wobbled = row(&[4.0, 5.0, 6.0]);
        assert_eq!((wobbled.sample, wobbled.ratio), (None, None));
        assert!(wobbled.refused.unwrap().contains("more than 15 %"));
        assert!(row(&[]).refused.is_some());
    }
}
