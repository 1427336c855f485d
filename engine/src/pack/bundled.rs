//! The pack that comes with Klaxon.

use klaxon_protocol::games::trivia::Pack;

use super::{Format, parse};

const NAME: &str = "general.toml";
const FILE: &str = include_str!("../../packs/general.toml");

/// The pack that comes with Klaxon: general knowledge, its first 12 questions a show from easy to hard.
#[must_use]
pub fn bundled() -> Pack {
    parse(NAME, FILE.as_bytes(), Format::Toml, None).expect("the file is part of the program, and a test reads it")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use klaxon_protocol::games::trivia::CHOICES;

    use super::*;

    #[test]
    fn it_can_be_played_and_is_long() {
        let read = parse(NAME, FILE.as_bytes(), Format::Toml, None);
        let pack = read.unwrap_or_else(|bad| panic!("{bad}"));
        assert!(pack.questions.len() >= 120, "{}", pack.questions.len());
        assert_eq!(bundled(), pack);
    }

    #[test]
    fn the_docs_say_how_long_it_is() {
        let docs = include_str!("../../../docs/packs.md");
        assert!(docs.contains(&format!("{} questions of general knowledge", bundled().questions.len())));
    }

    #[test]
    fn every_question_says_its_category_difficulty_and_source() {
        let mut categories = BTreeMap::new();
        let mut difficulties = BTreeMap::new();
        for question in bundled().questions {
            let text = question.text;
            *categories.entry(question.category.expect(&text)).or_insert(0) += 1;
            *difficulties.entry(format!("{:?}", question.difficulty.expect(&text))).or_insert(0) += 1;
            assert!(!question.source.expect(&text).trim().is_empty(), "{text}");
        }
        assert!(categories.len() >= 10, "{categories:?}");
        assert!(categories.values().all(|&count| count >= 8), "{categories:?}");
        assert!(difficulties.len() == 3 && difficulties.values().all(|&count| count >= 25), "{difficulties:?}");
    }

    #[test]
    fn no_question_is_asked_twice() {
        let mut texts = BTreeSet::new();
        for question in bundled().questions {
            let plain = question.text.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "");
            assert!(texts.insert(plain), "{}", question.text);
        }
    }

    #[test]
    fn no_two_choices_differ_in_case_only() {
        for question in bundled().questions {
            let choices: BTreeSet<String> = question.choices.iter().map(|choice| choice.to_lowercase()).collect();
            assert_eq!(choices.len(), question.choices.len(), "{}", question.text);
        }
    }

    #[test]
    fn nobody_wins_by_always_taking_the_same_position() {
        let mut right = [0; 4];
        for question in bundled().questions.iter().filter(|question| question.choices.len() == 4) {
            right[question.right.index()] += 1;
        }
        let all: usize = right.iter().sum();
        assert!(all >= 100 && right.iter().all(|count| count * 10 <= all * 4), "{right:?}");
    }

    #[test]
    fn the_fewest_and_the_most_choices_both_come_up() {
        let counts: BTreeSet<usize> = bundled().questions.iter().map(|question| question.choices.len()).collect();
        assert!(
            counts.contains(CHOICES.start()) && counts.contains(&3) && counts.contains(CHOICES.end()),
            "{counts:?}"
        );
    }

    #[test]
    fn the_first_12_questions_go_from_easy_to_hard_through_12_categories() {
        let pack = bundled();
        let show = &pack.questions[..12];
        let steps: Vec<u8> = show.iter().filter_map(|question| question.difficulty).map(|step| step as u8).collect();
        assert!(steps.is_sorted() && steps.first() < steps.last(), "{steps:?}");
        let categories: BTreeSet<_> = show.iter().map(|question| &question.category).collect();
        assert_eq!(categories.len(), 12);
    }
}
