//! The report of a run, for people.

use klaxon_protocol::games::trivia::Choice;

use super::latency::Latency;
use super::model::{Comparison, DatabaseLine, Memory, PromiseLine, QuestionLine, Report, Winners};
use super::waits::{FaultLine, Wait};
use super::{bingo, quiz};
use crate::report::words::{bytes, count, money, percent, time};
use crate::report::{Bar, Block, Cell, Column, Curve, Document, Table, TableRow, Text, Tone};

/// The maximum number of displayed refusals and alerts of the host.
const SHOWN: usize = 5;

/// What the rounds of a show are.
const QUESTIONS: [&str; 2] = ["questions", "from question sent to seen"];
const BALLS: [&str; 2] = ["balls", "from ball sent to seen"];
const ROUNDS: [&str; 2] = ["rounds", "from round sent to seen"];

/// The report of the run.
#[must_use]
pub fn document(report: &Report) -> Document {
    let setup = &report.setup;
    let [rounds, seen] = match (report.bingo.is_empty(), report.quiz.is_empty()) {
        (true, _) => QUESTIONS,
        (false, true) => BALLS,
        (false, false) => ROUNDS,
    };
    let mut blocks = vec![
        Block::Facts(facts(report)),
        latency(seen, "last player", &report.question_seen),
        latency("from answer to reply", "slowest", &report.answer_replied),
    ];
    let is_trivia = report.bingo.is_empty() && report.quiz.is_empty();
    let in_play: Vec<(u16, u32)> = if is_trivia {
        report.questions.iter().map(|line| (line.question, line.alive)).collect()
    } else {
        report.quiz.iter().filter(|line| !line.voided).map(|line| (line.round, line.in_play)).collect()
    };
    blocks.extend((is_trivia || !in_play.is_empty()).then(|| survivors(&in_play)));
    blocks.extend(report.memory.as_ref().map(memory));
    blocks.extend(is_trivia.then(|| questions(&report.questions)));
    blocks.extend(quiz::tables(&report.quiz));
    let currency = report.winners.as_ref().map_or("EUR", |winners| &winners.currency);
    blocks.extend(report.bingo.iter().map(|part| bingo::table(part, currency)));
    if let Some(won) = &report.winners {
        blocks.push(winners(won));
        let more = u64::from(won.count).saturating_sub(won.places.len() as u64);
        blocks.extend((more > 0).then(|| Block::Note(format!("and {} more", count(more)).into())));
    }
    blocks.extend((!report.faults.is_empty()).then(|| faults(&report.faults)));
    blocks.extend((!report.audit.is_empty()).then(|| audit(&report.audit)));
    blocks.extend(report.database.as_ref().map(database));
    blocks.extend(report.comparison.as_ref().map(comparison));
    let title = format!("{} ({}, {} {rounds}, seed {})", setup.title, setup.mode, setup.questions, report.seed);
    Document { title, subtitles: setup.service.iter().map(|service| format!("played on {service}")).collect(), blocks }
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let (setup, crowd, answers, traffic, host) =
        (&report.setup, &report.crowd, &report.answers, &report.traffic, &report.host);
    let mut facts = vec![
        ("time", format!("{:.1} s", setup.seconds)),
        (
            "players",
            format!(
                "{} of {} joined, {} watched, {} connections, {} resumed",
                count(crowd.joined.into()),
                count(setup.players.into()),
                count(crowd.watched.into()),
                count(crowd.connections.into()),
                count(crowd.resumed.into()),
            ),
        ),
    ];
    if setup.hostile > 0 || !report.faults.is_empty() {
        let hostile = count(setup.hostile.into());
        facts.push(("trouble", format!("{hostile} hostile connections, {} faults", report.faults.len())));
    }
    facts.push((
        "answers",
        format!(
            "{} sent, {} accepted, {} counted; {} a second at the peak",
            count(answers.sent),
            count(answers.accepted),
            count(answers.counted),
            count(answers.peak_per_second),
        ),
    ));
    if !answers.refused.is_empty() {
        facts.push((
            "refusals",
            joined(answers.refused.iter().map(|(code, times)| format!("{code} {}", count(*times)))),
        ));
    }
    facts.push((
        "traffic",
        format!(
            "{} messages ({}) to players, {} ({}) from them",
            count(traffic.messages_received),
            bytes(traffic.bytes_received),
            count(traffic.messages_sent),
            bytes(traffic.bytes_sent),
        ),
    ));
    facts.extend(report.memory.as_ref().map(|memory| ("server memory", memory_in_words(memory))));
    if !report.costs.is_empty() {
        let each = report.costs.iter().map(|cost| {
            let answer = cost.seconds * 1e6 / answers.counted.max(1) as f64;
            format!("{} {:.1} s ({answer:.0} µs an answer)", cost.who, cost.seconds)
        });
        facts.push(("processor time", joined(each)));
    }
    let did = format!("{} commands done, {} refused, {} reconnections", host.done, host.refused.len(), host.reconnects);
    facts.push(("host", did));
    facts.extend(host.refused.iter().take(SHOWN).map(|refused| ("refused", refused.clone())));
    facts.extend(host.alerts.iter().take(SHOWN).map(|alert| ("alert", alert.clone())));
    facts
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn memory_in_words(memory: &Memory) -> String {
    let (start, peak, each) = (bytes(memory.start), bytes(memory.peak), bytes(memory.per_player));
    format!("{start} at the start, {peak} at the peak, {each} for each player")
}

fn latency(caption: &str, last: &str, latency: &Latency) -> Block {
    let note = match latency.count {
        0 => "nothing was measured".to_owned(),
        measured => {
            let [p50, p90, p99, max] = [latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.max_ms].map(time);
            format!("p50 {p50}, p90 {p90}, p99 {p99}, {last} {max} ({} measured)", count(measured))
        }
    };
    let mut table = Table::new(caption, note, &[Column::number(""), Column::number(""), Column::text("")]);
    table.rows.extend(latency.bars.iter().map(|bar| {
        let drawn = Cell::Bar(Bar { value: bar.count as f64, spread: None, is_reference: false });
        TableRow::from([time(bar.to_ms).into(), count(bar.count).into(), drawn])
    }));
    Block::Table(table)
}

/// The players in play after each round.
fn survivors(in_play: &[(u16, u32)]) -> Block {
    let end = |round: Option<&(u16, u32)>| round.map_or(String::new(), |(round, _)| format!("question {round}"));
    Block::Curve(Curve {
        caption: "players in play after each question".into(),
        note: String::new(),
        points: in_play.iter().map(|&(round, players)| (f64::from(round), f64::from(players))).collect(),
        ends: (end(in_play.first()), end(in_play.last())),
        most: count(in_play.iter().map(|&(_, players)| players).max().unwrap_or_default().into()),
    })
}

fn memory(memory: &Memory) -> Block {
    Block::Curve(Curve {
        caption: "server memory over time".into(),
        note: memory_in_words(memory),
        points: memory.samples.iter().map(|&(at, bytes)| (at, bytes as f64)).collect(),
        ends: ("0 s".into(), format!("{:.0} s", memory.samples.last().map_or(0.0, |&(at, _)| at))),
        most: bytes(memory.peak),
    })
}

fn questions(questions: &[QuestionLine]) -> Block {
    let columns = [
        Column::number(""),
        Column::text("question").cut_at(40),
        Column::number("asked"),
        Column::text("answers"),
        Column::number("silent"),
        Column::number("right"),
        Column::number("alive"),
        Column::text(""),
    ];
    let mut table = Table::new("question by question", "", &columns);
    table.rows.extend(questions.iter().map(|line| {
        let total: u64 = line.counts.iter().map(|&answers| u64::from(answers)).sum();
        let right = line.right.and_then(|right| line.counts.get(usize::from(right))).copied().unwrap_or_default();
        let mut choices = Text::default();
        for (choice, &answers) in (0..).zip(&line.counts) {
            let (tone, sign) = if line.right == Some(choice) { (Tone::Good, "✓") } else { (Tone::Plain, "") };
            if choice > 0 {
                choices.0.push((Tone::Plain, " · ".to_owned()));
            }
            choices.0.push((tone, format!("{} {}{sign}", Choice(choice).letter(), count(answers.into()))));
        }
        TableRow::from([
            line.question.to_string().into(),
            line.text.as_str().into(),
            count(line.seen_by.into()).into(),
            choices.into(),
            count(line.silent.into()).into(),
            format!("{:.0} %", percent(right.into(), total)).into(),
            count(line.alive.into()).into(),
            if line.voided { "voided" } else { "" }.into(),
        ])
    }));
    Block::Table(table)
}

fn winners(winners: &Winners) -> Block {
    let amount = |minor| money(minor, &winners.currency);
    let (paid, pot, rolled_over) = (amount(winners.paid), amount(winners.pot), amount(winners.rolled_over));
    let note = format!("{} share {paid} of {pot}, {rolled_over} rolled over", count(winners.count.into()));
    let columns = [Column::number("place"), Column::text("name"), Column::number("points"), Column::number("prize")];
    let mut table = Table::new("winners", note, &columns);
    table.rows.extend(winners.places.iter().map(|place| {
        let (number, points) = (place.place.to_string(), count(place.score.into()));
        TableRow::from([number.into(), place.name.as_str().into(), points.into(), amount(place.prize).into()])
    }));
    Block::Table(table)
}

fn faults(faults: &[FaultLine]) -> Block {
    let columns = [
        Column::number("question"),
        Column::text("process"),
        Column::number("at"),
        Column::number("for"),
        Column::text("cut off: back after"),
        Column::text("answer to reply"),
        Column::text("events late by"),
    ];
    let note = "how long honest players waited, each the longest: p50 / p99 / longest";
    let mut table = Table::new("faults", note, &columns);
    table.rows.extend(faults.iter().map(|line| {
        let wait = |wait: &Wait| match wait.players {
            0 => Cell::from(""),
            players => {
                let [p50, p99, max] = [wait.p50_ms, wait.p99_ms, wait.max_ms].map(time);
                format!("{p50} / {p99} / {max} ({} players)", count(players.into())).into()
            }
        };
        TableRow::from([
            line.question.to_string().into(),
            line.what().into(),
            format!("{:.1} s", line.at).into(),
            time(line.away_ms).into(),
            wait(&line.back),
            wait(&line.reply),
            wait(&line.event),
        ])
    }));
    Block::Table(table)
}

fn audit(audit: &[PromiseLine]) -> Block {
    let columns =
        [Column::text("promise"), Column::number("checked"), Column::number("violations"), Column::text("figures")];
    let mut table = Table::new("audit", "", &columns);
    table.rows.extend(audit.iter().map(|line| {
        let figures = joined(line.figures.iter().map(|(name, value)| format!("{name} {value}")));
        let cells = [
            Text::judged(line.holds(), format!("{}. {}", line.promise, line.name)).into(),
            count(line.checked).into(),
            count(line.violated).into(),
            figures.into(),
        ];
        TableRow { problems: line.violations.clone(), ..TableRow::from(cells) }
    }));
    Block::Table(table)
}

fn database(line: &DatabaseLine) -> Block {
    let note = format!("complete {:.1} s after the end; {} differences", line.seconds, count(line.different));
    let mut table = Table::new("database against journal", note, &[Column::text("")]);
    let compared = joined(line.compared.iter().map(|(what, times)| format!("{} {what}", count(*times))));
    table.rows.push(TableRow::from([Text::judged(line.agrees(), format!("compared {compared}")).into()]));
    let differences = line.differences.iter().map(|difference| Text::new(Tone::Bad, format!("→ {difference}")));
    table.rows.extend(differences.map(|difference| TableRow::from([difference.into()])));
    Block::Table(table)
}

fn comparison(ratios: &Comparison) -> Block {
    let caption = format!("with {} hostile connections against none", count(ratios.hostile.into()));
    let mut table = Table::new(caption, "", &[Column::text(""), Column::number("times")]);
    let lines = [
        ("question sent to seen, p99", Some(ratios.question_seen_p99)),
        ("answer to reply, p99", Some(ratios.answer_replied_p99)),
        ("server memory at the peak", ratios.memory_peak),
    ];
    let known = lines.into_iter().filter_map(|(what, ratio)| Some((what, ratio?)));
    table.rows.extend(known.map(|(what, ratio)| TableRow::from([what.into(), format!("{ratio:.2}").into()])));
    Block::Table(table)
}
