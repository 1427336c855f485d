//! What may be a mistake in a pack, and may be meant: it is noted, and no reason to refuse the pack.

use std::collections::BTreeMap;

use klaxon_protocol::games::quiz::{Folding, QuizQuestion, fold};

use super::problem::{SourcePlace, excerpt};

/// Two texts that differ in nothing else are the same to most people.
const FOLDING: Folding = Folding { case: true, marks: true };

/// Questions that are asked twice, and choices of one question that differ in case, accents or white space only. Equal choices are problems.
pub(super) fn doubts<'q>(questions: impl Iterator<Item = (&'q QuizQuestion, SourcePlace)>) -> Vec<String> {
    let mut doubts = Vec::new();
    let mut asked: BTreeMap<String, SourcePlace> = BTreeMap::new();
    for (question, place) in questions {
        // A poll can be asked again, and wagers and slides are often the same.
        if question.kind.has_right()
            && let Some(first) = asked.insert(fold(&question.text, FOLDING), place)
        {
            doubts.push(format!("{} asks the same as {}", named(place), named(first)));
        }
        let mut folded: BTreeMap<String, &str> = BTreeMap::new();
        for choice in question.kind.choices() {
            if let Some(other) = folded.insert(fold(choice, FOLDING), choice)
                && other != choice
            {
                doubts.push(format!(
                    "{} has two choices that are almost the same, {} and {}",
                    named(place),
                    excerpt(other),
                    excerpt(choice)
                ));
            }
        }
    }
    doubts
}

fn named(place: SourcePlace) -> String {
    let number = place.question.unwrap_or(0);
    place.line.map_or_else(|| format!("question {number}"), |line| format!("question {number} (line {line})"))
}
