//! The reveal: what is right, and what that means for each seat.

use klaxon_protocol::games::quiz::{Kind, Late, Quiz, QuizEvent, QuizReveal, Right, Words};
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::player::Phase;

use super::judging::{Found, is_last_to_eliminate};
use super::seats::QuizSeats;
use super::telling::leaders;
use super::undo::{RevealUndo, lose};
use super::{AskedQuestion, QuizPart};
use crate::game::people::SeatSet;
use crate::game::rundown::{Ledger, Stage};

impl QuizPart {
    /// Reveals the last question, and applies the rules to every seat.
    pub(super) fn reveal_last(&mut self, stage: &mut Stage<'_>) {
        let seats = stage.ledger.seats();
        self.seats.grow(seats);
        self.begin_past(stage.ledger);
        let playing = self.playing(stage);
        let total = stage.clock().expect("it was asked in a round").total();
        let mut undo = RevealUndo::new(seats, &self.seats.streaks);
        let mut kept = std::mem::take(&mut self.seats);
        let found = self.judging(&playing, total, stage.teams).judge(stage.ledger, &mut kept, &mut undo);
        self.seats = kept;
        self.undo = Some(undo);
        self.seats.changed();
        let reveal = self.what_was_right(stage, found);
        self.must_last().reveal = Some(reveal.clone());
        self.note_state(stage);
        self.note_judged(&stage.look(), playing, total);
        let personal = self.results_of_seats(stage);
        stage.tell_with(Phase::Revealed, QuizEvent::Reveal(reveal), personal);
    }

    /// The seats that the last question counts for.
    fn playing(&self, stage: &Stage<'_>) -> SeatSet {
        let mut playing = SeatSet::default();
        for seat in (0..stage.ledger.seats()).map(Seat) {
            if stage.plays(seat) && !self.seats.late.contains(seat) {
                playing.insert(seat);
            }
        }
        playing
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
            also: asked.sheet.also.clone(),
            counts: found.counts,
            answered: found.answered,
            right_answers: found.right_answers,
            winners: found.winners,
            all_stay: found.all_stay,
            in_play: stage.look().playing(),
            explanation: question.explanation.clone(),
            words,
            leaders: if self.shows_ranks() { leaders(stage.ledger, |seat| stage.plays(seat)) } else { Vec::new() },
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
    pub(super) fn miss(&mut self, stage: &mut Stage<'_>, seat: Seat, from: RoundId) {
        self.seats.grow(stage.ledger.seats());
        let Self { quiz, asked, seats, undo, .. } = self;
        count_as_silent((quiz, asked, &|at| asked[at].all_stay()), (stage.ledger, seats, undo.as_mut()), (seat, from));
        self.note_silent(&stage.look(), seat, from);
        self.seats.changed();
        self.note_state(stage);
    }
}

/// A seat counts as silent in those of the questions from this round on that count. `all_stay`: whether all stayed in one that counts.
pub fn count_as_silent(
    (quiz, asked, all_stay): (&Quiz, &[AskedQuestion], &dyn Fn(usize) -> Option<bool>),
    (ledger, seats, mut undo): (&mut Ledger, &mut QuizSeats, Option<&mut RevealUndo>),
    (seat, from): (Seat, RoundId),
) {
    let last = asked.last().map(|asked| asked.round);
    for (at, asked) in asked.iter().enumerate() {
        let Some(all_stay) = all_stay(at).filter(|_| asked.round >= from) else { continue };
        let question = &quiz.questions[asked.index];
        if !question.kind.eliminates() {
            continue;
        }
        let pays = quiz.scoring(question).points > 0 || question.kind.places().is_some();
        let lives_count = quiz.last_question_lives || !is_last_to_eliminate(quiz, asked.index);
        // What the last question costs a void gives back, and nothing else.
        let is_last = Some(asked.round) == last;
        let mut undo = undo.as_deref_mut();
        if pays {
            seats.streaks[seat.index()] = 0;
            if let Some(undo) = undo.as_mut().filter(|_| !is_last) {
                undo.streaks[seat.index()] = 0;
            }
        }
        if quiz.mode.eliminates() && !all_stay {
            let lost = lose(ledger, seat, asked.round, lives_count);
            if let Some(undo) = undo.filter(|_| is_last) {
                undo.note(seat, lost);
            }
        }
    }
}
