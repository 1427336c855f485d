//! The problems of a show's file: all of them, each with its place.

use std::fmt;

use klaxon_protocol::text::Harmless;

/// How many problems are told; further ones are only counted.
const MOST_PROBLEMS: usize = 1_000;
/// The longest message about one problem, in characters.
const LONGEST_MESSAGE: usize = 400;

/// A file that is no show that can be played, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadShow {
    /// The file's name, as it was given.
    pub name: String,
    /// In the order of lines, as far as these are known; at least one.
    pub problems: Vec<ShowProblem>,
    /// How many more problems there are.
    pub left_out: usize,
}

/// One thing that is wrong with a show's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowProblem {
    /// The line, from 1; unknown for what is wrong in JSON beyond its syntax.
    pub line: Option<usize>,
    /// The column, from 1; for broken syntax only.
    pub column: Option<usize>,
    /// The field's path, and what is wrong.
    pub told: String,
}

impl BadShow {
    pub(super) fn new(name: &str, mut problems: Vec<ShowProblem>) -> Self {
        let left_out = problems.len().saturating_sub(MOST_PROBLEMS);
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.truncate(MOST_PROBLEMS);
        for problem in &mut problems {
            if let Some((end, _)) = problem.told.char_indices().nth(LONGEST_MESSAGE) {
                problem.told.truncate(end);
                problem.told.push('…');
            }
        }
        Self { name: name.to_owned(), problems, left_out }
    }

    pub(super) fn of(name: &str, told: String) -> Self {
        Self::new(name, vec![ShowProblem { line: None, column: None, told }])
    }
}

impl fmt::Display for BadShow {
    /// One line for each problem, as `file:line:column: path: what is wrong`. Nothing of the file acts on a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            Harmless(&self.name).fmt(f)?;
            for place in [problem.line, problem.column].into_iter().flatten() {
                write!(f, ":{place}")?;
            }
            write!(f, ": {}", Harmless(&problem.told))?;
        }
        if self.left_out > 0 {
            write!(f, "\n{}: and {} more problems", Harmless(&self.name), self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for BadShow {}
