//! What came of a show that was played dry.

use std::fmt;

use klaxon_protocol::error::Refusal;
use klaxon_protocol::games::bingo::PrizeWon;
use klaxon_protocol::games::rundown::{PartKind, Standing};
use klaxon_protocol::money::{grouped, money};
use klaxon_protocol::player::Podium;
use klaxon_protocol::text::harmless;
use klaxon_protocol::time::Millis;

use super::DryOptions;
use crate::show_file::PreparedShow;

/// Shows that take longer than this are warned of, in ms.
const LONG: u64 = 3 * 3_600_000;

/// What came of a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryReport {
    /// What it is called.
    pub title: String,
    /// ISO 4217 code of all amounts.
    pub currency: String,
    /// How many players had a seat.
    pub players: u32,
    /// From which all that was random followed.
    pub seed: u64,
    /// Whether the show's script runs it; otherwise its lengths are those of the script, and a host takes longer or shorter.
    pub scripted: bool,
    /// How long the lobby is open, in ms.
    pub lobby: u64,
    /// The parts that were played, in order.
    pub parts: Vec<PartReport>,
    /// From the opening of the lobby to the end, in ms.
    pub length: u64,
    /// What can be won, in minor units.
    pub pot: u64,
    /// What was won.
    pub paid: u64,
    /// How many won something or, without prizes, are first.
    pub winners: u32,
    /// What may not be meant.
    pub warnings: Vec<String>,
}

/// What came of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartReport {
    /// Its index in the setup.
    pub part: usize,
    /// Its kind.
    pub kind: &'static str,
    /// How many rounds it had.
    pub rounds: u32,
    /// From its beginning to that of the next part or to the end, in ms.
    pub length: u64,
    /// How many players were in play at its beginning and at its end.
    pub in_play: (usize, usize),
    /// What players won in it, in minor units.
    pub paid: u64,
    /// Its prizes by name.
    pub prizes: Vec<PrizeReport>,
    /// The players' points at its end, if anybody's changed in it.
    pub points: Option<Spread>,
    /// How many times the script waited for the host.
    pub waits: u32,
}

/// What came of a prize.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrizeReport {
    /// What it is called.
    pub name: String,
    /// What is won, in minor units.
    pub amount: u64,
    /// How many tickets won it.
    pub winners: u32,
    /// What they got together.
    pub paid: u64,
}

/// How points are spread over players.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// The fewest.
    pub least: i64,
    /// Half of the players have as many or more.
    pub median: i64,
    /// The most.
    pub most: i64,
}

/// Writes the report while the show is played.
pub(super) struct Reporter {
    report: DryReport,
    start: Millis,
    /// The part that is played, when it began, and what players had then.
    playing: Option<(usize, Millis, Vec<Standing>)>,
    /// What players had last, where the next part takes it from them.
    last: Option<Vec<Standing>>,
    /// What can be won by the setup.
    pot: u64,
}

impl Reporter {
    pub fn new(show: &PreparedShow, options: DryOptions, start: Millis) -> Self {
        let part = |(part, kind): (usize, &PartKind)| PartReport {
            part,
            kind: kind.name(),
            rounds: 0,
            length: 0,
            in_play: (0, 0),
            paid: 0,
            prizes: match kind {
                PartKind::Bingo(bingo) => {
                    let prize = |name: &String, amount| PrizeReport { name: name.clone(), amount, winners: 0, paid: 0 };
                    bingo.prizes.iter().map(|known| prize(&known.name, known.amount)).collect()
                }
                _ => Vec::new(),
            },
            points: None,
            waits: 0,
        };
        let mut warnings = Vec::new();
        if options.players > show.seats {
            warnings
                .push(format!("the show has {} seats: only as many of {} players get in", show.seats, options.players));
        }
        let report = DryReport {
            title: show.title.clone(),
            currency: show.setup.currency.clone(),
            players: options.players.min(show.seats),
            seed: options.seed,
            scripted: show.setup.script.on,
            lobby: 0,
            parts: show.setup.parts.iter().map(|part| &part.kind).enumerate().map(part).collect(),
            length: 0,
            pot: 0,
            paid: 0,
            winners: 0,
            warnings,
        };
        Self { report, start, playing: None, last: None, pot: show.setup.pot().unwrap_or(u64::MAX) }
    }

