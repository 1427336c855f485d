//! How a quiz goes on: the next question or slide.

use klaxon_protocol::games::quiz::{Kind, QuizEvent};
use klaxon_protocol::ids::Seat;

use super::floor::Buzzing;
use super::seats::Awaited;
use super::sheet::QuestionSheet;
use super::{AskedQuestion, QuizPart};
use crate::game::people::SeatSet;
use crate::game::rundown::{Opening, Stage};

impl QuizPart {
    /// Asks the next question, or shows the next slide.
    pub(super) fn go_on(&mut self, stage: &mut Stage<'_>) {
        let index = usize::from(self.course.begun);
        let mut sheet = QuestionSheet::new(&self.quiz, index, &self.seed);
        self.course.begun += 1;
        self.course.on_slide = matches!(self.kind(index), Kind::Slide(_));
        if self.course.on_slide {
            return stage.tell_between(QuizEvent::Question(sheet.asked), None);
        }
        // Stakes are for the question right after their wager, and are all that it pays.
        if self.last().is_some_and(|last| matches!(self.kind(last.index), Kind::Wager(_)) && !last.voided) {
            sheet.asked.points = 0;
        } else {
            self.seats.stakes.clear();
        }
        self.undo = None;
        self.keep_answers(stage.teams);
        self.buzzing = matches!(self.kind(index), Kind::Buzzer(_)).then(Buzzing::default);
        let (choices, space) = (sheet.choices, sheet.values.space());
        let opening = Opening { space, lead: stage.lead, open_for: self.quiz.time_of(index) };
        let round = stage.open(opening, QuizEvent::Question(sheet.asked.clone()), None).round;
        let counts = vec![0; choices];
        self.asked.push(AskedQuestion { index, sheet, round, counts, settled: false, voided: false, reveal: None });
        self.open_for_answers(stage);
    }

    /// A round opens: nobody has answered in it.
    pub(super) fn open_for_answers(&mut self, stage: &Stage<'_>) {
        self.answers.clear();
        self.seats.late = SeatSet::default();
        self.seats.awaited = Awaited::default();
        if self.quiz.close_when_all {
            for seat in (0..stage.ledger.seats()).map(Seat).filter(|&seat| stage.plays(seat)) {
                self.seats.awaited.insert(seat);
            }
        }
        self.seats.changed();
    }
}
