//! The reveal: what is right, and what that means for each seat.

use klaxon_protocol::games::quiz::{AnswerOutcome, Kind, Late, Quiz, QuizEvent, QuizReveal, Right, Scoring, Words};
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Span;

use super::QuizPart;
use super::judge::points::{Timing, gained};
use super::judge::{Mark, wager};
use super::marks::Marks;
use super::sheet::Rule;
use super::undo::{RevealUndo, lose};
use crate::game::rundown::{Ledger, Stage};

/// What a reveal found.
#[derive(Default)]
struct Found {
    right_answers: u32,
    /// Those who are paid by place, best first.
    winners: Vec<Seat>,
    /// The most frequent choices, if these are right.
    frequent: Option<Vec<u8>>,
    all_stay: bool,
}

impl QuizPart {
    /// Reveals the last question, and applies the rules to every seat.
    pub(super) fn reveal_last(&mut self, stage: &mut Stage<'_>) {
        let seats = stage.ledger.seats();
        self.seats.grow(seats);
        let mut undo = RevealUndo::new(seats, &self.seats.streaks);
        let kind = self.last().map(|asked| self.kind(asked.index)).expect("a question is revealed after it was asked");
        let (is_buzzer, has_right) = (matches!(kind, Kind::Buzzer(_)), kind.has_right());
        let found = if is_buzzer {
            self.judge_buzzer(stage, &mut undo)
        } else if has_right {
            self.judge(stage, &mut undo)
        } else {
            self.note_answers(stage, &mut undo)
        };
        self.undo = Some(undo);
        self.seats.changed();
        let reveal = self.what_was_right(stage, found);
        self.must_last().reveal = Some(reveal.clone());
        self.note_state(stage);
        let personal = self.results_of_seats(stage);
        stage.tell_with(Phase::Revealed, QuizEvent::Reveal(reveal), personal);
    }

    /// Applies a question that all can answer to every seat in play.
    fn judge(&mut self, stage: &mut Stage<'_>, undo: &mut RevealUndo) -> Found {
        let total = stage.clock().expect("it was asked in a round").total();
        let (eliminates, is_staked) = (self.eliminates(), self.is_staked());
        let playing: Vec<Seat> = self.playing(stage).collect();
        let asked = self.asked.last().expect("it was asked");
        let scoring = self.scoring(asked.index);
        let lives_count = self.quiz.last_question_lives || !self.is_last_to_eliminate(asked.index);
        let places = self.quiz.questions[asked.index].kind.places().unwrap_or_default();
        let round = asked.round;
        let plays = |seat: Seat| stage.plays(seat) && !self.seats.late.contains(seat);
        let marks = Marks::new(&asked.sheet.rule, &self.answers, &asked.counts, places.len(), stage.teams, plays);
        let mut found = Found { winners: marks.best().to_vec(), frequent: marks.frequent(), ..Found::default() };
        let any_right = || playing.iter().any(|&seat| marks.of(seat, self.answers.get(seat)).is_right());
        found.all_stay = eliminates && self.quiz.all_wrong_all_stay && !playing.is_empty() && !any_right();
        // A question without points leaves streaks as they are.
        let has_streak = scoring.points > 0 || !places.is_empty() || is_staked;
        for &seat in &playing {
            let index = seat.index();
            let mark = marks.of(seat, self.answers.get(seat));
            undo.outcomes[index] = outcome(mark);
            if self.quiz.mode.scores() {
                let timing = Timing { elapsed: self.answers.elapsed(seat), total, streak: self.seats.streak(seat) };
                let earned = if is_staked {
                    wager::outcome(self.seats.stake(seat), mark)
                } else {
                    gained(scoring, places, mark, timing)
                };
                undo.give(stage.ledger, seat, limited(&self.quiz, stage.ledger, seat, earned));
            }
            if mark.is_right() {
                found.right_answers += 1;
                self.seats.rights[index] = self.seats.rights[index].saturating_add(1);
            } else if eliminates && !found.all_stay {
                undo.note(seat, lose(stage.ledger, seat, round, lives_count));
            }
            if has_streak {
                self.seats.streaks[index] =
                    if mark.is_right() { self.seats.streaks[index].saturating_add(1) } else { 0 };
            }
        }
        found
    }

    /// Pays those whose answers to a buzzer were judged. Streaks stay as they are, for only one player can answer.
    fn judge_buzzer(&mut self, stage: &mut Stage<'_>, undo: &mut RevealUndo) -> Found {
        self.note_answers(stage, undo);
        let index = self.last().expect("it was asked").index;
        let scoring = Scoring { speed: 0, streak: 0, ..self.scoring(index) };
        let Some(buzzing) = &self.buzzing else { return Found::default() };
        let timing = Timing { elapsed: Span(0), total: Span(1), streak: 0 };
        let judged = buzzing.wrong.iter().map(|&seat| (seat, Mark::Wrong));
        for (seat, mark) in judged.chain(buzzing.right.map(|seat| (seat, Mark::Right))) {
            undo.outcomes[seat.index()] = outcome(mark);
            // Their removal after the judgement does not change it.
            let earned = gained(scoring, &[], mark, timing);
            undo.give(stage.ledger, seat, limited(&self.quiz, stage.ledger, seat, earned));
            if mark.is_right() {
                let rights = &mut self.seats.rights[seat.index()];
                *rights = rights.saturating_add(1);
            }
        }
        Found {
            right_answers: u32::from(buzzing.right.is_some()),
            winners: buzzing.right.into_iter().collect(),
            ..Found::default()
        }
    }