    /// The part that is played.
    pub fn part(&self) -> Option<usize> {
        self.playing.as_ref().map(|(part, ..)| *part)
    }

    pub fn round(&mut self, part: usize) {
        self.report.parts[part].rounds += 1;
    }

    pub fn waits_for_host(&mut self, part: usize) {
        self.report.parts[part].waits += 1;
    }

    pub fn won(&mut self, part: usize, won: &PrizeWon) {
        if let Some(prize) = self.report.parts[part].prizes.get_mut(usize::from(won.prize)) {
            prize.winners = won.count;
            prize.paid = u64::from(won.count) * won.share + u64::from(won.one_more);
        }
    }

    pub fn podium(&mut self, Podium { winners, pot, paid, .. }: Podium) {
        (self.report.winners, self.report.pot, self.report.paid) = (winners, pot, paid);
    }

    /// The show can't go on by itself.
    pub fn blocked(&mut self, refusal: &Refusal) {
        let place = self.part().map_or_else(|| "before the first part".into(), |part| self.name_of(part));
        self.report.warnings.push(format!("{place}: the show stands still: {refusal}"));
    }

    pub fn before_next_part(&mut self, standings: Vec<Standing>) {
        self.last = Some(standings);
    }

    pub fn part_begins(&mut self, part: usize, now: Millis, standings: Vec<Standing>) {
        let last = self.last.take();
        self.end_part(now, last.as_deref().unwrap_or(&standings), winnings(&standings));
        if self.playing.is_none() {
            self.report.lobby = now.0 - self.start.0;
        }
        let in_play = in_play(&standings);
        self.report.parts[part].in_play = (in_play, in_play);
        let needs_players = matches!(self.report.parts[part].kind, "quiz" | "bingo");
        if needs_players && in_play == 0 && self.report.players > 0 {
            self.report.warnings.push(format!("{}: all players are out before it begins", self.name_of(part)));
        }
        self.playing = Some((part, now, standings));
    }

    /// The part is over. Winnings are always kept, and can be paid at its very end.
    fn end_part(&mut self, now: Millis, after: &[Standing], won: u64) {
        let Some((part, began, before)) = &self.playing else { return };
        let report = &mut self.report.parts[*part];
        report.length = now.0 - began.0;
        report.in_play.1 = in_play(after);
        report.paid = won.saturating_sub(winnings(before));
        if before.iter().zip(after).any(|(before, after)| before.points != after.points) {
            report.points = Spread::of(after);
        }
        if report.rounds > 0 && report.paid == 0 && before == after && !before.is_empty() {
            let warning = format!("{}: nobody won or lost anything in it", self.name_of(*part));
            self.report.warnings.push(warning);
        }
    }

    pub fn finish(mut self, now: Millis, standings: &[Standing]) -> DryReport {
        self.end_part(now, standings, winnings(standings));
        self.report.length = now.0 - self.start.0;
        for part in 0..self.report.parts.len() {
            let place = self.name_of(part);
            let unpaid = self.report.parts[part].prizes.iter().filter(|prize| prize.winners == 0);
            let told: Vec<String> = unpaid
                .map(|prize| {
                    let amount = money(prize.amount, &self.report.currency);
                    format!("{place}: nobody won \"{}\" ({amount})", harmless(&prize.name))
                })
                .collect();
            self.report.warnings.extend(told);
        }
        if self.report.pot > self.pot {
            let more = money(self.report.pot - self.pot, &self.report.currency);
            self.report.warnings.push(format!("{more} more were paid than the prizes are, because of least shares"));
        }
        if self.report.length > LONG {
            self.report.warnings.push(format!("the show takes {}", long(self.report.length)));
        }
        self.report
    }

