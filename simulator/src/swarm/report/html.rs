//! The report as one page for a browser: no script, nothing loaded from elsewhere, light and dark.

use std::fmt::Write;

use super::latency::Latency;
use super::words::{bytes, count, letter, money, percent, time};
use super::{DatabaseLine, FaultLine, Memory, PromiseLine, QuestionLine, Report, Wait, Winners};

/// What pages of ours look like.
pub(crate) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5d6772; --paper: #fff; --line: #d5dae0; --bar: #2f6fde; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #97a1ad; --paper: #14171b; --line: #343a42; --bar: #6ea3ff; --good: #4ac26b; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.sub, figcaption, dt { color: var(--soft); } figure { margin: 0; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; } dt { font-size: .85rem; } dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); } th { color: var(--soft); font-weight: 500; } .text { text-align: left; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } .bar { fill: var(--bar); } .curve { fill: none; stroke: var(--bar); stroke-width: 2; } .axis { stroke: var(--line); }
.good { color: var(--good); } .bad { color: var(--bad); } pre { white-space: pre-wrap; margin: .25rem 0 .5rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1.5rem; }
";

/// The plots' size and the margins within.
const WIDE: f64 = 480.0;
const HIGH: f64 = 200.0;
const LEFT: f64 = 56.0;
const FOOT: f64 = 24.0;
const HEAD: f64 = 10.0;

/// The report as a page.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut out, report);
    out
}

/// The text with everything escaped that HTML would take for its own.
pub(crate) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let setup = &report.setup;
    let title = safe(&setup.title);
    writeln!(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width\"><title>{title}: Klaxon swarm</title>")?;
    writeln!(out, "<style>{STYLE}</style></head><body>")?;
    writeln!(
        out,
        "<h1>{title}</h1><p class=\"sub\">{}, {} questions, {:.1} s, seed {}</p>",
        safe(&setup.mode),
        setup.questions,
        setup.seconds,
        report.seed
    )?;
    if let Some(service) = &setup.service {
        writeln!(out, "<p class=\"sub\">{}</p>", safe(service))?;
    }
    facts(out, report)?;
    writeln!(out, "<div class=\"plots\">")?;
    survivors(out, &report.questions)?;
    if let Some(memory) = &report.memory {
        memory_plot(out, memory)?;
    }
    histogram(out, "From question sent to seen", "last player", &report.question_seen)?;
    histogram(out, "From answer to reply", "slowest", &report.answer_replied)?;
    writeln!(out, "</div>")?;
    faults(out, &report.faults)?;
    audit(out, &report.audit)?;
    if let Some(line) = &report.database {
        database(out, line)?;
    }
    questions(out, &report.questions)?;
    if let Some(winners) = &report.winners {
        podium(out, winners)?;
    }
    writeln!(out, "</body></html>")
}

fn facts(out: &mut String, report: &Report) -> std::fmt::Result {
    let mut facts = vec![
        ("players joined", count(report.crowd.joined.into())),
        ("connections", count(report.crowd.connections.into())),
        ("resumed", count(report.crowd.resumed.into())),
        ("answers sent", count(report.answers.sent)),
        ("answers counted", count(report.answers.counted)),
        ("answers a second, peak", count(report.answers.peak_per_second)),
        ("to players", bytes(report.traffic.bytes_received)),
        ("from players", bytes(report.traffic.bytes_sent)),
    ];
    if let Some(memory) = &report.memory {
        facts.push(("server memory, peak", bytes(memory.peak)));
        facts.push(("memory for each player", bytes(memory.per_player)));
    }
    if !report.faults.is_empty() {
        facts.push(("faults", report.faults.len().to_string()));
    }
    if report.setup.hostile > 0 {
        facts.push(("hostile connections", count(report.setup.hostile.into())));
    }
    write!(out, "<dl>")?;
    for (name, value) in facts {
        write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>")?;
    }
    writeln!(out, "</dl>")
}

fn begin_plot(out: &mut String, caption: &str) -> std::fmt::Result {
    writeln!(
        out,
        "<figure><h2>{caption}</h2><svg viewBox=\"0 0 {WIDE} {HIGH}\" role=\"img\" aria-label=\"{caption}\">"
    )?;
    let foot = HIGH - FOOT;
    writeln!(out, "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{foot}\" x2=\"{WIDE}\" y2=\"{foot}\"/>")
}