    /// Notes who answered where nothing is right or wrong.
    fn note_answers(&self, stage: &Stage<'_>, undo: &mut RevealUndo) -> Found {
        for seat in self.playing(stage) {
            let answered = self.answers.get(seat).is_some();
            undo.outcomes[seat.index()] = if answered { AnswerOutcome::Counted } else { AnswerOutcome::Silent };
        }
        Found::default()
    }

    /// The seats that the last question counts for, in order.
    fn playing(&self, stage: &Stage<'_>) -> impl Iterator<Item = Seat> {
        let is_late = |seat: &Seat| self.seats.late.contains(*seat);
        (0..stage.ledger.seats()).map(Seat).filter(move |seat| stage.plays(*seat) && !is_late(seat))
    }

    /// How answers to this question are paid.
    fn scoring(&self, index: usize) -> Scoring {
        let scoring = self.quiz.scoring(&self.quiz.questions[index]);
        // Not to be among the nearest is not wrong.
        let is_nearest = self.last().is_some_and(|asked| matches!(asked.sheet.rule, Rule::Nearest(_)));
        if is_nearest { Scoring { penalty: 0, ..scoring } } else { scoring }
    }

    /// Whether the last question pays the stakes of the wager before it.
    fn is_staked(&self) -> bool {
        let [.., wager, asked] = &*self.asked else { return false };
        matches!(self.kind(wager.index), Kind::Wager(_)) && !wager.voided && wager.index + 1 == asked.index
    }

    fn what_was_right(&self, stage: &Stage<'_>, found: Found) -> QuizReveal {
        let asked = self.last().expect("it was asked");
        let question = &self.quiz.questions[asked.index];
        let words = match question.kind {
            Kind::Words(Words { players, .. }) => self.answers.cloud.most_frequent(players),
            _ => Vec::new(),
        };
        QuizReveal {
            number: asked.sheet.asked.number,
            round: asked.round,
            right: found.frequent.map(Right::Choices).or_else(|| asked.sheet.right.clone()),
            counts: asked.counts.clone(),
            answered: self.answers.count(),
            right_answers: found.right_answers,
            winners: found.winners,
            all_stay: found.all_stay,
            in_play: stage.look().playing(),
            explanation: question.explanation.clone(),
            words,
            leaders: if self.shows_ranks() { super::telling::leaders(stage) } else { Vec::new() },
        }
    }

    /// Updates what follows from the state of all seats.
    pub(super) fn note_state(&mut self, stage: &Stage<'_>) {
        let mut playing = 0;
        let mut sum = 0_i128;
        for seat in (0..stage.ledger.seats()).map(Seat).filter(|&seat| stage.plays(seat)) {
            playing += 1;
            sum += i128::from(stage.ledger.line(seat).points);
        }
        self.course.nobody_left = self.eliminates() && playing == 0 && stage.ledger.seats() > 0;
        if self.quiz.late == Late::Mean {
            let mean = sum.div_euclid(i128::from(playing.max(1)));
            self.course.first_points = i64::try_from(mean).expect("a mean is no more than the most");
        }
    }

    /// A player who was removed before this round was settled is restored: the seat counts as one that was silent in the questions since.
    pub(super) fn count_as_silent(&mut self, stage: &mut Stage<'_>, seat: Seat, from: RoundId) {
        self.seats.grow(stage.ledger.seats());
        let last = self.last().map(|asked| asked.round);
        for at in 0..self.asked.len() {
            let asked = &self.asked[at];
            let Some(reveal) = asked.reveal.as_ref().filter(|_| asked.round >= from && !asked.voided) else { continue };
            let kind = self.kind(asked.index);
            if !kind.eliminates() {
                continue;
            }
            let (round, all_stay) = (asked.round, reveal.all_stay);
            let pays = self.quiz.scoring(&self.quiz.questions[asked.index]).points > 0 || kind.places().is_some();
            let lives_count = self.quiz.last_question_lives || !self.is_last_to_eliminate(asked.index);
            if pays {
                self.seats.streaks[seat.index()] = 0;
            }
            if self.eliminates() && !all_stay {
                let lost = lose(stage.ledger, seat, round, lives_count);
                if let Some(undo) = self.undo.as_mut().filter(|_| Some(round) == last) {
                    undo.note(seat, lost);
                }
            }
        }
        self.seats.changed();
        self.note_state(stage);
    }
}

const fn outcome(mark: Mark) -> AnswerOutcome {
    match mark {
        Mark::Silent => AnswerOutcome::Silent,
        Mark::Wrong => AnswerOutcome::Wrong,
        Mark::Partly(_) => AnswerOutcome::Partly,
        Mark::Right | Mark::Placed(_) => AnswerOutcome::Right,
    }
}

/// These points, which cost a seat no more than it has unless points can be below 0.
fn limited(quiz: &Quiz, ledger: &Ledger, seat: Seat, points: i64) -> i64 {
    if quiz.below_zero { points } else { points.max(-ledger.line(seat).points.max(0)) }
}
