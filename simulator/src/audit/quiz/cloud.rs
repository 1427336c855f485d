//! Word clouds: how many players gave each word, and which words are shown.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::quiz::{NAMED, WordCount};

use super::marks::AnswersBySeat;
use super::spelling::{SpellingRules, plain};

/// The form in which words are one that differ in case and accents only.
pub(super) fn word(text: &str) -> String {
    plain(text, SpellingRules { case: true, marks: true })
}

/// The most frequent words that at least so many players gave, without those that the host took out.
pub(super) fn cloud(answers: &AnswersBySeat, hidden: &BTreeSet<String>, players: u32) -> Vec<WordCount> {
    let mut words: BTreeMap<String, (u32, &str)> = BTreeMap::new();
    for answer in answers.values() {
        let mut given = BTreeSet::new();
        for value in answer.values.values() {
            let ClaimValue::Text(text) = value else { continue };
            let (players, spelling) = words.entry(word(text.as_str())).or_insert((0, text.as_str()));
            *players += u32::from(given.insert(word(text.as_str())));
            *spelling = text.as_str().min(spelling);
        }
    }
    let shown =
        words.iter().filter(|(word, (count, _))| *count >= players && !word.is_empty() && !hidden.contains(*word));
    let mut shown: Vec<_> = shown.map(|(word, &(count, spelling))| (Reverse(count), word, spelling)).collect();
    shown.sort_unstable();
    shown.truncate(NAMED);
    shown.into_iter().map(|(Reverse(players), _, spelling)| WordCount { word: spelling.to_owned(), players }).collect()
}
