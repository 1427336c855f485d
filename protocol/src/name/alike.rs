//! Which names look alike.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use crate::unicode::is_ignorable;

/// The keys by which names are compared: texts normalised in case, look and invisible characters.
///
/// Two names are alike if they share a key. There are two keys, as normalising case before look (UTS 39's skeleton)
/// gives other results than the reverse: `ANN` is `ann` by the one, and `Bill` is `BilI` by the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike {
    by_case: String,
    /// None if it equals the other key.
    by_look: Option<String>,
}

/// The keys of each ASCII character, precomputed, as most names are ASCII.
static ASCII: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    (0..=127_u8)
        .map(|byte| {
            let text = char::from(byte).to_string();
            (without_case_and_look(&text), without_case_and_look(&look(&text)))
        })
        .collect()
});

impl Alike {
    /// The keys of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (mut by_case, mut by_look) = (String::with_capacity(2 * text.len()), String::new());
        if text.is_ascii() {
            let is_ambiguous = text.contains('I');
            for byte in text.bytes() {
                let (case, look) = &ASCII[usize::from(byte)];
                by_case += case;
                if is_ambiguous {
                    by_look += look;
                }
            }
            return Self { by_case, by_look: is_ambiguous.then_some(by_look) };
        }
        let text: String = text.nfkd().filter(|&c| !is_ignorable(c)).collect();
        let by_case = without_case_and_look(&text);
        let by_look = Some(without_case_and_look(&look(&text))).filter(|by_look| *by_look != by_case);
        Self { by_case, by_look }
    }

    /// The keys, one or two.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        [Some(&*self.by_case), self.by_look.as_deref()].into_iter().flatten()
    }

    /// Whether the two look alike.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.keys().any(|key| other.keys().any(|other| key == other))
    }

    /// Whether `part` occurs in this text, in case or look.
    #[must_use]
    pub fn holds(&self, part: &Self) -> bool {
        self.keys().any(|key| part.keys().any(|part| key.contains(part)))
    }
}

fn without_case_and_look(text: &str) -> String {
    without_case(&look(&without_case(text)))
}

fn look(text: &str) -> String {
    unicode_security::skeleton(text).collect()
}

/// Lower case by way of upper case, as some small letters share a capital.
pub(super) fn without_case(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_way_is_the_slow_one() {
        // A joiner makes a text take the slow way and adds nothing to it.
        for text in (0..=127_u8)
            .map(|byte| format!("a{}b", char::from(byte)))
            .chain(["Player 10", "MINIMAL", "|I1l0O"].map(str::to_owned))
        {
            assert_eq!(Alike::of(&text), Alike::of(&format!("{text}\u{200d}")), "{text:?}");
        }
    }

    #[test]
    fn names_that_are_taken_for_each_other() {
        for (one, other) in [
            ("Ann", "ANN"),
            ("Ann", "\u{410}nn"), // a Cyrillic А
            ("Ann", "Ann\u{ad}"),
            ("José", "Jose\u{301}"),
            ("JOSÉ", "jose\u{301}"),
            ("Bill", "BilI"),
            ("Bob", "B0b"),
            ("Mary", "Rnary"),
            ("Straße", "STRASSE"),
            ("ΝΙΚΟΣ", "νικος"),
            ("HAH", "НАН"), // all Cyrillic
            ("Dave", "Ｄａｖｅ"),
            ("Dave", "𝐃𝐚𝐯𝐞"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("❤\u{fe0f}", "❤"),
        ] {
            assert!(Alike::of(one).is(&Alike::of(other)), "{one} {other} {:?} {:?}", Alike::of(one), Alike::of(other));
        }
    }

    #[test]
    fn names_that_are_not() {
        for (one, other) in [
            ("Ann", "Anne"),
            ("Jose", "José"),
            ("Ann 2", "Ann 3"),
            ("Van", "Nav"),
            ("Аня", "Ann"),
            ("👨", "👩"),
            ("राम", "राज"),
        ] {
            assert!(!Alike::of(one).is(&Alike::of(other)), "{one} {other}");
        }
    }
}
