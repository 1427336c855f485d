//! When a subject has been measured enough: its ratios are precise and its goals decided, or its time is over.

use std::time::Duration;

use super::goals::{Goal, Verdict, goals};
use super::rows::{Row, Subject};

/// The number of rounds before the first check: the first few may agree by chance.
const LEAST: usize = 12;

/// How long a subject is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopping {
    /// A fixed number of rounds; none to measure until precise.
    pub exactly: Option<usize>,
    /// The time limit of each subject, unless the number of rounds is fixed.
    pub at_most: Duration,
}

impl Stopping {
    /// The limits with the time divided, for a subject that measures its contestants one after another.
    #[must_use]
    pub fn shared_by(self, contestants: usize) -> Self {
        let parts = u32::try_from(contestants.max(1)).unwrap_or(u32::MAX);
        Self { at_most: self.at_most / parts, ..self }
    }

    /// Whether a subject has been measured enough, after this number of rounds and this time; `rows` computes its
    /// results so far.
    pub fn has_enough(self, subject: Subject, rounds: usize, took: Duration, rows: impl FnOnce() -> Vec<Row>) -> bool {
        self.has_enough_since(rounds.saturating_sub(1), subject, rounds, took, rows)
    }

    /// As [`Self::has_enough`], if several rounds are measured at once: there were `before` rounds at the last call.
    pub fn has_enough_since(
        self,
        before: usize,
        subject: Subject,
        rounds: usize,
        took: Duration,
        rows: impl FnOnce() -> Vec<Row>,
    ) -> bool {
        match self.exactly {
            Some(exactly) => rounds >= exactly,
            None => took >= self.at_most || ((before + 1..=rounds).any(is_look) && are_known(subject, &rows())),
        }
    }
}

/// Whether the results are checked after this round. Each check may by chance find something decided that is not, so
/// there are few: the number of rounds grows by half from one to the next.
fn is_look(rounds: usize) -> bool {
    let mut look = LEAST;
    while look < rounds {
        look += look / 2;
    }
    look == rounds
}

/// Whether all ratios are precise, and all goals with a measurement decided.
fn are_known(subject: Subject, rows: &[Row]) -> bool {
    let mut kinds: Vec<_> = rows.iter().map(|row| row.kind).filter(|kind| kind.is_klaxon()).collect();
    kinds.dedup();
    let is_open = |goal: &Goal| goal.verdict() == Verdict::Undecided;
    rows.iter().all(Row::is_precise) && !goals(rows, &kinds, &[subject]).iter().any(is_open)
}

#[cfg(test)]
mod tests {
    use super::super::contestant::Kind;
    use super::super::rows::Measure;
    use super::super::statistics::Known;
    use super::super::statistics::tests::Machine;
    use super::*;

    const LONG: Stopping = Stopping { exactly: None, at_most: Duration::from_secs(300) };

    /// A fan-out by portable sockets, whose rounds cost a little more or less than `ratio` times the floor.
    fn rows(ratio: f64, noise: f64, rounds: usize) -> Vec<Row> {
        let one: Vec<f64> = (0..rounds).map(|round| ratio * (noise * (round as f64 * 2.4).sin()).exp()).collect();
        let floor = vec![1.0; rounds];
        vec![Row::beside(Subject::FanOut, Kind::Portable, "", Measure::Processor, &one, &floor)]
    }

    fn has_enough(stopping: Stopping, seconds: u64, ratio: f64, noise: f64, rounds: usize) -> bool {
        let took = Duration::from_secs(seconds);
        stopping.has_enough(Subject::FanOut, rounds, took, || rows(ratio, noise, rounds))
    }

    /// Measures on a simulated machine until it is enough, or after 100 rounds of 3 s.
    fn measured(mut machine: Machine, ratio: f64) -> (Row, Verdict) {
        let (mut one, mut floor) = (Vec::new(), Vec::new());
        loop {
            let round = machine.round(ratio);
            one.push(round.0);
            floor.push(round.1);
            let row = || Row::beside(Subject::FanOut, Kind::Portable, "", Measure::Processor, &one, &floor);
            let took = 3 * Duration::from_secs(one.len() as u64);
            if LONG.has_enough(Subject::FanOut, one.len(), took, || vec![row()]) {
                let row = row();
                let goals = goals(std::slice::from_ref(&row), &[Kind::Portable], &[Subject::FanOut]);
                return (row, goals[0].verdict());
            }
        }
    }

    /// The fraction of 300 machines, with noise, drift and stalls, for which this holds; the goal is 1.15.
    fn part(ratio: f64, holds: impl Fn(&Row, Verdict) -> bool) -> f64 {
        let machines = (0..300).map(|seed| measured(Machine::new(seed, 0.08, 0.1, 0.03), ratio));
        machines.filter(|(row, verdict)| holds(row, *verdict)).count() as f64 / 300.0
    }

    #[test]
    fn to_stop_when_it_is_precise_does_not_make_the_interval_a_lie() {
        let covered = part(
            0.99,
            |row, _| matches!(row.ratio.unwrap().known, Known::Interval { low, high } if low <= 0.99 && 0.99 <= high),
        );
        assert!(covered > 0.9, "{covered}");
    }

    #[test]
    fn what_is_plainly_within_or_beyond_its_goal_is_told_so() {
        assert!(part(0.99, |_, verdict| verdict == Verdict::Reached) > 0.99);
        assert!(part(1.35, |_, verdict| verdict == Verdict::Missed) > 0.99);
    }

    #[test]
    fn what_is_at_its_goal_is_seldom_judged_by_chance() {
        // Several checks at 95 % each; a single one would be wrong in 2.5 % on either side.
        let wrong = part(1.15 * 1.001, |_, verdict| verdict == Verdict::Reached);
        let hard = part(1.15 * 0.999, |_, verdict| verdict == Verdict::Missed);
        let undecided = part(1.15, |_, verdict| verdict == Verdict::Undecided);
        assert!(wrong < 0.15 && hard < 0.15 && undecided > 0.7, "{wrong} {hard} {undecided}");
    }

    #[test]
    fn looks_become_rare() {
        let looks: Vec<_> = (0..200).filter(|&rounds| is_look(rounds)).collect();
        assert_eq!(looks, [12, 18, 27, 40, 60, 90, 135]);
    }

    #[test]
    fn it_goes_on_until_the_ratio_is_precise() {
        assert!(has_enough(LONG, 10, 0.8, 0.02, 12));
        assert!(!has_enough(LONG, 10, 0.8, 0.5, 12), "too wide");
        assert!(!has_enough(LONG, 10, 0.8, 0.02, 13), "nobody looks");
        assert!(!has_enough(LONG, 10, 0.8, 0.02, 6), "too few");
    }

    #[test]
    fn it_goes_on_while_a_goal_is_undecided() {
        // The goal is 1.15.
        assert!(!has_enough(LONG, 10, 1.15, 0.02, 60));
        assert!(has_enough(LONG, 10, 1.3, 0.02, 60), "surely missed");
    }

    #[test]
    fn it_ends_when_the_time_is_over() {
        assert!(has_enough(LONG, 300, 0.8, 0.5, 13));
        assert!(has_enough(LONG, 300, 0.8, 0.5, 1), "a machine on which a round takes minutes");
        assert!(has_enough(LONG.shared_by(2), 150, 0.8, 0.5, 13));
    }

    #[test]
    fn a_given_number_of_rounds_is_what_is_measured() {
        let two = Stopping { exactly: Some(2), ..LONG };
        assert!(!has_enough(two, 1000, 0.8, 0.0, 1));
        assert!(has_enough(two, 0, 0.8, 0.9, 2));
    }
}
