//! A pack that may be incomplete, with placeholders for what could not be read.

use klaxon_protocol::games::trivia::{CHOICES, Choice, Difficulty, Pack, PackQuestion};

use super::Imported;
use super::problem::{BadPack, Findings, SourcePlace};

/// A pack that may be incomplete. Where something could not be read, which was reported, it has a valid placeholder: so
/// the check of the whole reports the other problems, and none twice.
#[derive(Debug)]
pub(super) struct Draft {
    /// None if it could not be read.
    pub title: Option<String>,
    pub questions: Vec<(PackQuestion, SourcePlace)>,
}

impl Draft {
    /// The pack, if there are no problems or, with `skip_bad`, none with the pack as a whole.
    pub fn finish(self, mut findings: Findings, skip_bad: bool) -> Result<Imported, BadPack> {
        let (mut questions, places): (Vec<_>, Vec<_>) = self.questions.into_iter().unzip();
        for question in &mut questions {
            on_one_line(&mut question.text);
            question.choices.iter_mut().chain(&mut question.category).for_each(on_one_line);
        }
        let mut title = self.title.unwrap_or_else(|| "untitled".to_owned());
        on_one_line(&mut title);
        let mut pack = Pack { title, questions };
        let (of_questions, mut of_pack): (Vec<_>, Vec<_>) =
            pack.problems().into_iter().partition(|found| found.question.is_some());
        for found in of_questions {
            let place = found
                .question
                .and_then(|number| places.get(number - 1).copied())
                .unwrap_or(SourcePlace { line: None, question: found.question });
            findings.add(place, found.problem);
        }
        if skip_bad {
            let mut number = 0;
            pack.questions.retain(|_| {
                number += 1;
                !findings.is_bad(number)
            });
            // After bad questions are left out, their number may have become valid, or zero.
            of_pack = pack.problems();
        }
        for found in of_pack {
            findings.add(SourcePlace::default(), found.problem);
        }
        let is_fine = if skip_bad { !findings.are_of_the_whole() } else { findings.is_empty() };
        if !is_fine {
            return Err(findings.into_bad_pack());
        }
        let notes = findings.take_notes();
        let left_out = (!findings.is_empty()).then(|| findings.into_bad_pack());
        Ok(Imported { pack, notes, left_out })
    }
}

/// Replaces line breaks and tabs, with the blanks around them, by one blank: screens break lines themselves.
fn on_one_line(text: &mut String) {
    let is_break = |c: char| c.is_control() && c.is_whitespace();
    if text.contains(is_break) {
        let parts: Vec<&str> = text.split(is_break).map(str::trim).filter(|part| !part.is_empty()).collect();
        *text = parts.join(" ");
    }
}

/// A valid placeholder question, to be filled with what can be read.
pub(super) fn blank_question() -> PackQuestion {
    PackQuestion::new("unread", ["unread", "unread too"], Choice(0))
}

/// What is wrong with this number of choices, if anything. Checked before the choices are compared with each other,
/// which is slow for the hundred thousand that a broken file can have.
pub(super) fn wrong_choice_count(count: usize) -> Option<String> {
    (!CHOICES.contains(&count))
        .then(|| format!("a question has {} to {} choices, this one has {count}", CHOICES.start(), CHOICES.end()))
}

/// The choice at this index. An index above 255 in a broken file becomes a choice that no question has, which is
/// reported later.
pub(super) fn choice_at(index: usize) -> Choice {
    Choice(u8::try_from(index).unwrap_or(u8::MAX))
}

/// The choices in an order that does not disclose the right one and is the same each time: by number, or else by
/// letter.
pub(super) fn in_fixed_order(correct: String, incorrect: Vec<String>) -> Result<(Vec<String>, Choice), String> {
    if let Some(problem) = wrong_choice_count(incorrect.len() + 1) {
        return Err(problem);
    }
    let mut choices = incorrect;
    choices.push(correct.clone());
    let value = |choice: &String| as_number(choice).unwrap_or_default();
    if choices.iter().all(|choice| as_number(choice).is_some()) {
        choices.sort_by(|a, b| value(a).total_cmp(&value(b)).then_with(|| a.cmp(b)));
    } else {
        choices.sort_by_cached_key(|choice| (choice.to_lowercase(), choice.clone()));
    }
    let right = choices.iter().position(|choice| *choice == correct).expect("the right choice is one of them");
    Ok((choices, choice_at(right)))
}

fn as_number(text: &str) -> Option<f64> {
    text.replace(',', "").parse().ok().filter(|number: &f64| number.is_finite())
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
