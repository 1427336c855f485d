//! A pack: the questions of a show, as every part of Klaxon passes them on. Readers of files are in `engine/src/pack`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::Choice;
use crate::binary::{Decode, Encode};
use crate::limits::TEXT_LENGTH;
use crate::text::{self, harmless};
use crate::time::Span;

/// How many choices a question may have.
pub const CHOICES: std::ops::RangeInclusive<usize> = 2..=6;
/// How many questions a pack may have.
pub const QUESTIONS: std::ops::RangeInclusive<usize> = 1..=500;
/// How long a question may be open.
pub const OPEN_FOR: std::ops::RangeInclusive<Span> = Span(500)..=Span(600_000);

/// The questions of a show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Pack {
    /// What the show is called.
    pub title: String,
    /// Asked in this order.
    pub questions: Vec<PackQuestion>,
}

/// One question with its right choice: never sent to a player as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct PackQuestion {
    /// What is asked.
    pub text: String,
    /// 2 to 6 choices, no two alike.
    pub choices: Vec<String>,
    /// Which of `choices` is right.
    pub right: Choice,
    /// Such as "Science".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How hard it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<Difficulty>,
    /// How long it is open, 500 ms to 10 min; the show's own setting where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = OPEN_FOR.start(), "maximum" = OPEN_FOR.end()))]
    pub open_for: Option<Span>,
    /// Where the fact can be looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl PackQuestion {
    /// A question of which no more is said than what is asked, the choices, and which of them is right.
    pub fn new<C: Into<String>>(text: impl Into<String>, choices: impl IntoIterator<Item = C>, right: Choice) -> Self {
        let choices = choices.into_iter().map(Into::into).collect();
        Self { text: text.into(), choices, right, category: None, difficulty: None, open_for: None, source: None }
    }
}

/// How hard a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Difficulty {
    /// Most people know it.
    Easy,
    /// About half of the people know it.
    Medium,
    /// Few people know it.
    Hard,
}

/// One thing that is wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackProblem {
    /// The question's number from 1, or none if it is about the pack as a whole.
    pub question: Option<usize>,
    /// What is wrong and what is allowed.
    pub problem: String,
}

impl std::fmt::Display for PackProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.question {
            Some(number) => write!(f, "question {number}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl Pack {
    /// Everything that is wrong with a new pack, all at once; empty if it can be played.
    #[must_use]
    pub fn problems(&self) -> Vec<PackProblem> {
        self.check(text_problem)
    }

    /// What is wrong with the pack of a show that was made. Earlier versions took texts that [`Pack::problems`] refuses, and their
    /// journals must be read for ever; nor may what a journal is depend on the Unicode that this program knows.
    #[must_use]
    pub fn problems_in_a_journal(&self) -> Vec<PackProblem> {
        self.check(text_problem_in_a_journal)
    }

    fn check(&self, of_text: TextCheck) -> Vec<PackProblem> {
        let mut problems = Vec::new();
        if !QUESTIONS.contains(&self.questions.len()) {
            problems.push(PackProblem {
                question: None,
                problem: format!(
                    "a pack has {} to {} questions, this one has {}",
                    QUESTIONS.start(),
                    QUESTIONS.end(),
                    self.questions.len()
                ),
            });
        }
        let title = of_text(&self.title).map(|problem| format!("title {problem}"));
        problems.extend(title.map(|problem| PackProblem { question: None, problem }));
        for (index, question) in self.questions.iter().enumerate() {
            question.check(of_text, &mut |problem| problems.push(PackProblem { question: Some(index + 1), problem }));
        }
        problems
    }
}

impl PackQuestion {
    fn check(&self, of_text: TextCheck, wrong: &mut dyn FnMut(String)) {
        let check_text = |what: &str, text: &str, wrong: &mut dyn FnMut(String)| {
            if let Some(problem) = of_text(text) {
                wrong(format!("{what} {problem}"));
            }
        };
        check_text("text", &self.text, wrong);
        if !CHOICES.contains(&self.choices.len()) {
            wrong(format!(
                "a question has {} to {} choices, this one has {}",
                CHOICES.start(),
                CHOICES.end(),
                self.choices.len()
            ));
        }
        // Of far too many choices the first are enough to say what is wrong.
        for (index, choice) in self.choices.iter().enumerate().take(CHOICES.end() + 1) {
            check_text("choice", choice, wrong);
            if self.choices[..index].contains(choice) {
                wrong(format!("the choice \"{}\" stands twice", harmless(choice)));
            }
        }
        if self.right.index() >= self.choices.len() {
            wrong(format!("the right choice is number {} of {}", self.right.index() + 1, self.choices.len()));
        }
        if let Some(category) = &self.category {
            check_text("category", category, wrong);
        }
        if let Some(open_for) = self.open_for
            && !OPEN_FOR.contains(&open_for)
        {
            wrong(format!(
                "a question is open for {} to {}, this one for {open_for}",
                OPEN_FOR.start(),
                OPEN_FOR.end()
            ));
        }
    }
}

/// Says what is wrong with a text.
type TextCheck = fn(&str) -> Option<String>;

fn text_problem(text: &str) -> Option<String> {
    text::problem(text, &TEXT_LENGTH)
}

fn text_problem_in_a_journal(text: &str) -> Option<String> {
    let is_fine =
        TEXT_LENGTH.contains(&text.chars().count()) && !text.trim().is_empty() && !text.contains(char::is_control);
    if is_fine { None } else { text_problem(text).or_else(|| Some("is blank".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_pack_is_told_everything_at_once() {
        let bad = PackQuestion {
            text: " ".into(),
            choices: vec!["a".into(), "a".into()],
            right: Choice(2),
            category: Some("\u{7}".into()),
            difficulty: None,
            open_for: Some(Span(1)),
            source: None,
        };
        let problems = Pack { title: "t".into(), questions: vec![bad] }.problems();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told.iter().all(|line| line.starts_with("question 1: ")), "{told:?}");
        assert!(told[0].contains("text has 1 to 500 characters") && told[0].ends_with("is blank"), "{told:?}");
    }

    fn pack(title: &str, text: &str, choice: &str, category: &str) -> Pack {
        let question = PackQuestion {
            text: text.into(),
            choices: vec!["a".into(), choice.into()],
            right: Choice(0),
            category: Some(category.into()),
            difficulty: None,
            open_for: None,
            source: None,
        };
        Pack { title: title.into(), questions: vec![question] }
    }

    #[test]
    fn no_text_of_a_new_pack_acts_on_a_screen_or_is_blank() {
        for bad in ["a\u{202e}b", "a\u{2028}b", "a\u{1b}[2Jb", "\u{ad}", "\u{3164}", "a\nb", "\u{200b} "] {
            for (what, pack) in [
                ("title", pack(bad, "t", "b", "c")),
                ("text", pack("t", bad, "b", "c")),
                ("choice", pack("t", "t", bad, "c")),
                ("category", pack("t", "t", "b", bad)),
            ] {
                let told: Vec<String> = pack.problems().iter().map(ToString::to_string).collect();
                assert_eq!(told.len(), 1, "{told:?}");
                assert!(told[0].contains(what), "{told:?}");
            }
        }
    }

    #[test]
    fn a_pack_that_an_earlier_version_took_is_still_one() {
        for old in ["a\u{202e}b", "a\u{2028}b", "\u{ad}", "\u{3164}"] {
            let pack = pack(old, old, old, old);
            assert!(!pack.problems().is_empty() && pack.problems_in_a_journal().is_empty(), "{old:?}");
        }
        assert_eq!(pack("t", "\u{7}", " ", "").problems_in_a_journal().len(), 3);
    }
}
