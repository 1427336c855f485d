//! The words of a word cloud.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::claim::ClaimText;
use klaxon_protocol::games::quiz::{Folding, NAMED, WordCount, fold};
use klaxon_protocol::ids::{ClaimKey, Seat};

use super::best::smallest;

/// Words that differ in case and marks only are one.
const FOLDING: Folding = Folding { case: true, marks: true };

/// What a word is counted as.
pub fn folded(word: &str) -> String {
    fold(word, FOLDING)
}

/// The most frequent words, most frequent first, without those that the host took out: of equally frequent ones by spelling. A word counts once
/// for a player, and is shown as the first of its spellings in the order of characters, so that no order of arrival matters. Words of fewer than
/// `players` players are left out.
pub fn most_frequent(
    words: &BTreeMap<(Seat, ClaimKey), ClaimText>,
    players: u32,
    hidden: &BTreeSet<String>,
) -> Vec<WordCount> {
    let mut counts: BTreeMap<String, (u32, &str, Seat)> = BTreeMap::new();
    for ((seat, _), word) in words {
        let word = word.as_str();
        let entry = counts.entry(folded(word)).or_insert((0, word, *seat));
        let (count, spelling, last) = entry;
        if *count == 0 || *last != *seat {
            *count += 1;
            *last = *seat;
        }
        *spelling = (*spelling).min(word);
    }
    let shown = counts.iter().filter(|(word, (count, _, _))| *count >= players && !word.is_empty() && !hidden.contains(*word));
    let best = smallest(NAMED, shown.map(|(word, (count, spelling, _))| (Reverse(*count), word, *spelling)));
    best.into_iter().map(|(Reverse(players), _, word)| WordCount { word: word.to_owned(), players }).collect()
}
