//! The report for people at a terminal. Titles, names, refusals and frames in it are others': nothing of them acts on it.

use std::fmt::Write;

use klaxon_protocol::text::{Harmless, harmless};

use super::latency::Latency;
use super::words::{bytes, count, letter, money, percent, time};
use super::{Comparison, DatabaseLine, FaultLine, PromiseLine, QuestionLine, Report, Wait, Winners};

/// How wide the longest bar is.
const WIDTH: f64 = 46.0;
/// Eighths of a character cell, from none to all.
const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// The report as text; in colour if the terminal can show it.
#[must_use]
pub fn text(report: &Report, colour: bool) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut out, report, &Ink { colour });
    out
}

struct Ink {
    colour: bool,
}

impl Ink {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn title(&self, text: &str) -> String {
        self.paint("1", text)
    }
}

fn write(out: &mut String, report: &Report, ink: &Ink) -> std::fmt::Result {
    let setup = &report.setup;
    writeln!(
        out,
        "\n{} ({}, {} questions, seed {})",
        ink.title(&harmless(&setup.title)),
        setup.mode,
        setup.questions,
        report.seed
    )?;
    let mut line = |name: &str, text: String| writeln!(out, "  {name:<18} {}", Harmless(&text));
    if let Some(service) = &setup.service {
        line("played on", service.clone())?;
    }
    let crowd = &report.crowd;
    line(
        "players",
        format!(
            "{} of {} joined, {} watched, {} connections, {} resumed",
            count(crowd.joined.into()),
            count(setup.players.into()),
            count(crowd.watched.into()),
            count(crowd.connections.into()),
            count(crowd.resumed.into()),
        ),
    )?;
    if setup.hostile > 0 || !report.faults.is_empty() {
        line("trouble", format!("{} hostile connections, {} faults", setup.hostile, report.faults.len()))?;
    }
    let answers = &report.answers;
    line(
        "answers",
        format!(
            "{} sent, {} accepted, {} counted; {} a second at the peak",
            count(answers.sent),
            count(answers.accepted),
            count(answers.counted),
            count(answers.peak_per_second),
        ),
    )?;
    if !answers.refused.is_empty() {
        let refused: Vec<String> =
            answers.refused.iter().map(|(code, times)| format!("{code} {}", count(*times))).collect();
        line("refusals", refused.join(", "))?;
    }
    let traffic = &report.traffic;
    line(
        "traffic",
        format!(
            "{} messages ({}) to players, {} ({}) from them",
            count(traffic.messages_received),
            bytes(traffic.bytes_received),
            count(traffic.messages_sent),
            bytes(traffic.bytes_sent),
        ),
    )?;
    if let Some(memory) = &report.memory {
        line(
            "server memory",
            format!(
                "{} at the start, {} at the peak, {} for each player",
                bytes(memory.start),
                bytes(memory.peak),
                bytes(memory.per_player),
            ),
        )?;
    }
    if !report.costs.is_empty() {
        let each = report.costs.iter().map(|cost| {
            let answer = cost.seconds * 1e6 / report.answers.counted.max(1) as f64;
            format!("{} {:.1} s ({answer:.0} µs an answer)", cost.who, cost.seconds)
        });
        line("processor time", each.collect::<Vec<_>>().join(", "))?;
    }
    let host = &report.host;
    line(
        "host",
        format!("{} commands done, {} refused, {} reconnections", host.done, host.refused.len(), host.reconnects),
    )?;
    for problem in host.refused.iter().take(5) {
        line("", format!("refused: {problem}"))?;
    }
    for alert in host.alerts.iter().take(5) {
        line("", format!("alert: {alert}"))?;
    }
    latency(out, ink, "from question sent to seen", "last player", &report.question_seen)?;
    latency(out, ink, "from answer to reply", "slowest", &report.answer_replied)?;
    questions(out, ink, &report.questions)?;
    if let Some(winners) = &report.winners {
        podium(out, ink, winners)?;
    }
    faults(out, ink, &report.faults)?;
    audit(out, ink, &report.audit)?;
    if let Some(line) = &report.database {
        database(out, ink, line)?;
    }
    report.comparison.as_ref().map_or(Ok(()), |ratios| comparison(out, ink, ratios))
}

fn latency(out: &mut String, ink: &Ink, title: &str, last: &str, latency: &Latency) -> std::fmt::Result {
    if latency.count == 0 {
        return writeln!(out, "\n{}: nothing was measured", ink.title(title));
    }
    writeln!(
        out,
        "\n{}: p50 {}, p90 {}, p99 {}, {last} {} ({} measured)",
        ink.title(title),
        time(latency.p50_ms),
        time(latency.p90_ms),
        time(latency.p99_ms),
        time(latency.max_ms),
        count(latency.count),
    )?;
    let most = latency.bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    for bar in &latency.bars {
        writeln!(out, "  {:>9} {} {}", time(bar.to_ms), block_bar(bar.count, most), count(bar.count))?;
    }
    Ok(())
}

