//! How players type: in capitals or not, with accents or without, with typing errors, and longer than is allowed.

use klaxon_protocol::claim::{ClaimText, ClaimValue};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

/// Letters that are typed with an accent and without.
const ACCENTS: [(char, char); 8] =
    [('a', 'ã'), ('e', 'é'), ('i', 'í'), ('o', 'ô'), ('u', 'ü'), ('c', 'ç'), ('n', 'ñ'), ('y', 'ÿ')];

/// What players say who do not know the answer, and what they say of an evening: some of it in several spellings.
const WORDS: [&str; 14] = [
    "fun",
    "Fun",
    " FUN ",
    "loud",
    "späť",
    "café",
    "cafe",
    "wow",
    "late",
    "bother",
    "Bother",
    "sehr schön",
    "sehr schon",
    "日本",
];

/// The word that the host takes out of each word cloud before it is shown.
pub const RUDE: &str = "bother";

/// A text as a claim's value; the fallback is never needed for what is at most [`ClaimText::LONGEST`] bytes long.
fn value(text: &str) -> ClaimValue {
    ClaimText::parse(text).map_or(ClaimValue::Bits(0), ClaimValue::Text)
}

/// One of the words, as it is: players who give several give some of them twice.
pub fn word(rng: &mut impl Rng) -> ClaimValue {
    value(WORDS.choose(rng).copied().unwrap_or(RUDE))
}

/// A spelling as a player types it.
pub fn typed(rng: &mut impl Rng, spelling: &str) -> ClaimValue {
    let letters: Vec<char> = spelling.chars().collect();
    let text = match rng.random_range(0..10) {
        0 => spelling.to_uppercase(),
        1 => spelling.to_lowercase(),
        2 => format!("  {spelling} "),
        3 => exchanged(spelling, |&(plain, accented)| (accented, plain)),
        4 => exchanged(spelling, |&(plain, accented)| (plain, accented)),
        5 => mistyped(rng, letters),
        6 => {
            let once = mistyped(rng, letters).chars().collect();
            mistyped(rng, once)
        }
        _ => spelling.to_owned(),
    };
    value(&text)
}

/// Letters exchanged for others.
fn exchanged(text: &str, pair: impl Fn(&(char, char)) -> (char, char)) -> String {
    let other = |c: char| ACCENTS.iter().map(&pair).find(|&(from, _)| from == c).map_or(c, |(_, to)| to);
    text.chars().map(other).collect()
}

/// A letter left out, put in, replaced, or swapped with its neighbour.
fn mistyped(rng: &mut impl Rng, mut letters: Vec<char>) -> String {
    let at = rng.random_range(0..letters.len().max(1));
    let letter = char::from(rng.random_range(b'a'..=b'z'));
    match rng.random_range(0..4) {
        0 if letters.len() > 1 => _ = letters.remove(at),
        1 => letters.insert(at, letter),
        2 if at + 1 < letters.len() => letters.swap(at, at + 1),
        _ => letters.iter_mut().skip(at).take(1).for_each(|old| *old = letter),
    }
    letters.into_iter().collect()
}

/// A text that is longer than so many bytes.
pub fn too_long(longest: u16) -> ClaimValue {
    value(&"x".repeat(usize::from(longest) + 1))
}

/// A text of which nothing can be seen.
pub fn blank() -> ClaimValue {
    ClaimText::kept(" \u{200b}").map_or(ClaimValue::Bits(0), ClaimValue::Text)
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::quiz::{Accepted, Folding};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn most_typed_answers_are_near_enough_and_few_are_as_they_were() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let spelling = "São Paulo";
        let accepts = |typos, same: bool| {
            let folding = Folding { case: same, marks: same };
            Accepted::new(&[spelling.to_owned()], folding, typos)
        };
        let (lenient, strict) = (accepts(2, true), accepts(0, false));
        let (mut near, mut exact) = (0, 0);
        for _ in 0..400 {
            let ClaimValue::Text(text) = typed(&mut rng, spelling) else { panic!("a text is typed") };
            near += usize::from(lenient.accepts(text.as_str()));
            exact += usize::from(strict.accepts(text.as_str()));
        }
        assert!(near > 300 && (100..300).contains(&exact), "{near} {exact}");
    }

    #[test]
    fn what_is_too_long_is_so_by_one_and_what_is_blank_is_refused() {
        let ClaimValue::Text(text) = too_long(20) else { panic!("a text is typed") };
        assert_eq!(text.as_str().len(), 21);
        let ClaimValue::Text(text) = blank() else { panic!("a text is typed") };
        assert!(ClaimText::parse(text.as_str()).is_err());
    }
}
