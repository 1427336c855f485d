//! Packs of a quiz: questions of all kinds, with what only packs say of them. A question of trivia is one of kind `choice`.

use std::collections::BTreeMap;

use klaxon_protocol::games::quiz::{Kind, OneRight, Quiz, QuizQuestion};
use klaxon_protocol::games::trivia::{Choice, Difficulty, Pack, PackQuestion};
use serde_json::{Value as Json, json};

use super::form::QUESTION_KEYS;
use super::problem::excerpt;

/// The questions of a quiz, as packs hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuizPack {
    /// What it is called.
    pub title: String,
    /// The language of its texts, such as "en" or "pt-BR".
    pub language: Option<String>,
    /// Asked in this order.
    pub questions: Vec<PackedQuestion>,
}

/// A question of a quiz, with what only packs say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedQuestion {
    /// The question as a quiz asks it.
    pub question: QuizQuestion,
    /// How hard it is.
    pub difficulty: Option<Difficulty>,
    /// Where the fact can be looked up.
    pub source: Option<String>,
}

impl QuizPack {
    /// How many questions there are of each kind, by the kinds' names.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for packed in &self.questions {
            *kinds.entry(packed.question.kind.name()).or_default() += 1;
        }
        kinds
    }

    /// The questions, without what only packs say of them.
    #[must_use]
    pub fn into_questions(self) -> Vec<QuizQuestion> {
        self.questions.into_iter().map(|packed| packed.question).collect()
    }

    /// The pack for a show of trivia, if one can ask all of its questions.
    #[must_use]
    pub fn into_trivia(self) -> Option<Pack> {
        let questions = self.questions.into_iter().map(|packed| match packed.into_trivia() {
            (question, None) => question,
            (_, Some(_)) => None,
        });
        let pack = Pack { title: self.title, questions: questions.collect::<Option<_>>()? };
        pack.problems().is_empty().then_some(pack)
    }
}

impl From<Pack> for QuizPack {
    fn from(Pack { title, questions }: Pack) -> Self {
        Self { title, language: None, questions: questions.into_iter().map(Into::into).collect() }
    }
}

impl From<QuizQuestion> for PackedQuestion {
    fn from(question: QuizQuestion) -> Self {
        Self { question, difficulty: None, source: None }
    }
}

impl From<PackQuestion> for PackedQuestion {
    fn from(question: PackQuestion) -> Self {
        let PackQuestion { text, choices, right, category, difficulty, open_for, source } = question;
        let kind = Kind::Choice(OneRight { choices, right: right.0 });
        Self { question: QuizQuestion { category, open_for, ..asked(text, kind) }, difficulty, source }
    }
}

/// A question of which no more is said than what is asked, and of which kind it is.
pub(super) fn asked(text: String, kind: Kind) -> QuizQuestion {
    let slide = json!({ "text": "?", "kind": "slide" });
    let slide: QuizQuestion = serde_json::from_value(slide).expect("a slide needs nothing else");
    QuizQuestion { text, kind, ..slide }
}

impl PackedQuestion {
    /// As much of the question as trivia has, and why trivia can't ask it as it is, if it can't.
    pub(super) fn into_trivia(self) -> (Option<PackQuestion>, Option<String>) {
        let Self { question, difficulty, source } = self;
        let of_quiz = only_in_a_quiz(&question);
        let QuizQuestion { text, kind, category, open_for, .. } = question;
        let (choices, right, problem) = match kind {
            Kind::Choice(OneRight { choices, right }) => {
                let problem =
                    of_quiz.map(|name| format!("`{name}` is for a quiz, and trivia does not have it; {ASK_IN_A_QUIZ}"));
                (choices, right, problem)
            }
            Kind::Choices(several) => {
                let named = several.right.iter().filter_map(|&right| several.choices.get(usize::from(right)));
                let named: Vec<String> = named.map(|choice| excerpt(choice)).collect();
                let problem = format!(
                    "{} correct answers ({}); a question of trivia has one right choice; {ASK_IN_A_QUIZ}",
                    several.right.len(),
                    named.join(", ")
                );
                (several.choices, several.right.first().copied().unwrap_or(0), Some(problem))
            }
            other => {
                let kind = other.name();
                return (None, Some(format!("trivia has no questions of kind `{kind}`; {ASK_IN_A_QUIZ}")));
            }
        };
        let question = PackQuestion { text, choices, right: Choice(right), category, difficulty, open_for, source };
        (Some(question), problem)
    }
}

/// A field that a question of kind `choice` has, and that trivia does not have.
fn only_in_a_quiz(question: &QuizQuestion) -> Option<String> {
    let Ok(Json::Object(fields)) = serde_json::to_value(question) else { return None };
    fields.into_iter().map(|(name, _)| name).find(|name| name != "kind" && !QUESTION_KEYS.contains(&name.as_str()))
}

const ASK_IN_A_QUIZ: &str = "ask it in a quiz, which is a part of a running order (docs/rules/quiz.md)";

/// The quiz that asks these questions by the usual settings.
pub(super) fn usual_quiz(questions: Vec<QuizQuestion>) -> Quiz {
    let usual: Quiz =
        serde_json::from_value(json!({ "questions": [] })).expect("all other settings of a quiz can be left out");
    Quiz { questions, ..usual }
}
