//! A run as one page for a browser: no script, nothing loaded from elsewhere, light and dark.

use std::fmt::Write;

use super::contestant::Kind;
use super::goals::Verdict;
use super::report::Report;
use super::rows::{Row, Subject, What};
use super::terminal::{figure, known};
use crate::report::html::{STYLE, safe};

/// The plots' width, a bar's height, and where bars begin.
const WIDE: f64 = 760.0;
const BAR: f64 = 22.0;
const LEFT: f64 = 250.0;
/// What stands behind the longest bar needs so much.
const RIGHT: f64 = 250.0;

/// The report as a page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width\"><title>Klaxon bench</title>")?;
    writeln!(
        out,
        "<style>{STYLE}.floor {{ fill: var(--soft); }} .spread {{ stroke: var(--ink); }}</style></head><body>"
    )?;
    writeln!(out, "<h1>Klaxon bench</h1><p class=\"sub\">{}</p>", safe(&report.how()))?;
    goals(out, report)?;
    for subject in Subject::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.subject == subject).collect();
        if rows.is_empty() {
            continue;
        }
        writeln!(out, "<h2>{}</h2>", subject.title())?;
        let mut whats: Vec<What> = Vec::new();
        for row in &rows {
            if !whats.contains(&row.what) {
                whats.push(row.what);
            }
        }
        for what in whats {
            let rows: Vec<&Row> = rows.iter().copied().filter(|row| row.what == what).collect();
            bars(out, what, &rows)?;
        }
        if let Some(why) = rows.iter().find_map(|row| row.refused.as_ref()) {
            writeln!(out, "<p class=\"bad\">{}</p>", safe(why))?;
        }
    }
    writeln!(
        out,
        "<p class=\"sub\">Medians; the line is the middle half of the rounds. Behind them the ratio to the floor, estimated from each \
         round's, with its 95 % interval. A goal is reached if the interval lies within it, missed if it lies wholly beyond, and else \
         undecided.</p>"
    )?;
    writeln!(out, "</body></html>")
}

fn goals(out: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(
        out,
        "<h2>Goals</h2><table><tr><th class=\"text\">what</th><th class=\"text\">of</th><th>at most</th><th>measured</th><th></th></tr>"
    )?;
    for goal in &report.goals {
        let verdict = goal.verdict();
        let class = if verdict == Verdict::Reached { "good" } else { "bad" };
        let reached = goal.reached.map_or("-".to_owned(), |reached| known(&reached));
        writeln!(
            out,
            "<tr><td class=\"text\">{}</td><td class=\"text\">{}</td><td>{}</td><td>{reached}</td><td class=\"{class}\">{verdict}</td></tr>",
            safe(&goal.what),
            goal.kind,
            goal.at_most
        )?;
    }
    writeln!(out, "</table>")
}

fn bars(out: &mut String, what: What, rows: &[&Row]) -> std::fmt::Result {
    let most = rows.iter().filter_map(|row| Some(row.sample.as_ref()?.p75)).fold(f64::MIN_POSITIVE, f64::max);
    let high = BAR * rows.len() as f64 + 4.0;
    let at = |value: f64| LEFT + value / most * (WIDE - LEFT - RIGHT);
    let title = what.title();
    writeln!(
        out,
        "<figure><figcaption>{title}</figcaption><svg viewBox=\"0 0 {WIDE} {high}\" role=\"img\" aria-label=\"{title}\">"
    )?;
    for (place, row) in rows.iter().enumerate() {
        let top = BAR * place as f64 + 3.0;
        let (middle, text) = (top + BAR / 2.0 - 3.0, top + BAR / 2.0 + 1.0);
        let name = if row.case.is_empty() { row.kind.to_string() } else { format!("{}, {}", row.kind, row.case) };
        writeln!(out, "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}</text>", LEFT - 6.0, safe(&name))?;
        let Some(sample) = &row.sample else {
            writeln!(out, "<text x=\"{LEFT}\" y=\"{text}\">no figure</text>")?;
            continue;
        };
        let class = if row.kind == Kind::Floor { "floor" } else { "bar" };
        let (end, from, to) = (at(sample.median), at(sample.p25), at(sample.p75));
        let ratio = if what.is_ratio() { row.figure } else { row.ratio };
        let ratio = ratio.map(|ratio| format!(" / {}", known(&ratio))).unwrap_or_default();
        writeln!(
            out,
            "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{:.1}\" height=\"{}\"><title>{}</title></rect>\
             <line class=\"spread\" x1=\"{from:.1}\" y1=\"{middle}\" x2=\"{to:.1}\" y2=\"{middle}\"/>\
             <text x=\"{:.1}\" y=\"{text}\">{:.2}{ratio}</text>",
            end - LEFT,
            BAR - 6.0,
            figure(sample, 2),
            to.max(end) + 6.0,
            sample.median
        )?;
    }
    writeln!(out, "</svg></figure>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_drawn_for_each_figure_and_none_for_one_that_is_refused() {
        let rows = [
            Row::plain(Subject::Boot, Kind::Floor, "", What::Boot, &[1.0, 2.0]),
            Row::plain(Subject::Boot, Kind::Portable, "", What::Boot, &[]),
        ];
        let mut out = String::new();
        bars(&mut out, What::Boot, &rows.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!((out.matches("<rect").count(), out.matches("no figure").count()), (1, 1));
    }
}
