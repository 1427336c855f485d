//! The reveal: what is right, and what that means for each seat; and what each seat is told.

use std::collections::BTreeMap;

use klaxon_protocol::games::quiz::{
    AnswerOutcome, Answered, Kind, QuizEvent, QuizLeader, QuizOwn, QuizReveal, QuizView, Right, SeatResult,
};
use klaxon_protocol::ids::Seat;

use super::super::rundown::SeatLedger;
use super::cloud::cloud;
use super::marks::{Mark, MarkBook};
use super::part::{QuizBook, Undo, take_life};
use super::points::{AnswerTiming, gained};
use super::question::Pay;

/// How many leaders a reveal names.
const LEADERS: usize = 10;

impl QuizBook {
    /// The seats that the last question counts for.
    pub(super) fn judged_seats(&self, ledger: &SeatLedger) -> Vec<Seat> {
        ledger.playing().filter(|seat| !self.late.contains(seat)).collect()
    }

    /// Reveals the last question, for which players had this time in all.
    pub fn reveal(&mut self, ledger: &mut SeatLedger, total: u64) -> QuizEvent {
        let playing = self.judged_seats(ledger);
        self.undo = Some(Undo {
            seats: ledger.seats(),
            outcomes: BTreeMap::new(),
            gained: BTreeMap::new(),
            life_lost: std::collections::BTreeSet::new(),
            out: std::collections::BTreeSet::new(),
            streaks: self.streaks.clone(),
        });
        let Some(asked) = self.last().cloned() else { return QuizEvent::Words { words: Vec::new() } };
        let kind = &asked.question.question.kind;
        let mut marks = MarkBook::default();
        let (mut all_stay, mut right_answers) = (false, 0);
        if kind.has_right() && !matches!(kind, Kind::Buzzer(_)) {
            marks = MarkBook::of(&asked.question, &self.answers, &asked.counts, &playing);
            let spares = self.eliminates() && self.quiz.all_wrong_all_stay;
            all_stay = spares && !playing.is_empty() && !marks.any_right();
            right_answers = self.judge(&marks, &playing, all_stay, ledger, total);
        } else {
            for &seat in &playing {
                let has_answer = self.answers.contains_key(&seat);
                let outcome = if has_answer { AnswerOutcome::Counted } else { AnswerOutcome::Silent };
                self.note(seat, outcome, 0, ledger);
            }
            if matches!(kind, Kind::Buzzer(_)) {
                let buzzing = self.buzzing.clone().unwrap_or_default();
                let pay = Pay { speed: 0, streak: 0, ..Pay::of(&self.quiz, &asked.question.question) };
                for &seat in &buzzing.wrong {
                    self.note(seat, AnswerOutcome::Wrong, -i64::from(pay.penalty), ledger);
                }
                if let Some(seat) = buzzing.right {
                    self.note(seat, AnswerOutcome::Right, pay.points.into(), ledger);
                }
                right_answers = u32::from(buzzing.right.is_some());
                marks.winners = buzzing.right.into_iter().collect();
            }
        }
        let words = match kind {
            Kind::Words(of) => cloud(&self.answers, &self.hidden, of.players),
            _ => Vec::new(),
        };
        let whole = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let reveal = QuizReveal {
            number: asked.question.asked.number,
            round: asked.round,
            right: marks.frequent.map(Right::Choices).or_else(|| asked.question.right()),
            also: Vec::new(),
            counts: asked.counts.clone(),
            answered: whole(self.answers.len()),
            right_answers,
            winners: marks.winners,
            all_stay,
            in_play: whole(ledger.playing().count()),
            explanation: asked.question.question.explanation.clone(),
            words,
            leaders: if self.shows_ranks() { leaders(ledger) } else { Vec::new() },
        };
        if let Some(asked) = self.last_mut() {
            asked.reveal = Some(reveal.clone());
        }
        self.note_state(ledger);
        QuizEvent::Reveal(reveal)
    }

