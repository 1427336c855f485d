//! A pack that may be incomplete, with placeholders for what could not be read.

use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::games::quiz::{Kind, MANY_OF, QuizQuestion};
use klaxon_protocol::games::trivia::{CHOICES, Choice, Difficulty, Pack, PackQuestion};
use klaxon_protocol::limits::TEXT_LENGTH;
use klaxon_protocol::text;

use super::Imported;
use super::doubts::doubts;
use super::problem::{BadPack, Findings, SourcePlace, excerpt};
use super::question::{PackedQuestion, QuizPack, usual_quiz};

/// The most questions that are read from a file. What more a broken one has is only counted, so that it costs no memory.
pub(super) const MOST_READ: usize = 10_000;

/// A pack that may be incomplete. Where something could not be read, which was reported, it has a valid placeholder: so
/// the check of the whole reports the other problems, and none twice.
#[derive(Debug)]
pub(super) struct Draft {
    /// None if it could not be read.
    pub title: Option<String>,
    pub language: Option<String>,
    pub questions: Vec<Drafted>,
}

/// A question of it.
#[derive(Debug)]
pub(super) struct Drafted {
    pub packed: PackedQuestion,
    pub place: SourcePlace,
    pub fields: FieldPlaces,
}

/// What is known of a question's fields.
#[derive(Debug, Default)]
pub(super) struct FieldPlaces {
    /// The lines of those that have one, by their paths in the question.
    pub lines: BTreeMap<String, usize>,
    /// Those that could not be read.
    pub unread: BTreeSet<String>,
}

