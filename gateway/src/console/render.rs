//! The console's screen: a pure function from what is known to lines.

use klaxon_protocol::games::trivia::Choice;
use klaxon_protocol::host::Figures;
use klaxon_protocol::player::Phase;
use klaxon_protocol::text::harmless;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::keys::KEYS;
use super::orders::phase_name;
use super::view::{AskedQuestion, Note, View};

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As it is.
    Plain,
    /// The most important.
    Bold,
    /// The least important.
    Dim,
    /// Good news, or the right choice.
    Good,
    /// Bad news.
    Bad,
}

/// A line of the screen, no wider than it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenLine {
    /// How it looks.
    pub look: Look,
    /// Its text.
    pub text: String,
}

/// How many alerts are shown at most.
const ALERTS: usize = 3;

/// The screen's lines, at most `height`, each at most `width` columns wide.
#[must_use]
pub fn screen(view: &View, width: usize, height: usize) -> Vec<ScreenLine> {
    let mut page = Page { width, lines: Vec::new() };
    page.head(view);
    page.figures(view);
    page.question(view);
    page.running(view);

    let keys = keys(view, width);
    // A rule, the note, and the keys.
    let bottom = 2 + keys.len();
    let room = height.saturating_sub(page.lines.len() + bottom);
    page.history(view, room);

    page.lines.truncate(height.saturating_sub(bottom));
    page.rule();
    page.note(view);
    for line in keys {
        page.add(Look::Dim, &line);
    }
    page.lines.truncate(height);
    page.lines
}

