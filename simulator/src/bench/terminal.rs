//! A run as a table for people at a terminal.

use std::fmt::Write;

use super::goals::Verdict;
use super::report::Report;
use super::rows::{Row, Subject, What};
use super::statistics::{Estimate, Known, Sample};

/// The report as text; in colour if the terminal can show it.
#[must_use]
pub fn text(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut out, report, colour);
    out
}

fn write(out: &mut String, report: &Report, colour: bool) -> std::fmt::Result {
    let paint = |code: &str, text: &str| {
        if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    };
    writeln!(out, "\n{}", report.how())?;
    for subject in Subject::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.subject == subject).collect();
        if rows.is_empty() {
            continue;
        }
        writeln!(out, "\n{}", paint("1", subject.title()))?;
        let wide = rows.iter().map(|row| name(row).chars().count()).max().unwrap_or_default();
        let (mut what, mut refused) = (None, None);
        for row in rows {
            if what.replace(row.what) != Some(row.what) {
                writeln!(out, "  {:wide$}  {:>22}  {:>35}", "", row.what.title(), columns(row))?;
            }
            let shown = row.sample.as_ref().map_or("no figure".to_owned(), |sample| figure(sample, digits(row.what)));
            let ratio = if row.what.is_ratio() { row.figure } else { row.ratio };
            let beside = ratio.map(|ratio| known(&ratio)).unwrap_or_default();
            writeln!(out, "  {:wide$}  {shown:>22}  {beside:>35}  {}", name(row), served(row))?;
            refused = row.refused.as_ref().or(refused);
        }
        if let Some(why) = refused {
            writeln!(out, "  {}", paint("31", why))?;
        }
    }
    writeln!(out, "\n{}", paint("1", "Goals"))?;
    for goal in &report.goals {
        let reached = goal.reached.map_or("-".to_owned(), |reached| known(&reached));
        let verdict = goal.verdict();
        let verdict = paint(if verdict == Verdict::Reached { "32" } else { "31" }, &verdict.to_string());
        writeln!(out, "  {:<52} {:<17} <= {:<6} {reached:>35}  {verdict}", goal.what, goal.kind, goal.at_most)?;
    }
    writeln!(
        out,
        "\nMedians, the middle half of the rounds in brackets; / floor is estimated from each round's ratio to the floor's in the same\n\
         round, its 95 % interval in brackets. A goal is reached if the interval lies within it, missed if it lies wholly beyond, and\n\
         else undecided. CPU is all processor time of the server's process, the kernel's workers for it included."
    )
}

fn columns(row: &Row) -> &'static str {
    match row.what {
        what if what.is_ratio() => "95 % interval",
        _ if row.ratio.is_some() => "/ floor, 95 % interval",
        _ => "",
    }
}

/// An estimate as people read it, with its interval and the rounds it stands on.
#[must_use]
pub fn known(estimate: &Estimate) -> String {
    let Estimate { rounds, value, known } = estimate;
    let s = if *rounds == 1 { "" } else { "s" };
    match known {
        Known::Once => format!("{value:.2}"),
        Known::TooFewRounds => format!("{value:.2} (unknown) of {rounds} round{s}"),
        Known::Interval { low, high } => format!("{value:.2} ({low:.2}..{high:.2}) of {rounds} round{s}"),
    }
}

fn name(row: &Row) -> String {
    if row.case.is_empty() { row.kind.to_string() } else { format!("{}, {}", row.kind, row.case) }
}

/// How many one core serves.
fn served(row: &Row) -> String {
    match (&row.sample, row.what) {
        (Some(sample), What::Processor) if sample.median > 0.0 => format!("{:>8.0}/s a core", 1e6 / sample.median),
        _ => String::new(),
    }
}

const fn digits(what: What) -> usize {
    match what {
        What::Shaken => 0,
        What::Last | What::Boot | What::Seen50 | What::Seen99 => 1,
        What::Processor | What::Resident | What::Core | What::Growth | What::Part | What::Threads => 2,
    }
}

/// A sample as people read it.
#[must_use]
pub fn figure(sample: &Sample, digits: usize) -> String {
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
    fn a_ratio_is_told_with_its_interval_and_its_rounds() {
        assert_eq!(known(&Estimate::of(&[1.2; 8]).unwrap()), "1.20 (1.20..1.20) of 8 rounds");
        assert_eq!(known(&Estimate::of(&[1.2]).unwrap()), "1.20 (unknown) of 1 round");
        assert_eq!(known(&Estimate::once(0.47)), "0.47");
    }
}
