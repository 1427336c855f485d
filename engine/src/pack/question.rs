//! A question of a pack, whatever the game that asks it.

use klaxon_protocol::games::quiz::{Kind, OneRight, QuizQuestion};
use klaxon_protocol::games::trivia::PackQuestion;

/// The question of trivia as a quiz asks it: of kind `choice`. A quiz has no difficulty and no source.
#[must_use]
pub fn quiz_question(question: PackQuestion) -> QuizQuestion {
    let PackQuestion { text, choices, right, category, open_for, .. } = question;
    QuizQuestion {
        text,
        kind: Kind::Choice(OneRight { choices, right: right.0 }),
        category,
        explanation: None,
        open_for,
        points: None,
        times: None,
        speed: None,
        penalty: None,
    }
}
