//! A pack as far as it could be read.

use klaxon_protocol::ids::Choice;
use klaxon_protocol::pack::{CHOICES, Difficulty, Pack, PackQuestion};

use super::problem::{BadPack, Findings, Place};

/// A pack as far as it could be read. Where something could not be read, and was told, a value that is fine
/// stands in its place: so the check of the whole tells the other problems, and none of them twice.
#[derive(Debug)]
pub(super) struct Draft {
    /// None if it could not be read.
    pub title: Option<String>,
    pub questions: Vec<(PackQuestion, Place)>,
}

impl Draft {
    /// The pack, if nothing at all is wrong.
    pub fn finish(self, mut findings: Findings) -> Result<Pack, BadPack> {
        let (mut questions, places): (Vec<_>, Vec<_>) = self.questions.into_iter().unzip();
        for question in &mut questions {
            on_one_line(&mut question.text);
            question.choices.iter_mut().chain(&mut question.category).for_each(on_one_line);
        }
        let mut title = self.title.unwrap_or_else(|| "untitled".to_owned());
        on_one_line(&mut title);
        let pack = Pack { title, questions };
        for found in pack.problems() {
            let place = found
                .question
                .and_then(|number| places.get(number - 1).copied())
                .unwrap_or(Place { line: None, question: found.question });
            findings.add(place, found.problem);
        }
        if findings.is_empty() { Ok(pack) } else { Err(findings.into_bad_pack()) }
    }
}

/// Line breaks and tabs, with the blanks around them, become one blank: screens break lines themselves.
fn on_one_line(text: &mut String) {
    let is_break = |c: char| c.is_control() && c.is_whitespace();
    if text.contains(is_break) {
        let parts: Vec<&str> = text.split(is_break).map(str::trim).filter(|part| !part.is_empty()).collect();
        *text = parts.join(" ");
    }
}

/// A question that is fine, to be filled with what can be read.
pub(super) fn blank_question() -> PackQuestion {
    PackQuestion {
        text: "unread".to_owned(),
        choices: vec!["unread".to_owned(), "unread too".to_owned()],
        right: Choice(0),
        category: None,
        difficulty: None,
        open_for: None,
        source: None,
    }
}

/// What is wrong with this number of choices, if anything. Told before the choices are compared with each other,
/// which is slow for the hundred thousand that a broken file can have.
pub(super) fn wrong_choice_count(count: usize) -> Option<String> {
    (!CHOICES.contains(&count))
        .then(|| format!("a question has {} to {} choices, this one has {count}", CHOICES.start(), CHOICES.end()))
}

/// A position below the number of choices.
pub(super) fn choice_at(index: usize) -> Choice {
    Choice(u8::try_from(index).unwrap_or(u8::MAX))
}

/// The difficulty of that name.
pub(super) fn difficulty_named(name: &str) -> Result<Difficulty, String> {
    match name {
        "easy" => Ok(Difficulty::Easy),
        "medium" => Ok(Difficulty::Medium),
        "hard" => Ok(Difficulty::Hard),
        other => Err(format!("the difficulty is easy, medium or hard, not {}", super::problem::excerpt(other))),
    }
}
