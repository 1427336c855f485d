//! When two spellings are the same: folding of case and marks, and typing errors.
//!
//! Unicode's stability policies keep what a character folds to, once it is assigned. A journal that holds a character which was assigned
//! after the Unicode of its writer is the one case in which a newer program may judge it otherwise.

use icu_properties::props::{GeneralCategory, Script};
use icu_properties::{CodePointMapData, props};
use unicode_normalization::UnicodeNormalization;

use crate::unicode::{category, is_ignorable, is_mark};

/// What differs between two spellings without making them two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folding {
    /// Upper and lower case.
    pub case: bool,
    /// Accents and other marks that can be left out: of Latin, Greek and Cyrillic letters, Hebrew points, Arabic vowels. The marks of other
    /// scripts, such as the vowel signs of Hindi, are letters of their own.
    pub marks: bool,
}

/// A spelling without what makes no difference. White space at the ends, repeated white space, invisible characters, and the shapes of quotes
/// and dashes never do.
#[must_use]
pub fn fold(text: &str, folding: Folding) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut is_space = false;
    for c in text.nfkd() {
        if c.is_whitespace() {
            is_space = true;
            continue;
        }
        if is_ignorable(c) || (folding.marks && is_optional(c)) {
            continue;
        }
        if std::mem::take(&mut is_space) && !folded.is_empty() {
            folded.push(' ');
        }
        push(&mut folded, c, folding);
    }
    // Case can compose differently, so marks are composed last.
    if folded.is_ascii() { folded } else { folded.nfc().collect() }
}