    fn name_of(&self, part: usize) -> String {
        format!("parts[{part}] ({})", self.report.parts[part].kind)
    }
}

fn in_play(standings: &[Standing]) -> usize {
    standings.iter().filter(|standing| standing.in_play).count()
}

fn winnings(standings: &[Standing]) -> u64 {
    standings.iter().map(|standing| standing.winnings).sum()
}

impl Spread {
    fn of(standings: &[Standing]) -> Option<Self> {
        let mut points: Vec<i64> = standings.iter().map(|standing| standing.points).collect();
        points.sort_unstable();
        let median = *points.get(points.len().checked_sub(1)?.div_ceil(2))?;
        Some(Self { least: *points.first()?, median, most: *points.last()? })
    }
}

/// A length in ms, for people.
fn long(ms: u64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{}.{} s", ms / 1000, ms / 100 % 10),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

fn signed(points: i64) -> String {
    format!("{}{}", if points < 0 { "-" } else { "" }, grouped(points.unsigned_abs()))
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

impl fmt::Display for DryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let players = count(self.players.into(), "player", "players");
        writeln!(f, "{}: played dry with {players}, seed {}", harmless(&self.title), self.seed)?;
        if !self.scripted {
            writeln!(f, "The host steers this show; lengths are those of its script, which `autopilot` switches on.")?;
        }
        writeln!(f)?;
        writeln!(f, "{:<14} {:>6}  {:>14}  {:>13}", "part", "rounds", "length", "in play")?;
        writeln!(f, "{:<14} {:>6}  {:>14}", "lobby", "", long(self.lobby))?;
        for part in &self.parts {
            let name = format!("[{}] {}", part.part, part.kind);
            let in_play = format!("{} -> {}", part.in_play.0, part.in_play.1);
            writeln!(f, "{name:<14} {:>6}  {:>14}  {in_play:>13}", part.rounds, long(part.length))?;
        }
        let rounds: u32 = self.parts.iter().map(|part| part.rounds).sum();
        writeln!(f, "{:<14} {rounds:>6}  {:>14}", "in total", long(self.length))?;
        writeln!(f)?;
        for part in &self.parts {
            self.part(f, part)?;
        }
        let (paid, pot) = (money(self.paid, &self.currency), money(self.pot, &self.currency));
        match self.pot {
            0 => writeln!(f, "no prizes; first: {}", count(self.winners.into(), "player", "players"))?,
            _ => writeln!(f, "paid: {paid} of {pot}, to {}", count(self.winners.into(), "winner", "winners"))?,
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}

impl DryReport {
    /// What a part paid for what.
    fn part(&self, f: &mut fmt::Formatter<'_>, part: &PartReport) -> fmt::Result {
        let name = format!("[{}] {}", part.part, part.kind);
        for prize in &part.prizes {
            let (amount, paid) = (money(prize.amount, &self.currency), money(prize.paid, &self.currency));
            let winners = count(prize.winners.into(), "ticket", "tickets");
            writeln!(f, "{name}: {} ({amount}): {winners}, {paid}", harmless(&prize.name))?;
        }
        if part.prizes.is_empty() && part.paid > 0 {
            writeln!(f, "{name}: {} won", money(part.paid, &self.currency))?;
        }
        if let Some(Spread { least, median, most }) = part.points {
            let [least, median, most] = [least, median, most].map(signed);
            writeln!(f, "{name}: points {least} to {most}, half of the players {median} or more")?;
        }
        if part.waits > 0 {
            let times = count(part.waits.into(), "time", "times");
            writeln!(f, "{name}: the script waits for the host, {times}")?;
        }
        Ok(())
    }
}
