//! The problems of a pack file: all of them, each with its position.

use std::collections::BTreeSet;
use std::fmt;

use klaxon_protocol::text::Harmless;

/// Limit of problems that are kept, for the pack as a whole and for its questions; further ones are only counted, as a
/// file can have half a million.
const MOST_PROBLEMS: usize = 1_000;
/// The longest piece of a file that a message shows, in characters.
const LONGEST_EXCERPT: usize = 60;
/// The longest message about one problem, in characters.
const LONGEST_MESSAGE: usize = 400;

/// A file that is not a pack that can be played, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPack {
    /// The file's name, as it was given.
    pub name: String,
    /// In the order of the file, those about the pack as a whole first; at least one, at most 1,000 of each.
    pub problems: Vec<Problem>,
    /// How many more problems there are.
    pub left_out: usize,
    /// How many questions have problems.
    pub questions: usize,
}

/// One thing that is wrong with a pack file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1, where the format has lines: the problem's own, or the one where its question starts.
    pub line: Option<usize>,
    /// The question's number, from 1, if the problem is one question's.
    pub question: Option<usize>,
    /// What is wrong and what is allowed.
    pub problem: String,
}

impl fmt::Display for BadPack {
    /// One line per problem, each as `file:line: question N: what is wrong`. Nothing of the file acts on a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            Harmless(&self.name).fmt(f)?;
            if let Some(line) = problem.line {
                write!(f, ":{line}")?;
            }
            f.write_str(": ")?;
            if let Some(number) = problem.question {
                write!(f, "question {number}: ")?;
            }
            Harmless(&problem.problem).fmt(f)?;
        }
        if self.left_out > 0 {
            write!(f, "\n{}: and {} more problems", Harmless(&self.name), self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for BadPack {}

/// Where something stands in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SourcePlace {
    pub line: Option<usize>,
    pub question: Option<usize>,
}

impl SourcePlace {
    /// The same question, at a line of its own if that is known.
    pub fn at_line(self, line: Option<usize>) -> Self {
        Self { line: line.or(self.line), ..self }
    }
}

/// The problems found so far.
#[derive(Debug)]
pub(super) struct Findings {
    name: String,
    problems: Vec<Problem>,
    /// How many of the problems are questions' own.
    in_questions: usize,
    left_out: usize,
    /// The numbers of all questions with problems, those left out among them.
    bad: BTreeSet<usize>,
    notes: Vec<String>,
}

impl Findings {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            problems: Vec::new(),
            in_questions: 0,
            left_out: 0,
            bad: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a note: something that is not a problem, and that the user who imports the file should know.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Whether the question of this number has a problem.
    pub fn is_bad(&self, question: usize) -> bool {
        self.bad.contains(&question)
    }

    /// Whether a problem is with the pack as a whole.
    pub fn are_of_the_whole(&self) -> bool {
        self.problems.len() > self.in_questions
    }

    pub fn add(&mut self, place: SourcePlace, problem: impl Into<String>) {
        let is_in_question = place.question.is_some();
        self.bad.extend(place.question);
        let alike = if is_in_question { self.in_questions } else { self.problems.len() - self.in_questions };
        if alike == MOST_PROBLEMS {
            self.left_out += 1;
            return;
        }
        self.in_questions += usize::from(is_in_question);
        let mut problem = problem.into();
        if let Some((end, _)) = problem.char_indices().nth(LONGEST_MESSAGE) {
            problem.truncate(end);
            problem.push('…');
        }
        self.problems.push(Problem { line: place.line, question: place.question, problem });
    }

    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    pub fn into_bad_pack(mut self) -> BadPack {
        self.problems.sort_by_key(|problem| (problem.question, problem.line));
        let questions = self.bad.len();
        BadPack { name: self.name, problems: self.problems, left_out: self.left_out, questions }
    }
}

/// A piece of a file as a message shows it: in quotes, short, and without control characters.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST_EXCERPT) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_file_line_and_question() {
        let mut findings = Findings::new("quiz.toml");
        findings.add(SourcePlace { line: Some(7), question: Some(2) }, "no text");
        findings.add(SourcePlace { line: None, question: Some(1) }, "no choices");
        findings.add(SourcePlace::default(), "no title");
        let told = findings.into_bad_pack().to_string();
        assert_eq!(told, "quiz.toml: no title\nquiz.toml: question 1: no choices\nquiz.toml:7: question 2: no text");
    }

    #[test]
    fn a_message_never_carries_a_whole_file() {
        assert_eq!(excerpt(&"x".repeat(4_000_000)).chars().count(), LONGEST_EXCERPT + 3);
        assert_eq!(excerpt("a\u{1b}[2J"), "\"a\\u{1b}[2J\"");
        let mut findings = Findings::new("quiz.toml");
        for _ in 0..MOST_PROBLEMS + 5 {
            findings.add(SourcePlace { line: None, question: Some(1) }, "ü".repeat(1_000));
        }
        findings.add(SourcePlace::default(), "too many questions");
        let bad = findings.into_bad_pack();
        assert_eq!((bad.problems.len(), bad.left_out), (MOST_PROBLEMS + 1, 5));
        assert_eq!(bad.problems[0].problem, "too many questions");
        assert_eq!(bad.problems[1].problem.chars().count(), LONGEST_MESSAGE + 1);
        assert!(bad.to_string().ends_with("quiz.toml: and 5 more problems"));
    }
}
