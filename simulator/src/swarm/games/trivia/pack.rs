//! Generates a pack of sums from the seed, for shows without a pack.

use klaxon_protocol::games::trivia::{Choice, Pack, PackQuestion};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A pack with this number of sums, each with four choices; all are different.
#[must_use]
pub fn arithmetic(seed: u64, questions: u16) -> Pack {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let questions = (0..questions).map(|number| {
        // The first summand is different in each question, so all questions are.
        let (a, b) = (u32::from(number) + 11, rng.random_range(11..90_u32));
        let right = a + b;
        let mut choices = [right, right + 1, right + 10, right - 1].map(|choice| choice.to_string()).to_vec();
        choices.shuffle(&mut rng);
        let place = choices.iter().position(|choice| *choice == right.to_string()).unwrap_or_default();
        let right = Choice(u8::try_from(place).unwrap_or_default());
        let question = PackQuestion::new(format!("What is {a} + {b}?"), choices, right);
        PackQuestion { category: Some("Arithmetic".into()), ..question }
    });
    Pack { title: "Sums".into(), questions: questions.collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_sums_are_right_playable_and_the_seed_s() {
        let pack = arithmetic(7, 100);
        assert_eq!(pack.problems(), vec![]);
        assert_eq!(pack, arithmetic(7, 100));
        for question in &pack.questions {
            let sum = question.text.trim_start_matches("What is ").trim_end_matches('?');
            let (a, b) = sum.split_once(" + ").unwrap();
            let sum = a.parse::<u32>().unwrap() + b.parse::<u32>().unwrap();
            assert_eq!(question.choices[question.right.index()], sum.to_string());
        }
        let texts: HashSet<_> = pack.questions.iter().map(|question| &question.text).collect();
        assert_eq!(texts.len(), 100);
    }
}
