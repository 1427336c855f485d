//! The words of a word cloud.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::games::quiz::{Folding, NAMED, WordCount, fold};

use super::best::smallest;

/// Words that differ in case and marks only are one.
const FOLDING: Folding = Folding { case: true, marks: true };

/// The words of a word cloud, each with how many players gave it. It holds no more than what all players typed.
#[derive(Debug, Default)]
pub struct Cloud {
    /// By folded spelling: how many players, and the first of the spellings in the order of characters, so that no order of arrival matters.
    words: BTreeMap<String, (u32, String)>,
    /// The folded words that the host took out.
    hidden: BTreeSet<String>,
}

impl Cloud {
    /// A player gives a word, after these earlier ones. The same word again counts once.
    pub fn add<'w>(&mut self, word: &str, mut earlier: impl Iterator<Item = &'w str>) {
        let folded = fold(word, FOLDING);
        let is_new = !earlier.any(|other| fold(other, FOLDING) == folded);
        let (players, spelling) = self.words.entry(folded).or_insert_with(|| (0, word.to_owned()));
        *players += u32::from(is_new);
        if word < spelling.as_str() {
            word.clone_into(spelling);
        }
    }

    /// The host takes a word out, or one that nobody has given yet. Returns false if that was done before.
    pub fn hide(&mut self, word: &str) -> bool {
        self.hidden.insert(fold(word, FOLDING))
    }

    /// How many words the host took out.
    pub fn hidden(&self) -> usize {
        self.hidden.len()
    }

    /// The most frequent words that at least so many players gave, most frequent first: of equally frequent ones by spelling; 100 at most.
    pub fn most_frequent(&self, players: u32) -> Vec<WordCount> {
        let is_shown = |word: &String, count: u32| count >= players && !word.is_empty() && !self.hidden.contains(word);
        let shown = self.words.iter().filter(|(word, (count, _))| is_shown(word, *count));
        let best = smallest(NAMED, shown.map(|(word, (count, spelling))| (Reverse(*count), word, spelling)));
        best.into_iter().map(|(Reverse(players), _, word)| WordCount { word: word.clone(), players }).collect()
    }
}
