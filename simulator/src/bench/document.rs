//! The report of a run, for people.

use super::contestant::Kind;
use super::goals::{Goal, Verdict};
use super::report::BenchReport;
use super::rows::{Measure, Row, Subject};
use super::statistics::{Estimate, Known, Sample};
use crate::report::{self, Bar, Block, Cell, Column, Document, Table, Text, Tone};

/// The report of the run.
#[must_use]
pub fn document(report: &BenchReport) -> Document {
    let mut blocks = Vec::new();
    for subject in Subject::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.subject == subject).collect();
        let mut left = rows.clone();
        let mut caption = subject.title();
        while let Some(first) = left.first() {
            let what = first.what;
            let (same, others) = left.into_iter().partition::<Vec<_>, _>(|row| row.what == what);
            blocks.push(Block::Table(figures(caption, what, &same)));
            (left, caption) = (others, "");
        }
        let refused = rows.iter().find_map(|row| row.refused.as_deref());
        blocks.extend(refused.map(|why| Block::Note(Text::new(Tone::Bad, why))));
    }
    blocks.push(Block::Table(goals(&report.goals)));
    let explained = "Medians, the middle half of the rounds in brackets; / floor is estimated from each round's ratio to the floor's in the \
                     same round, its 95 % interval in brackets. A goal is reached if the interval lies within it, missed if it lies wholly \
                     beyond, and else undecided. CPU is all processor time of the server's process, the kernel's workers for it included.";
    blocks.push(Block::Note(explained.into()));
    Document { title: "Klaxon bench".into(), subtitles: vec![report.how()], blocks }
}

fn figures(caption: &str, what: Measure, rows: &[&Row]) -> Table {
    let ratio = match () {
        () if what.is_ratio() => "95 % interval",
        () if rows.iter().any(|row| row.ratio.is_some()) => "/ floor, 95 % interval",
        () => "",
    };
    let served = if what == Measure::Processor { "each second by a core" } else { "" };
    let columns = [
        Column::text(""),
        Column::number(what.title()),
        Column::number(ratio),
        Column::number(served),
        Column::text(""),
    ];
    let mut table = Table::new(caption, "", &columns);
    table.rows.extend(rows.iter().map(|row| {
        let name = if row.case.is_empty() { row.kind.to_string() } else { format!("{}, {}", row.kind, row.case) };
        let Some(sample) = &row.sample else {
            return report::TableRow::from([name.into(), "no figure".into(), "".into(), "".into(), "".into()]);
        };
        let ratio = if what.is_ratio() { row.figure } else { row.ratio };
        let served = match what {
            Measure::Processor if sample.median > 0.0 => format!("{:.0}", 1e6 / sample.median),
            _ => String::new(),
        };
        let spread = (sample.rounds > 1).then_some((sample.p25, sample.p75));
        let bar = Bar { value: sample.median, spread, is_reference: row.kind == Kind::Floor };
        report::TableRow::from([
            name.into(),
            figure(sample, digits(what)).into(),
            ratio.map(|ratio| known(&ratio)).unwrap_or_default().into(),
            served.into(),
            Cell::Bar(bar),
        ])
    }));
    table
}

fn goals(goals: &[Goal]) -> Table {
    let columns = [
        Column::text("what"),
        Column::text("of"),
        Column::number("at most"),
        Column::number("measured"),
        Column::text(""),
    ];
    let mut table = Table::new("Goals", "", &columns);
    table.rows.extend(goals.iter().map(|goal| {
        let verdict = goal.verdict();
        let tone = if verdict == Verdict::Reached { Tone::Good } else { Tone::Bad };
        report::TableRow::from([
            goal.what.as_str().into(),
            goal.kind.to_string().into(),
            goal.at_most.to_string().into(),
            goal.reached.map_or("-".to_owned(), |reached| known(&reached)).into(),
            Text::new(tone, verdict.to_string()).into(),
        ])
    }));
    table
}

/// An estimate with its interval and the number of rounds.
fn known(estimate: &Estimate) -> String {
    let Estimate { rounds, value, known } = estimate;
    let s = if *rounds == 1 { "" } else { "s" };
    match known {
        Known::Once => format!("{value:.2}"),
        Known::TooFewRounds => format!("{value:.2} (unknown) of {rounds} round{s}"),
        Known::Interval { low, high } => format!("{value:.2} ({low:.2}..{high:.2}) of {rounds} round{s}"),
    }
}

const fn digits(what: Measure) -> usize {
    match what {
        Measure::Shaken => 0,
        Measure::Last | Measure::Boot | Measure::Seen50 | Measure::Seen99 => 1,
        Measure::Processor | Measure::Resident | Measure::Core | Measure::Growth | Measure::Part | Measure::Threads => {
            2
        }
    }
}

/// A median with the quartiles of the rounds.
fn figure(sample: &Sample, digits: usize) -> String {
    let Sample { rounds, p25, median, p75 } = sample;
    if *rounds == 1 {
        format!("{median:.digits$}")
    } else {
        format!("{median:.digits$} ({p25:.digits$}..{p75:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_shown_with_its_interval_and_its_rounds() {
        assert_eq!(known(&Estimate::of(&[1.2; 8]).unwrap()), "1.20 (1.20..1.20) of 8 rounds");
        assert_eq!(known(&Estimate::of(&[1.2]).unwrap()), "1.20 (unknown) of 1 round");
        assert_eq!(known(&Estimate::once(0.47)), "0.47");
    }

    #[test]
    fn a_bar_is_drawn_for_each_figure_and_none_for_one_that_is_refused() {
        let rows = [
            Row::plain(Subject::Boot, Kind::Floor, "", Measure::Boot, &[1.0, 2.0]),
            Row::plain(Subject::Boot, Kind::Portable, "", Measure::Boot, &[]),
        ];
        let table = figures("boot", Measure::Boot, &rows.iter().collect::<Vec<_>>());
        let bars = |row: &report::TableRow| row.cells.iter().filter(|cell| matches!(cell, Cell::Bar(_))).count();
        assert_eq!(table.rows.iter().map(bars).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(table.rows[1].cells[1], "no figure".into());
    }
}