fn end_plot(out: &mut String, note: &str) -> std::fmt::Result {
    writeln!(out, "</svg><figcaption>{note}</figcaption></figure>")
}

/// The y of a value between 0 and `most`.
fn height(value: f64, most: f64) -> f64 {
    HIGH - FOOT - value / most.max(f64::MIN_POSITIVE) * (HIGH - FOOT - HEAD)
}

fn scale(out: &mut String, most: f64, label: impl Fn(f64) -> String) -> std::fmt::Result {
    for part in [0.5, 1.0] {
        let y = height(part, 1.0);
        writeln!(out, "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{WIDE}\" y2=\"{y}\"/>")?;
        writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            label(most * part)
        )?;
    }
    Ok(())
}

fn bars(out: &mut String, bars: &[(String, u64)]) -> std::fmt::Result {
    let most = bars.iter().map(|(_, amount)| *amount).max().unwrap_or(1).max(1) as f64;
    scale(out, most, |value| count(value.round() as u64))?;
    let step = (WIDE - LEFT) / bars.len().max(1) as f64;
    for (place, (label, amount)) in bars.iter().enumerate() {
        let x = LEFT + step * place as f64;
        let y = height(*amount as f64, most);
        let (wide, high) = (step * 0.84, HIGH - FOOT - y);
        writeln!(
            out,
            "<rect class=\"bar\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\"><title>{}: {}</title></rect>",
            safe(label),
            count(*amount)
        )?;
        // As many labels as can be read.
        if place % (bars.len() / 6 + 1) == 0 {
            writeln!(out, "<text x=\"{x:.1}\" y=\"{}\">{}</text>", HIGH - 8.0, safe(label))?;
        }
    }
    Ok(())
}

fn survivors(out: &mut String, questions: &[QuestionLine]) -> std::fmt::Result {
    begin_plot(out, "Players in play after each question")?;
    let alive: Vec<(String, u64)> =
        questions.iter().map(|line| (line.question.to_string(), u64::from(line.alive))).collect();
    bars(out, &alive)?;
    end_plot(out, "by question")
}

fn histogram(out: &mut String, caption: &str, last: &str, latency: &Latency) -> std::fmt::Result {
    begin_plot(out, caption)?;
    let counted: Vec<(String, u64)> = latency.bars.iter().map(|bar| (time(bar.to_ms), bar.count)).collect();
    bars(out, &counted)?;
    end_plot(
        out,
        &format!(
            "p50 {}, p90 {}, p99 {}, {last} {}; {} measured",
            time(latency.p50_ms),
            time(latency.p90_ms),
            time(latency.p99_ms),
            time(latency.max_ms),
            count(latency.count)
        ),
    )
}

fn memory_plot(out: &mut String, memory: &Memory) -> std::fmt::Result {
    begin_plot(out, "Server memory over time")?;
    let most = memory.peak.max(1) as f64;
    scale(out, most, |value| bytes(value as u64))?;
    let end = memory.samples.last().map_or(1.0, |(at, _)| at.max(0.001));
    let points: Vec<String> = memory
        .samples
        .iter()
        .map(|(at, bytes)| format!("{:.1},{:.1}", LEFT + at / end * (WIDE - LEFT), height(*bytes as f64, most)))
        .collect();
    writeln!(out, "<polyline class=\"curve\" points=\"{}\"/>", points.join(" "))?;
    writeln!(out, "<text x=\"{LEFT}\" y=\"{}\">0 s</text>", HIGH - 8.0)?;
    writeln!(out, "<text x=\"{WIDE}\" y=\"{}\" text-anchor=\"end\">{end:.0} s</text>", HIGH - 8.0)?;
    end_plot(
        out,
        &format!(
            "{} at the start, {} at the peak, {} for each player",
            bytes(memory.start),
            bytes(memory.peak),
            bytes(memory.per_player)
        ),
    )
}

