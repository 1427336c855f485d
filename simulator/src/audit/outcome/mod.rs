//! What a show must have come to for everybody who had a seat: worked out anew from what the journal says was done, by the rules of
//! docs/rules.md and with none of the engine's code.

mod clock;
mod prizes;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{Choice, Name, PlayerId, QuestionId, Seat};
use klaxon_protocol::journal::{Command, CountedAnswer, FrameError, Record, Records};
use klaxon_protocol::player::{Podium, Role, ToPlayer};
use klaxon_protocol::settings::{MOST_LIVES, NobodyLeft, Settings};
use klaxon_protocol::time::{Millis, Span};

use self::clock::Clock;
use self::prizes::divide;

/// What a show came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Everybody who had a seat, by seat.
    pub players: Vec<Final>,
    /// The answers that count, and when each was read: the first one of each seat.
    pub answers: BTreeMap<(QuestionId, Seat), (Choice, Millis)>,
    /// The podium that everybody was shown.
    pub podium: Option<Podium>,
}

/// What a player came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Final {
    /// Who.
    pub player: PlayerId,
    /// What they were called.
    pub name: Name,
    /// Whether they were in play at the end.
    pub alive: bool,
    /// Extra lives left.
    pub lives: u8,
    /// Points.
    pub score: u32,
    /// How many of their answers were right, in questions that count.
    pub right_answers: u32,
    /// Their place, from 1; equals share one; 0 for one whom the host took out.
    pub place: u32,
    /// What they win, in minor units.
    pub prize: u64,
}

impl Outcome {
    /// What the show with this journal came to.
    ///
    /// # Errors
    /// If the journal can't be read to its end.
    pub fn of(journal: &[u8]) -> Result<Self, FrameError> {
        let mut table = Table::default();
        for record in Records::new(journal)? {
            table.take(record?.1);
        }
        Ok(table.outcome())
    }
}

/// One seat while the show is played again.
#[derive(Debug, Clone)]
struct Held {
    player: PlayerId,
    name: Name,
    alive: bool,
    removed: bool,
    lives: u8,
    score: u32,
    streak: u32,
    rights: u32,
    /// Milliseconds that all right answers took.
    time: u64,
    /// The question that put the seat out; 0 if none did.
    out_at: u16,
}

/// What a reveal did to a seat, so that a void can take it back.
#[derive(Debug, Clone, Copy)]
enum Change {
    Right { gained: u32, elapsed: u64, streak: u32 },
    LifeLost { streak: u32 },
    Out { streak: u32 },
    Nothing { streak: u32 },
}

#[derive(Debug, Default)]
struct Table {
    settings: Settings,
    seats: Vec<Held>,
    question: Option<QuestionId>,
    clock: Clock,
    /// The counted answers to the running question: which, and how much of its time had passed.
    counted: BTreeMap<Seat, (Choice, u64)>,
    /// What the last reveal did, if it was not taken back.
    changes: Vec<(Seat, Change)>,
    answers: BTreeMap<(QuestionId, Seat), (Choice, Millis)>,
    podium: Option<Podium>,
    /// Whether an end pays that comes of the record at hand, and whether the one that came did.
    pays: bool,
    paid: bool,
}

impl Table {
    fn take(&mut self, record: Record) {
        // The script's end always does.
        self.pays = true;
        match record.command {
            Command::Create(show) | Command::Begin { show, .. } => self.settings = show.settings,
            Command::Join { player, name, role: Role::Player } => self.seats.push(Held {
                player,
                name,
                alive: true,
                removed: false,
                lives: self.settings.lives,
                score: 0,
                streak: 0,
                rights: 0,
                time: 0,
                out_at: 0,
            }),
            Command::Answers { question, answers } => answers.iter().for_each(|answer| self.count(question, answer)),
            // What was read in that very moment still counts.
            Command::Recovered { away } => self.clock.stop(record.at - away + Span(1)),
            Command::Host { action: Action::Remove { seat, .. }, .. } => {
                if let Some(held) = self.seats.get_mut(seat.index()) {
                    (held.alive, held.removed) = (false, true);
                }
            }
            Command::Host { action: Action::GiveLives { seat, lives }, .. } => {
                let chosen = (0..).map(Seat).zip(&mut self.seats);
                for (_, held) in chosen.filter(|(own, held)| held.alive && seat.is_none_or(|seat| seat == *own)) {
                    held.lives = held.lives.saturating_add(lives).min(MOST_LIVES);
                }
            }
            Command::Host { action: Action::End { pay }, .. } => self.pays = pay,
            Command::Join { .. }
            | Command::Host { .. }
            | Command::Tick
            | Command::Tally { .. }
            | Command::Outage { .. } => {}
        }
        record.events.into_iter().for_each(|event| self.hear(event));
    }

    fn count(&mut self, question: QuestionId, answer: &CountedAnswer) {
        self.answers.entry((question, answer.seat)).or_insert((answer.choice, answer.at));
        if self.question == Some(question) {
            let elapsed = self.clock.elapsed(answer.at);
            self.counted.entry(answer.seat).or_insert((answer.choice, elapsed));
        }
    }