fn push(folded: &mut String, c: char, folding: Folding) {
    let c = match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' | '`' | '\u{b4}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => '"',
        c if !c.is_ascii() && category(c) == GeneralCategory::DashPunctuation => '-',
        c => c,
    };
    let mut push_cased = |c: char| {
        if folding.case {
            // By way of upper case, so that ß is ss and both sigmas are one.
            folded.extend(c.to_uppercase().flat_map(char::to_lowercase));
        } else {
            folded.push(c);
        }
    };
    match stroke(c).filter(|_| folding.marks) {
        Some(letters) => letters.chars().for_each(push_cased),
        None => push_cased(c),
    }
}

/// Letters whose mark is a part of them in Unicode, without it.
const fn stroke(c: char) -> Option<&'static str> {
    Some(match c {
        'ø' => "o",
        'Ø' => "O",
        'ł' => "l",
        'Ł' => "L",
        'đ' => "d",
        'Đ' => "D",
        'ħ' => "h",
        'Ħ' => "H",
        'ı' => "i",
        'æ' => "ae",
        'Æ' => "AE",
        'œ' => "oe",
        'Œ' => "OE",
        _ => return None,
    })
}

/// Whether it is a mark that can be left out.
fn is_optional(c: char) -> bool {
    if c.is_ascii() || !is_mark(c) {
        return c == '\u{640}';
    }
    matches!(CodePointMapData::<props::Script>::new().get(c), Script::Inherited | Script::Hebrew)
}

/// Whether `said` becomes `meant` by so many typing errors at most: a character left out, put in, replaced, or swapped with its neighbour.
#[must_use]
pub fn is_within(said: &[char], meant: &[char], errors: usize) -> bool {
    if said.len().abs_diff(meant.len()) > errors {
        return false;
    }
    if errors == 0 {
        return said == meant;
    }
    // Rows of the table of distances (optimal string alignment); outside the band around the diagonal all distances are too large.
    let far = errors + 1;
    let (mut before, mut last, mut row) =
        (vec![far; meant.len() + 1], vec![far; meant.len() + 1], vec![far; meant.len() + 1]);
    for (place, distance) in last.iter_mut().enumerate().take(errors + 1) {
        *distance = place;
    }
    for (index, c) in said.iter().enumerate() {
        let (first, end) = ((index + 1).saturating_sub(errors), (index + 1 + errors).min(meant.len()));
        row.fill(far);
        if first == 0 {
            row[0] = index + 1;
        }
        for place in first.max(1)..=end {
            let other = meant[place - 1];
            let mut distance =
                (last[place - 1] + usize::from(*c != other)).min(last[place] + 1).min(row[place - 1] + 1);
            if index > 0 && place > 1 && *c == meant[place - 2] && said[index - 1] == other {
                distance = distance.min(before[place - 2] + 1);
            }
            row[place] = distance.min(far);
        }
        if row.iter().all(|&distance| distance > errors) && last.iter().all(|&distance| distance > errors) {
            return false;
        }
        (before, last, row) = (last, row, before);
    }
    last[meant.len()] <= errors
}

/// The spellings that are right, ready to be compared with many answers.
#[derive(Debug, Clone)]
pub struct Accepted {
    folding: Folding,
    /// Each with the errors that are accepted.
    spellings: Vec<(Vec<char>, usize)>,
}

impl Accepted {
    /// These spellings. Of a spelling with fewer than four characters no typing error is accepted, with fewer than eight one, and so on.
    #[must_use]
    pub fn new(spellings: &[String], folding: Folding, typos: u8) -> Self {
        let with_errors = |spelling: &String| {
            let folded: Vec<char> = fold(spelling, folding).chars().collect();
            let errors = usize::from(typos).min(folded.len() / 4);
            (folded, errors)
        };
        Self { folding, spellings: spellings.iter().map(with_errors).collect() }
    }

    /// Whether an answer is one of them.
    #[must_use]
    pub fn accepts(&self, answer: &str) -> bool {
        let said: Vec<char> = fold(answer, self.folding).chars().collect();
        self.spellings.iter().any(|(meant, errors)| is_within(&said, meant, *errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: Folding = Folding { case: true, marks: true };

    #[test]
    fn what_makes_no_difference_is_folded() {
        for (one, other) in [
            ("  Sao   Paulo ", "são paulo"),
            ("STRASSE", "Straße"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("İstanbul", "istanbul"),
            ("O’Neill", "o'neill"),
            ("Łódź", "lodz"),
            ("naïve", "nai\u{308}ve"),
            ("ﬁsh", "fish"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد", "محمد"),
            ("Jean–Luc", "jean-luc"),
            ("a\u{200b}b", "ab"),
        ] {
            assert_eq!(fold(one, ALL), fold(other, ALL), "{one} {other}");
        }
    }

    #[test]
    fn what_makes_a_difference_is_not() {
        let neither = Folding { case: false, marks: false };
        assert_ne!(fold("Polish", neither), fold("polish", neither));
        assert_ne!(fold("resume", neither), fold("résumé", neither));
        assert_ne!(fold("कि", ALL), fold("कु", ALL));
        assert_ne!(fold("คำ", ALL), fold("ค", ALL));
    }

    fn accepts(spelling: &str, typos: u8, answer: &str) -> bool {
        Accepted::new(&[spelling.to_owned()], ALL, typos).accepts(answer)
    }

    #[test]
    fn a_short_word_takes_no_typing_error_and_a_long_one_takes_several() {
        assert!(!accepts("cat", 3, "bat"));
        assert!(accepts("Nile", 3, "Nlie") && !accepts("Nile", 3, "Nli"));
        assert!(accepts("Mississippi", 2, "Misisipi".replace("pi", "ppi").as_str()));
        assert!(!accepts("Mississippi", 1, "Misisippi"));
        assert!(!accepts("Mississippi", 0, "Misissippi"));
    }

    fn distance(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (0, j) => j,
                    (i, 0) => i,
                    (i, j) => {
                        let plain = (table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]))
                            .min(table[i - 1][j] + 1)
                            .min(table[i][j - 1] + 1);
                        let swaps = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                        if swaps { plain.min(table[i - 2][j - 2] + 1) } else { plain }
                    }
                };
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn the_band_agrees_with_the_whole_table(a in "[abc]{0,9}", b in "[abc]{0,9}", errors in 0usize..4) {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(is_within(&a, &b, errors), distance(&a, &b) <= errors);
        }

        #[test]
        fn folding_twice_changes_nothing_more(text in "\\PC{0,20}", case: bool, marks: bool) {
            let folding = Folding { case, marks };
            let once = fold(&text, folding);
            prop_assert_eq!(fold(&once, folding), once);
        }
    }
}