/// What the keys do now, in two lines at most.
fn keys(view: &View, width: usize) -> Vec<String> {
    if view.prompt.is_some() {
        return vec!["Enter: do it   Esc: never mind".into()];
    }
    let is_paused = view.figures.as_ref().is_some_and(|figures| figures.paused);
    let names: Vec<String> = KEYS
        .iter()
        // A space that does not break keeps a key and its name together.
        .map(|(key, name)| format!("{key}\u{a0}{}", if is_paused && *name == "pause" { "resume" } else { name }))
        .collect();
    wrap(&names.join("  "), width, 2).into_iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

struct Page {
    width: usize,
    lines: Vec<ScreenLine>,
}

impl Page {
    fn add(&mut self, look: Look, text: &str) {
        let text = fit(&harmless(text), self.width).trim_end().to_owned();
        self.lines.push(ScreenLine { look, text });
    }

    fn rule(&mut self) {
        self.add(Look::Dim, &"─".repeat(self.width));
    }

    /// Two texts, one at each end of the line; the left one gives way.
    fn sides(&mut self, look: Look, left: &str, right: &str) {
        let room = self.width.saturating_sub(right.width() + 1);
        self.add(look, &format!("{} {right}", fit(left, room)));
    }

    fn head(&mut self, view: &View) {
        let place = match &view.asked {
            Some(asked) if view.phase != Phase::Ended => {
                let question = &asked.question;
                format!("question {} of {}: {}", question.question, question.total, phase_name(view.phase))
            }
            _ => match &view.running {
                Some(running) if view.phase != Phase::Ended => {
                    format!("part {}: {}", running.part, phase_name(view.phase))
                }
                _ => phase_name(view.phase).to_owned(),
            },
        };
        self.sides(Look::Bold, &format!("KLAXON  {}  {}", view.code, view.title), &place);
        self.rule();
    }

    fn figures(&mut self, view: &View) {
        let Some(figures) = &view.figures else {
            self.add(Look::Dim, "waiting for the first figures");
            return;
        };
        let people = format!("joined {}   connected {}   in play {}", figures.joined, figures.connected, figures.alive);
        let switches = match (figures.paused, figures.autopilot) {
            (true, true) => "PAUSED   autopilot on",
            (true, false) => "PAUSED",
            (false, true) => "autopilot on",
            (false, false) => "",
        };
        self.sides(Look::Plain, &people, switches);
        let latency = &figures.latency;
        let replies = if latency.count == 0 {
            "no answers measured".to_owned()
        } else {
            format!("reply p50 {}   p99 {}", micros(latency.p50), micros(latency.p99))
        };
        self.sides(Look::Plain, &replies, &format!("shed {}", figures.shed));
        self.add(Look::Plain, "");
    }

    fn question(&mut self, view: &View) {
        let Some(asked) = &view.asked else { return };
        let question = &asked.question;
        let look = if asked.voided { Look::Dim } else { Look::Bold };
        let state = if asked.voided { " (does not count)" } else { "" };
        for line in wrap(&harmless(format!("{}. {}{state}", question.question, question.text)), self.width, 2) {
            self.add(look, &line);
        }
        let current = view.figures.as_ref().filter(|figures| figures.question == Some(question.question));
        let counts =
            asked.counts.as_deref().or_else(|| current.map(|figures| &figures.answers[..])).unwrap_or_default();
        let total: u64 = counts.iter().copied().map(u64::from).sum();
        for (at, text) in (0..).zip(&question.choices) {
            let count = counts.get(usize::from(at)).copied().unwrap_or_default();
            self.choice(asked, Choice(at), text, count, total);
        }
        if let Some(figures) = current {
            self.clock(asked, figures, total);
        }
        self.add(Look::Plain, "");
    }

    /// What a rundown plays now.
    fn running(&mut self, view: &View) {
        let Some(running) = &view.running else { return };
        for line in wrap(&harmless(&running.headline), self.width, 2) {
            self.add(Look::Bold, &line);
        }
        let Some(figures) = &view.figures else { return };
        for line in running.numbers(&figures.answers) {
            self.add(Look::Plain, &format!("   {line}"));
        }
        if let Some(left) = figures.time_left.filter(|_| figures.phase == Phase::Question) {
            self.add(Look::Plain, &format!("   {:.1} s left", f64::from(left.0) / 1000.0));
        }
        self.add(Look::Plain, "");
    }

    fn choice(&mut self, asked: &AskedQuestion, choice: Choice, text: &str, count: u32, total: u64) {
        let is_right = asked.right == Some(choice);
        let mark = if is_right { '✔' } else { ' ' };
        let label = fit(&format!(" {mark} {} {}", choice.letter(), harmless(text)), self.width / 2);
        let share = if total == 0 { 0.0 } else { f64::from(count) / total as f64 };
        let numbers = format!("{count:>8} {:>4.0}%", share * 100.0);
        let room = self.width.saturating_sub(label.width() + numbers.width() + 2);
        let bar = bar(share, room);
        self.add(if is_right { Look::Good } else { Look::Plain }, &format!("{label} {bar} {numbers}"));
    }

    fn clock(&mut self, asked: &AskedQuestion, figures: &Figures, answers: u64) {
        let of = figures.alive;
        let Some(left) = figures.time_left.filter(|_| figures.phase == Phase::Question) else {
            self.add(Look::Plain, &format!("   {answers} answers"));
            return;
        };
        let open_for = asked.question.closes_at.since(asked.question.opens_at);
        let share = if open_for.0 == 0 { 0.0 } else { (f64::from(left.0) / f64::from(open_for.0)).min(1.0) };
        let seconds = f64::from(left.0) / 1000.0;
        let start = format!("   {seconds:.1} s left");
        let end = format!("{answers} of {of} answered");
        let room = self.width.saturating_sub(start.width() + end.width() + 4).min(30);
        self.sides(Look::Plain, &format!("{start}  {}", bar(share, room)), &end);
    }

    /// Alerts, then as many of the last events as there is room for.
    fn history(&mut self, view: &View, room: usize) {
        let alerts = view.alerts.len().min(ALERTS).min(room);
        for alert in view.alerts.iter().skip(view.alerts.len() - alerts) {
            self.add(Look::Bad, &format!(" ! {alert}"));
        }
        let events = view.events.len().min(room - alerts);
        for event in view.events.iter().skip(view.events.len() - events) {
            self.add(Look::Dim, &format!(" · {event}"));
        }
        for _ in alerts + events..room {
            self.add(Look::Plain, "");
        }
    }

    fn note(&mut self, view: &View) {
        if let Some(problem) = &view.lost {
            self.add(Look::Bad, &format!("no connection, trying again: {problem}"));
        } else if let Some(prompt) = &view.prompt {
            // What is typed last must be seen.
            self.add(Look::Bold, tail(&prompt.shown(), self.width));
        } else {
            let look = if matches!(view.note, Some(Note::Refused(_))) { Look::Bad } else { Look::Good };
            self.add(look, view.note.as_ref().map_or("", Note::text));
        }
    }
}

/// A duration in microseconds, for people.
fn micros(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// A bar of `share` (0 to 1) of this number of columns, filled up with spaces.
fn bar(share: f64, columns: usize) -> String {
    let full = ((share * columns as f64).round() as usize).min(columns);
    format!("{}{}", "█".repeat(full), " ".repeat(columns - full))
}

/// The text made exactly this number of columns wide.
fn fit(text: &str, columns: usize) -> String {
    let (mut fitted, mut used) = (String::new(), 0);
    let whole = text.width() <= columns;
    let room = if whole { columns } else { columns.saturating_sub(1) };
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            break;
        }
        fitted.push(c);
        used += wide;
    }
    if !whole && columns > 0 {
        fitted.push('…');
        used += 1;
    }
    fitted.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    fitted
}

/// The end of the text, at most this number of columns of it.
fn tail(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .last();
    start.map_or("", |(at, _)| &text[at..])
}

/// The text in at most this number of lines, broken between words; the last one takes what is left.
fn wrap(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.len() == most;
        let Some(last) = lines.last_mut() else { break };
        if !last.is_empty() && !full && last.width() + 1 + word.width() > columns {
            lines.push(word.to_owned());
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
#[path = "render_examples.rs"]
mod examples;