fn faults(out: &mut String, faults: &[FaultLine]) -> std::fmt::Result {
    if faults.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>Faults, and how long honest players waited</h2><table><tr><th></th><th class=\"text\">process</th><th>at</th><th>for</th><th>cut off: back after</th><th>answer to reply</th><th>events late by</th></tr>"
    )?;
    for line in faults {
        let wait = |wait: &Wait| match wait.players {
            0 => String::new(),
            players => {
                let (p50, p99, max) = (time(wait.p50_ms), time(wait.p99_ms), time(wait.max_ms));
                format!("{p50} / {p99} / {max}<br>{} players", count(players.into()))
            }
        };
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"text\">{}</td><td>{:.1} s</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            line.question,
            safe(&line.what()),
            line.at,
            time(line.away_ms),
            wait(&line.back),
            wait(&line.reply),
            wait(&line.event)
        )?;
    }
    writeln!(out, "</table><p class=\"sub\">p50 / p99 / longest, of each player the longest wait</p>")
}

fn database(out: &mut String, line: &DatabaseLine) -> std::fmt::Result {
    let (class, sign) = if line.agrees() { ("good", "✓") } else { ("bad", "✗") };
    let compared: Vec<String> = line.compared.iter().map(|(what, times)| format!("{} {what}", count(*times))).collect();
    writeln!(
        out,
        "<h2>Database against journal</h2><p><span class=\"{class}\">{sign}</span> complete {:.1} s after the end; compared {}; {} differences</p>",
        line.seconds,
        safe(&compared.join(", ")),
        count(line.different)
    )?;
    for difference in &line.differences {
        writeln!(out, "<pre class=\"bad\">{}</pre>", safe(difference))?;
    }
    Ok(())
}

fn audit(out: &mut String, audit: &[PromiseLine]) -> std::fmt::Result {
    if audit.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>Audit</h2><table><tr><th></th><th class=\"text\">promise</th><th>checked</th><th>violations</th><th class=\"text\">figures</th></tr>"
    )?;
    for line in audit {
        let (class, sign) = if line.holds() { ("good", "✓") } else { ("bad", "✗") };
        let figures: Vec<String> = line.figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
        writeln!(
            out,
            "<tr><td class=\"{class}\">{sign}</td><td class=\"text\">{}. {}</td><td>{}</td><td>{}</td><td class=\"text\">{}</td></tr>",
            line.promise,
            safe(&line.name),
            count(line.checked),
            count(line.violated),
            safe(&figures.join(", "))
        )?;
        for violation in &line.violations {
            writeln!(
                out,
                "<tr><td></td><td class=\"text bad\" colspan=\"4\"><pre>{}</pre></td></tr>",
                safe(violation)
            )?;
        }
    }
    writeln!(out, "</table>")
}

fn questions(out: &mut String, questions: &[QuestionLine]) -> std::fmt::Result {
    writeln!(
        out,
        "<h2>Question by question</h2><table><tr><th></th><th class=\"text\">question</th><th>seen by</th><th class=\"text\">answers</th><th>silent</th><th>right</th><th>alive</th></tr>"
    )?;
    for line in questions {
        let total: u64 = line.counts.iter().map(|&answers| u64::from(answers)).sum();
        let right = line.right.and_then(|right| line.counts.get(usize::from(right))).copied().unwrap_or_default();
        let choices: Vec<String> = (0..)
            .zip(&line.counts)
            .map(|(choice, &answers)| {
                let text = format!("{} {}", letter(choice), count(answers.into()));
                if line.right == Some(choice) { format!("<b class=\"good\">{text}</b>") } else { text }
            })
            .collect();
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"text\">{}{}</td><td>{}</td><td class=\"text\">{}</td><td>{}</td><td>{:.0} %</td><td>{}</td></tr>",
            line.question,
            safe(&line.text),
            if line.voided { " (voided)" } else { "" },
            count(line.seen_by.into()),
            choices.join(" · "),
            count(line.silent.into()),
            percent(right.into(), total),
            count(line.alive.into())
        )?;
    }
    writeln!(out, "</table>")
}

fn podium(out: &mut String, winners: &Winners) -> std::fmt::Result {
    writeln!(
        out,
        "<h2>Winners</h2><p>{} share {} of {}; {} rolled over.</p>",
        count(winners.count.into()),
        money(winners.paid, &winners.currency),
        money(winners.pot, &winners.currency),
        money(winners.rolled_over, &winners.currency)
    )?;
    writeln!(out, "<table><tr><th></th><th class=\"text\">name</th><th>points</th><th>prize</th></tr>")?;
    for place in &winners.places {
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"text\">{}</td><td>{}</td><td>{}</td></tr>",
            place.place,
            safe(&place.name),
            count(place.score.into()),
            money(place.prize, &winners.currency)
        )?;
    }
    writeln!(out, "</table>")
}