impl FieldPlaces {
    /// The line of a path, or of the nearest thing around it.
    pub fn line(&self, mut path: &str) -> Option<usize> {
        loop {
            if let Some(line) = self.lines.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Whether a problem may be one of the placeholders for what could not be read.
    fn is_of_a_placeholder(&self, path: &str, told: &str) -> bool {
        let first = path.split(['.', '[']).next().unwrap_or_default();
        // Which of them are right is nothing without the choices.
        let is_of_choices = self.unread.contains("choices") && matches!(first, "right" | "weights");
        is_of_choices
            || self.unread.contains(first)
            || self.unread.iter().any(|unread| told.contains(&format!("`{unread}`")))
    }
}

impl Drafted {
    pub fn new(question: impl Into<PackedQuestion>, place: SourcePlace) -> Self {
        Self { packed: question.into(), place, fields: FieldPlaces::default() }
    }
}

impl Draft {
    /// A pack of which nothing but the title is known, if that.
    pub fn unread(title: Option<&str>) -> Self {
        let questions = vec![Drafted::new(blank_question(), SourcePlace::default())];
        Self { title: title.map(str::to_owned), language: None, questions }
    }

    /// The pack for trivia, if there are no problems or, with `skip_bad`, none with the pack as a whole.
    pub fn into_trivia(mut self, mut findings: Findings, skip_bad: bool) -> Result<Imported<Pack>, BadPack> {
        self.put_texts_on_one_line();
        let places: Vec<SourcePlace> = self.questions.iter().map(|drafted| drafted.place).collect();
        let mut questions = Vec::with_capacity(places.len());
        for Drafted { packed, place, .. } in self.questions {
            let (question, problem) = packed.into_trivia();
            problem.into_iter().for_each(|problem| findings.add(place, problem));
            questions.push(question.unwrap_or_else(blank_question));
        }
        let mut pack = Pack { title: self.title.unwrap_or_else(untitled), questions };
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
        imported(pack, findings, skip_bad)
    }

    /// The pack for a quiz, if there are no problems or, with `skip_bad`, none with the pack as a whole. Everything that does not depend on the
    /// quiz's settings is checked.
    pub fn into_quiz(mut self, mut findings: Findings, skip_bad: bool) -> Result<Imported<QuizPack>, BadPack> {
        self.put_texts_on_one_line();
        let title = self.title.unwrap_or_else(untitled);
        let of_title = text::problem(&title, &TEXT_LENGTH).map(|problem| format!("title {problem}"));
        let of_language = self.language.as_deref().and_then(language_problem);
        let mut questions = self.questions;
        let mut of_questions;
        loop {
            of_questions = check(&questions, &mut findings);
            let count = questions.len();
            if skip_bad {
                questions.retain(|drafted| !drafted.place.question.is_some_and(|number| findings.is_bad(number)));
            }
            // What a question needs after it may have been left out.
            if questions.len() == count {
                break;
            }
        }
        for problem in of_title.into_iter().chain(of_language).chain(of_questions) {
            findings.add(SourcePlace::default(), problem);
        }
        doubts(questions.iter().map(|drafted| (&drafted.packed.question, drafted.place)))
            .into_iter()
            .for_each(|doubt| findings.note(doubt));
        let questions: Vec<PackedQuestion> = questions.into_iter().map(|drafted| drafted.packed).collect();
        imported(QuizPack { title, language: self.language, questions }, findings, skip_bad)
    }

    fn put_texts_on_one_line(&mut self) {
        self.title.iter_mut().for_each(on_one_line);
        for drafted in &mut self.questions {
            let QuizQuestion { text, kind, category, explanation, .. } = &mut drafted.packed.question;
            on_one_line(text);
            category.iter_mut().chain(explanation).for_each(on_one_line);
            match kind {
                Kind::Text(typed) => typed.spellings.iter_mut().for_each(on_one_line),
                Kind::Number(number) => number.unit.iter_mut().for_each(on_one_line),
                Kind::Choice(one) => one.choices.iter_mut().for_each(on_one_line),
                Kind::Choices(several) => several.choices.iter_mut().for_each(on_one_line),
                Kind::Order(order) => order.items.iter_mut().for_each(on_one_line),
                Kind::Poll(poll) => poll.choices.iter_mut().for_each(on_one_line),
                Kind::Fastest(fastest) => fastest.choices.iter_mut().for_each(on_one_line),
                Kind::Buzzer(buzzer) => buzzer.choices.iter_mut().flatten().for_each(on_one_line),
                Kind::Majority(majority) => majority.choices.iter_mut().for_each(on_one_line),
                Kind::Words(_) | Kind::Wager(_) | Kind::Slide(_) => {}
            }
        }
    }
}

/// Reports what is wrong with the questions, and returns what is wrong with all of them together.
fn check(questions: &[Drafted], findings: &mut Findings) -> Vec<String> {
    let quiz = usual_quiz(questions.iter().map(|drafted| drafted.packed.question.clone()).collect());
    let mut of_all = Vec::new();
    for told in quiz.problems() {
        let of_question = told.strip_prefix("questions[").and_then(|rest| rest.split_once("]."));
        let Some((Some(drafted), problem)) = of_question
            .map(|(index, problem)| (index.parse().ok().and_then(|index: usize| questions.get(index)), problem))
        else {
            of_all.push(told);
            continue;
        };
        let path = problem.split(':').next().unwrap_or_default();
        if !drafted.fields.is_of_a_placeholder(path, problem) {
            findings.add(drafted.place.at_line(drafted.fields.line(path)), problem);
        }
    }
    of_all
}

fn imported<P>(pack: P, mut findings: Findings, skip_bad: bool) -> Result<Imported<P>, BadPack> {
    let is_fine = if skip_bad { !findings.are_of_the_whole() } else { findings.is_empty() };
    if !is_fine {
        return Err(findings.into_bad_pack());
    }
    let notes = findings.take_notes();
    let left_out = (!findings.is_empty()).then(|| findings.into_bad_pack());
    Ok(Imported { pack, notes, left_out })
}

/// The first items of a list. That there are more is reported.
pub(super) fn at_most<T>(most: usize, mut items: Vec<T>, place: SourcePlace, findings: &mut Findings) -> Vec<T> {
    if items.len() > most {
        findings.add(place, format!("of {} questions the first {most} are looked at", items.len()));
        items.truncate(most);
    }
    items
}

fn untitled() -> String {
    "untitled".to_owned()
}

/// What is wrong with the tag of a language, if anything.
fn language_problem(tag: &str) -> Option<String> {
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_tag = tag.len() <= 35
        && tag.split('-').all(is_part)
        && tag
            .split('-')
            .next()
            .is_some_and(|first| first.len() >= 2 && first.bytes().all(|byte| byte.is_ascii_alphabetic()));
    (!is_tag).then(|| format!("`language` is a tag such as \"en\", \"hi\" or \"pt-BR\", not {}", excerpt(tag)))
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

/// What is wrong with this number of choices of trivia, if anything.
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
pub(super) fn in_fixed_order(correct: String, incorrect: Vec<String>) -> (Vec<String>, Choice) {
    let mut choices = incorrect;
    choices.push(correct.clone());
    // A broken file can have a hundred thousand, which are refused in any order.
    if choices.len() <= *MANY_OF.end() {
        let value = |choice: &String| as_number(choice).unwrap_or_default();
        if choices.iter().all(|choice| as_number(choice).is_some()) {
            choices.sort_by(|a, b| value(a).total_cmp(&value(b)).then_with(|| a.cmp(b)));
        } else {
            choices.sort_by_cached_key(|choice| (choice.to_lowercase(), choice.clone()));
        }
    }
    let right = choices.iter().position(|choice| *choice == correct).expect("the right choice is one of them");
    (choices, choice_at(right))
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
        other => Err(format!("the difficulty is easy, medium or hard, not {}", excerpt(other))),
    }
}