    fn hear(&mut self, event: ToPlayer) {
        match event {
            ToPlayer::Question(asked) => {
                self.question = Some(asked.question);
                self.clock = Clock::new(asked.opens_at, asked.closes_at);
                self.counted.clear();
                self.changes.clear();
            }
            ToPlayer::Clock(moved) => self.clock = Clock::new(moved.opens_at, moved.closes_at),
            ToPlayer::Pause(pause) => self.clock.stop(pause.at),
            ToPlayer::Resume(resume) => {
                if let (Some(opens), Some(closes)) = (resume.opens_at, resume.closes_at) {
                    self.clock.go(opens, closes);
                }
            }
            ToPlayer::Close(close) => self.clock.stop(close.at),
            ToPlayer::Reveal(reveal) => self.judge(reveal.question, reveal.right),
            ToPlayer::Void(void) => self.take_back(void.question),
            ToPlayer::Podium(podium) => {
                self.podium = Some(podium);
                self.paid = self.pays;
            }
            _ => {}
        }
    }

    /// Wrong or no answer: a life or, without one, out. Right: points, by how fast.
    fn judge(&mut self, question: QuestionId, right: Choice) {
        let (eliminates, scores) = (self.settings.mode.eliminates(), self.settings.mode.scores());
        self.changes.clear();
        for (seat, held) in (0..).map(Seat).zip(&mut self.seats).filter(|(_, held)| held.alive) {
            let streak = held.streak;
            let change = match self.counted.get(&seat) {
                Some(&(choice, elapsed)) if choice == right => {
                    let gained = if scores { points(elapsed, self.clock.total(), streak) } else { 0 };
                    held.score += gained;
                    held.streak += 1;
                    held.rights += 1;
                    held.time += elapsed;
                    Change::Right { gained, elapsed, streak }
                }
                _ => {
                    held.streak = 0;
                    if !eliminates {
                        Change::Nothing { streak }
                    } else if held.lives > 0 {
                        held.lives -= 1;
                        Change::LifeLost { streak }
                    } else {
                        (held.alive, held.out_at) = (false, question.0);
                        Change::Out { streak }
                    }
                }
            };
            self.changes.push((seat, change));
        }
    }

    /// The question does not count: what its reveal did is taken back.
    fn take_back(&mut self, question: QuestionId) {
        if self.question != Some(question) {
            return;
        }
        for (seat, change) in std::mem::take(&mut self.changes) {
            let Some(held) = self.seats.get_mut(seat.index()) else { continue };
            held.streak = match change {
                Change::Right { gained, elapsed, streak } => {
                    held.score -= gained;
                    held.rights -= 1;
                    held.time -= elapsed;
                    streak
                }
                Change::LifeLost { streak } => {
                    held.lives = held.lives.saturating_add(1).min(MOST_LIVES);
                    streak
                }
                Change::Out { streak } => {
                    (held.alive, held.out_at) = (!held.removed, 0);
                    streak
                }
                Change::Nothing { streak } => streak,
            };
        }
    }

    /// In play before out, later out before earlier, more points before fewer, less time before more; equals share a place and stand
    /// by seat.
    fn ranking(&self) -> Vec<(u32, Seat)> {
        let merit = |held: &Held| {
            let out_at = if held.alive { u16::MAX } else { held.out_at };
            (Reverse(out_at), Reverse(held.score), held.time)
        };
        let seats = (0..).map(Seat).zip(&self.seats).filter(|(_, held)| !held.removed);
        let mut ranked: Vec<_> = seats.map(|(seat, held)| (merit(held), seat)).collect();
        ranked.sort_unstable();
        let mut ranking: Vec<(u32, Seat)> = Vec::with_capacity(ranked.len());
        for (index, (merit, seat)) in ranked.iter().enumerate() {
            let equal = index.checked_sub(1).filter(|&before| ranked[before].0 == *merit);
            let place = equal.map_or_else(|| u32::try_from(index + 1).unwrap_or(u32::MAX), |before| ranking[before].0);
            ranking.push((place, *seat));
        }
        ranking
    }

    /// How many from the top of the ranking may win.
    fn winners(&self, ranking: &[(u32, Seat)]) -> usize {
        let first = |wins: &dyn Fn(&Held) -> bool| {
            ranking.iter().take_while(|(_, seat)| self.seats.get(seat.index()).is_some_and(wins)).count()
        };
        if !self.settings.mode.eliminates() {
            return first(&|held| held.score > 0);
        }
        let alive = first(&|held| held.alive);
        if alive > 0 || self.settings.nobody_left == NobodyLeft::Rollover {
            return alive;
        }
        let last = ranking.first().and_then(|(_, seat)| self.seats.get(seat.index())).map(|held| held.out_at);
        first(&|held| Some(held.out_at) == last)
    }

    fn outcome(self) -> Outcome {
        let ranking = self.ranking();
        let winners = if self.paid { self.winners(&ranking) } else { 0 };
        let places: Vec<u32> = ranking.iter().take(winners).map(|&(place, _)| place).collect();
        let parts = divide(self.settings.pot, &self.settings.prize, &places);
        let mut won = vec![(0, 0); self.seats.len()];
        for (index, &(place, seat)) in ranking.iter().enumerate() {
            won[seat.index()] = (place, parts.get(index).copied().unwrap_or(0));
        }
        let players = self.seats.into_iter().zip(won).map(|(held, (place, prize))| Final {
            player: held.player,
            name: held.name,
            alive: held.alive,
            lives: held.lives,
            score: held.score,
            right_answers: held.rights,
            place,
            prize,
        });
        Outcome { players: players.collect(), answers: self.answers, podium: self.podium }
    }
}

/// 500 to 1000 in steps of 10 for the time that was left, and 100 for each right answer just before, 500 at most.
fn points(elapsed: u64, total: u64, streak: u32) -> u32 {
    let steps = total.saturating_sub(elapsed) * 50 / total.max(1);
    500 + u32::try_from(steps).unwrap_or(50) * 10 + 100 * streak.min(5)
}

#[cfg(test)]
mod tests;
