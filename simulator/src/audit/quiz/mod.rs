//! Quiz by its rule book (docs/rules/quiz.md), with none of the engine's code: what is right, what each answer gains or costs,
//! and what all are told.

mod buzzer;
mod cloud;
mod marks;
mod part;
mod points;
mod question;
mod reveal;
mod spelling;

pub(super) use buzzer::AfterJudgement;
pub(super) use part::{Begun, QuizBook};
pub(super) use question::QuestionBook;