/// A bar of block characters; whatever is not nothing can be seen.
fn block_bar(amount: u64, most: u64) -> String {
    let exact = (amount as f64 * WIDTH * 8.0 / most as f64).round() as usize;
    let eighths = if amount > 0 { exact.max(1) } else { 0 };
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

fn questions(out: &mut String, ink: &Ink, questions: &[QuestionLine]) -> std::fmt::Result {
    writeln!(out, "\n{}", ink.title("question by question"))?;
    for line in questions {
        let total: u64 = line.counts.iter().map(|&answers| u64::from(answers)).sum();
        let right = line.right.and_then(|right| line.counts.get(usize::from(right))).copied().unwrap_or_default();
        let choices: Vec<String> = (0..)
            .zip(&line.counts)
            .map(|(choice, &answers)| {
                let text = format!("{} {}", letter(choice), count(answers.into()));
                if line.right == Some(choice) { ink.paint("32", &format!("{text}✓")) } else { text }
            })
            .collect();
        writeln!(
            out,
            "  {:>3}  {}  asked {}, {}, silent {}, right {:.0} %, alive {}{}",
            line.question,
            shortened(&harmless(&line.text), 34),
            count(line.seen_by.into()),
            choices.join(" · "),
            count(line.silent.into()),
            percent(right.into(), total),
            count(line.alive.into()),
            if line.voided { "  (voided)" } else { "" },
        )?;
    }
    Ok(())
}

/// The text in exactly so many characters.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:<width$}");
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn podium(out: &mut String, ink: &Ink, winners: &Winners) -> std::fmt::Result {
    writeln!(
        out,
        "\n{}: {} share {} of {}, {} rolled over",
        ink.title("winners"),
        count(winners.count.into()),
        money(winners.paid, &winners.currency),
        money(winners.pot, &winners.currency),
        money(winners.rolled_over, &winners.currency),
    )?;
    for place in &winners.places {
        writeln!(
            out,
            "  {:>3}. {:<26} {:>8} points  {:>16}",
            place.place,
            harmless(&place.name),
            count(place.score.into()),
            money(place.prize, &winners.currency),
        )?;
    }
    if u64::from(winners.count) > winners.places.len() as u64 {
        writeln!(out, "       and {} more", count(u64::from(winners.count) - winners.places.len() as u64))?;
    }
    Ok(())
}

fn faults(out: &mut String, ink: &Ink, faults: &[FaultLine]) -> std::fmt::Result {
    if faults.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", ink.title("faults, and how long honest players waited (p50 / p99 / longest)"))?;
    for line in faults {
        let wait = |what: &str, wait: &Wait| {
            if wait.players == 0 {
                return String::new();
            }
            let (p50, p99, max) = (time(wait.p50_ms), time(wait.p99_ms), time(wait.max_ms));
            format!("  {what} {p50} / {p99} / {max} ({} players)", count(wait.players.into()))
        };
        writeln!(
            out,
            "  {:>3}  {:<18} at {:>6.1} s for {:<7}{}{}{}",
            line.question,
            harmless(line.what()),
            line.at,
            time(line.away_ms),
            wait("back", &line.back),
            wait("reply", &line.reply),
            wait("event", &line.event),
        )?;
    }
    Ok(())
}

fn database(out: &mut String, ink: &Ink, line: &DatabaseLine) -> std::fmt::Result {
    let sign = if line.agrees() { ink.paint("32", "✓") } else { ink.paint("31", "✗") };
    let compared: Vec<String> = line.compared.iter().map(|(what, times)| format!("{} {what}", count(*times))).collect();
    writeln!(
        out,
        "\n{}\n  {sign} complete {:.1} s after the end; compared {}; {} differences",
        ink.title("database against journal"),
        line.seconds,
        compared.join(", "),
        count(line.different),
    )?;
    for difference in &line.differences {
        writeln!(out, "      → {}", Harmless(difference))?;
    }
    Ok(())
}

fn audit(out: &mut String, ink: &Ink, audit: &[PromiseLine]) -> std::fmt::Result {
    if audit.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", ink.title("audit"))?;
    for line in audit {
        let sign = if line.holds() { ink.paint("32", "✓") } else { ink.paint("31", "✗") };
        let figures: Vec<String> = line.figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let figures = if figures.is_empty() { String::new() } else { format!(" ({})", harmless(figures.join(", "))) };
        writeln!(
            out,
            "  {sign} {}. {:<34} checked {:>10} times, {} violations{figures}",
            line.promise,
            line.name,
            count(line.checked),
            count(line.violated),
        )?;
        for violation in line.violations.iter().take(3) {
            for (number, part) in violation.lines().enumerate() {
                writeln!(out, "      {} {}", if number == 0 { "→" } else { " " }, Harmless(part))?;
            }
        }
    }
    Ok(())
}

fn comparison(out: &mut String, ink: &Ink, ratios: &Comparison) -> std::fmt::Result {
    writeln!(
        out,
        "\n{}",
        ink.title(&format!("with {} hostile connections against none", count(ratios.hostile.into())))
    )?;
    writeln!(out, "  question sent to seen, p99   {:.2} times", ratios.question_seen_p99)?;
    writeln!(out, "  answer to reply, p99         {:.2} times", ratios.answer_replied_p99)?;
    if let Some(memory) = ratios.memory_peak {
        writeln!(out, "  server memory at the peak    {memory:.2} times")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_their_count_and_are_never_lost() {
        assert_eq!(block_bar(0, 1000), "");
        assert_eq!(block_bar(1, 1_000_000), "▏");
        assert_eq!(block_bar(1000, 1000).chars().count(), 46);
    }

    #[test]
    fn long_texts_are_cut_at_characters() {
        assert_eq!(shortened("äöü", 5), "äöü  ");
        assert_eq!(shortened("äöüäöü", 5), "äöüä…");
    }
}