    /// Applies a question that all can answer to those in play. Returns how many were right.
    fn judge(
        &mut self,
        marks: &MarkBook,
        playing: &[Seat],
        all_stay: bool,
        ledger: &mut SeatLedger,
        total: u64,
    ) -> u32 {
        let Some(asked) = self.last().cloned() else { return 0 };
        let kind = &asked.question.question.kind;
        let mut pay = Pay::of(&self.quiz, &asked.question.question);
        let places = kind.places().unwrap_or_default();
        if matches!(kind, Kind::Number(_)) && !places.is_empty() {
            // Not to be among the nearest is not wrong.
            pay.penalty = 0;
        }
        let is_staked = self.is_staked();
        let lives_count = self.quiz.last_question_lives || !self.is_last_to_eliminate(asked.question.index);
        let mut right_answers = 0;
        for &seat in playing {
            let mark = marks.marks.get(&seat).copied().unwrap_or(Mark::Silent);
            let streak = self.streaks.get(&seat).copied().unwrap_or_default();
            let elapsed = self.answers.get(&seat).map_or(0, |answer| answer.elapsed);
            let by = if is_staked {
                let stake = self.stakes.as_ref().and_then(|stakes| stakes.get(&seat)).copied().unwrap_or_default();
                if mark.is_right() { i64::from(stake) } else { -i64::from(stake) }
            } else {
                gained(pay, places, mark, AnswerTiming { elapsed, total, streak })
            };
            let outcome = match mark {
                Mark::Silent => AnswerOutcome::Silent,
                Mark::Wrong => AnswerOutcome::Wrong,
                Mark::Part(_) => AnswerOutcome::Partly,
                Mark::Right | Mark::Place(_) => AnswerOutcome::Right,
            };
            self.note(seat, outcome, if self.quiz.mode.scores() { by } else { 0 }, ledger);
            if pay.points > 0 || !places.is_empty() || is_staked {
                self.streaks.insert(seat, if mark.is_right() { streak + 1 } else { 0 });
            }
            if mark.is_right() {
                right_answers += 1;
            } else if self.eliminates() && !all_stay {
                take_life(ledger, seat, asked.round, lives_count, self.undo.as_mut());
            }
        }
        right_answers
    }

    /// Notes what an answer came to, and gives or takes its points: no more than the seat has, unless it can have less than 0.
    fn note(&mut self, seat: Seat, outcome: AnswerOutcome, by: i64, ledger: &mut SeatLedger) {
        let line = ledger.line_mut(seat);
        let by = if self.quiz.below_zero { by } else { by.max(-line.points.max(0)) };
        line.points += by;
        if outcome == AnswerOutcome::Right {
            *self.rights.entry(seat).or_default() += 1;
        }
        if let Some(undo) = &mut self.undo {
            undo.outcomes.insert(seat, outcome);
            *undo.gained.entry(seat).or_default() += by;
        }
    }

    /// The seat's result of the last reveal. With its rank if the points of all in play are given, most first.
    pub fn result(&self, seat: Seat, ledger: &SeatLedger, all: Option<&[i64]>) -> Option<SeatResult> {
        let (asked, undo) = (self.last()?, self.undo.as_ref()?);
        if seat.0 >= undo.seats {
            return None;
        }
        let outcome = undo.outcomes.get(&seat).copied().unwrap_or(AnswerOutcome::Watched);
        let winners = &asked.reveal.as_ref()?.winners;
        let place = winners.iter().position(|&winner| winner == seat && outcome == AnswerOutcome::Right);
        let rank = |all: &[i64]| {
            let better = all.partition_point(|&points| points > ledger.line(seat).points);
            u32::try_from(better + 1).unwrap_or(u32::MAX)
        };
        Some(SeatResult {
            round: asked.round,
            outcome,
            gained: undo.gained.get(&seat).copied().unwrap_or_default(),
            place: place.and_then(|place| u32::try_from(place + 1).ok()),
            rank: all.filter(|_| self.shows_ranks() && ledger.plays(seat)).map(rank),
        })
    }

    /// The quiz for players who join.
    pub fn view(&self) -> QuizView {
        let last = self.last().filter(|_| self.slide().is_none());
        let question = self.slide().or_else(|| last.map(|asked| &asked.question));
        QuizView {
            prizes: self.quiz.prizes.clone(),
            question: question.map(|question| question.asked.clone()),
            floor: last.and_then(|_| self.floor()),
            reveal: last.and_then(|asked| asked.reveal.clone()),
            voided: last.is_some_and(|asked| asked.voided),
        }
    }

    /// What a seat has, with the answers that have been counted by now.
    pub fn own(&self, seat: Seat, ledger: &SeatLedger) -> QuizOwn {
        let values = self.answers.get(&seat).map(|answer| answer.values.clone()).unwrap_or_default();
        let stake = |stakes: &BTreeMap<Seat, u32>| stakes.get(&seat).copied().unwrap_or_default();
        QuizOwn {
            answered: values.into_iter().map(|(key, value)| Answered { key, value }).collect(),
            stake: self.stakes.as_ref().map(stake),
            result: self.result(seat, ledger, None),
        }
    }
}

/// The seats in play with the most points; equals share a rank, and are in order of seats.
fn leaders(ledger: &SeatLedger) -> Vec<QuizLeader> {
    let mut best: Vec<Seat> = ledger.playing().collect();
    best.sort_by_key(|&seat| (std::cmp::Reverse(ledger.line(seat).points), seat));
    best.truncate(LEADERS);
    let leader = |&seat: &Seat| {
        let points = ledger.line(seat).points;
        let better = best.iter().filter(|&&other| ledger.line(other).points > points).count();
        QuizLeader { rank: u32::try_from(better + 1).unwrap_or(u32::MAX), seat, points }
    };
    best.iter().map(leader).collect()
}
