//! Quiz: a part of a rundown with questions of many kinds. The rule book is docs/rules/quiz.md.

mod answers;
mod asking;
mod correcting;
mod floor;
pub mod judge;
mod judging;
mod marks;
mod mixing;
mod part;
mod past;
mod paying;
mod reveal;
mod seats;
mod sheet;
mod telling;
mod undo;

#[cfg(test)]
mod tests;

use klaxon_protocol::binary::Encode;
use klaxon_protocol::games::quiz::{Kind, Quiz, QuizReveal};
use klaxon_protocol::ids::RoundId;

use self::answers::SeatAnswers;
use self::floor::Buzzing;
use self::past::Past;
use self::seats::QuizSeats;
use self::sheet::QuestionSheet;
use self::undo::RevealUndo;
use super::people::Chain;

/// The most rounds that one part can open: those of a buzzer that is opened again and again.
const MOST_ROUNDS: u16 = 60_000;

/// A quiz that is being played.
pub struct QuizPart {
    quiz: Quiz,
    /// The order of choices follows from it.
    seed: [u8; 32],
    course: QuizCourse,
    /// The questions that were asked, in order.
    asked: Vec<AskedQuestion>,
    /// The answers to the last one.
    answers: SeatAnswers,
    seats: QuizSeats,
    /// The last question, while it is a buzzer.
    buzzing: Option<Buzzing>,
    /// What is needed to undo the last reveal.
    undo: Option<RevealUndo>,
    /// What is needed to judge questions again, from the first reveal on.
    past: Option<Past>,
    /// The host's corrections.
    corrections: Chain,
}

/// Where the quiz is.
#[derive(Debug, Clone, Encode)]
struct QuizCourse {
    /// How many questions were asked or, if they are slides, shown.
    begun: u16,
    /// Whether the last of them is a slide.
    on_slide: bool,
    /// The points with which those begin who come now.
    first_points: i64,
    /// Whether an elimination left nobody in play.
    nobody_left: bool,
}

/// A question that was asked.
struct AskedQuestion {
    /// Its index in the quiz.
    index: usize,
    sheet: QuestionSheet,
    /// Its last round: a buzzer can have several.
    round: RoundId,
    /// Counted answers by choice, if there are choices.
    counts: Vec<u32>,
    /// Whether its last round was settled.
    settled: bool,
    voided: bool,
    reveal: Option<QuizReveal>,
}

impl AskedQuestion {
    /// Whether all stayed because all were wrong; none if it does not count, or not yet.
    fn all_stay(&self) -> Option<bool> {
        Some(self.reveal.as_ref().filter(|_| !self.voided)?.all_stay)
    }
}

impl QuizPart {
    /// A quiz, checked before by `problems`.
    pub fn new(quiz: Quiz, seed: [u8; 32]) -> Self {
        Self {
            quiz,
            seed,
            course: QuizCourse { begun: 0, on_slide: false, first_points: 0, nobody_left: false },
            asked: Vec::new(),
            answers: SeatAnswers::default(),
            seats: QuizSeats::default(),
            buzzing: None,
            undo: None,
            past: None,
            corrections: Chain::default(),
        }
    }

    fn last(&self) -> Option<&AskedQuestion> {
        self.asked.last()
    }

    /// The last question.
    ///
    /// # Panics
    /// If none was asked.
    fn must_last(&mut self) -> &mut AskedQuestion {
        self.asked.last_mut().expect("in this phase a question was asked")
    }

    fn kind(&self, index: usize) -> &Kind {
        &self.quiz.questions[index].kind
    }

    fn eliminates(&self) -> bool {
        self.quiz.mode.eliminates()
    }
}
