//! Unicode properties of characters, for the checks of names and of texts.

use icu_properties::props::{
    BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic,
    GeneralCategory, Ideographic, IndicSyllabicCategory, JoiningType, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};

pub(crate) const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
pub(crate) const ZERO_WIDTH_JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';
const END_OF_TAG: char = '\u{e007f}';

/// How many characters from a joiner its letters are looked for: longer runs of marks are not words.
const NEIGHBOURHOOD: usize = 8;

pub(crate) fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// Whether it is invisible unless it is given a special meaning (`Default_Ignorable_Code_Point`).
pub(crate) fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether it changes the direction of the text around it (`Bidi_Control`).
pub(crate) fn is_direction(c: char) -> bool {
    CodePointSetData::new::<BidiControl>().contains(c)
}

/// Whether it takes up space and shows nothing: white space, and symbols and letters that are drawn empty.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{2800}' | '\u{fffc}' | '\u{16fe4}' | '\u{1d159}' | '\u{13441}' | '\u{13442}')
}

/// Whether it is visible.
pub(crate) fn is_visible(c: char) -> bool {
    !is_blank(c) && !is_ignorable(c) && !matches!(category(c), GeneralCategory::Control | GeneralCategory::Format)
}

pub(crate) fn is_mark(c: char) -> bool {
    is_nonspacing(c) || category(c) == GeneralCategory::SpacingMark
}

/// Whether it is drawn over the letter before it, so that several can be stacked.
pub(crate) fn is_nonspacing(c: char) -> bool {
    matches!(category(c), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// Whether an ignorable character has an effect at its place: joiners by UAX 31 (A1, A2, B) and in emoji, variation
/// selectors after the characters that they vary, the tags of a flag.
pub(crate) fn has_effect(before: &[char], c: char, after: &[char]) -> bool {
    match c {
        ZERO_WIDTH_NON_JOINER => breaks_cursive(before, after) || (is_conjunct(before) && goes_on(after)),
        ZERO_WIDTH_JOINER => (is_conjunct(before) && !has_vowel_sign(after)) || joins_emoji(before, after),
        '\u{fe00}'..='\u{fe02}' => before.last().is_some_and(|&base| is_ideographic(base)),
        '\u{fe0e}' | '\u{fe0f}' => match before.last() {
            Some(base) if base.is_ascii() => is_keycap_base(*base) && after.first() == Some(&KEYCAP),
            base => base.is_some_and(|&base| CodePointSetData::new::<Emoji>().contains(base)),
        },
        '\u{e0100}'..='\u{e01ef}' => before.last().is_some_and(|&base| is_ideographic(base)),
        '\u{180b}'..='\u{180f}' => before.last().is_some_and(|&base| {
            CodePointMapData::<Script>::new().get(base) == Script::Mongolian && !is_ignorable(base)
        }),
        _ if is_tag(c) => is_flag(before, c, after),
        _ => false,
    }
}

fn is_ideographic(c: char) -> bool {
    CodePointSetData::new::<Ideographic>().contains(c)
}

fn is_keycap_base(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '#' | '*')
}

fn is_letter(c: char) -> bool {
    matches!(
        category(c),
        GeneralCategory::UppercaseLetter
            | GeneralCategory::LowercaseLetter
            | GeneralCategory::TitlecaseLetter
            | GeneralCategory::ModifierLetter
            | GeneralCategory::OtherLetter
    )
}

fn combining_class(c: char) -> CanonicalCombiningClass {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c)
}

/// UAX 31 A1: between two letters that would be written as one.
fn breaks_cursive(before: &[char], after: &[char]) -> bool {
    let joining = |c: &char| CodePointMapData::<JoiningType>::new().get(*c);
    let next = |kind: &JoiningType| *kind != JoiningType::Transparent;
    let left = before.iter().rev().take(NEIGHBOURHOOD).map(joining).find(next);
    let right = after.iter().take(NEIGHBOURHOOD).map(joining).find(next);
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
}

/// UAX 31 A2 and B, what precedes the joiner: a letter, marks, a virama, marks that are reordered.
fn is_conjunct(before: &[char]) -> bool {
    let mut virama = false;
    for &c in before.iter().rev().take(NEIGHBOURHOOD) {
        if combining_class(c) == CanonicalCombiningClass::Virama {
            virama = true;
        } else if !is_nonspacing(c) {
            return virama && is_letter(c);
        } else if !virama && combining_class(c) == CanonicalCombiningClass::NotReordered {
            return false;
        }
    }
    false
}

/// UAX 31 A2, what follows the joiner: a letter, after marks that are reordered.
fn goes_on(after: &[char]) -> bool {
    let is_reordered = |c: char| is_nonspacing(c) && combining_class(c) != CanonicalCombiningClass::NotReordered;
    after.iter().take(NEIGHBOURHOOD).copied().find(|&c| !is_reordered(c)).is_some_and(is_letter)
}

fn has_vowel_sign(after: &[char]) -> bool {
    let syllabic = CodePointMapData::<IndicSyllabicCategory>::new();
    after.first().is_some_and(|&c| syllabic.get(c) == IndicSyllabicCategory::VowelDependent)
}

fn joins_emoji(before: &[char], after: &[char]) -> bool {
    let pictures = CodePointSetData::new::<ExtendedPictographic>();
    let dresses = |c: &&char| **c == '\u{fe0f}' || CodePointSetData::new::<EmojiModifier>().contains(**c);
    let left = before.iter().rev().take(NEIGHBOURHOOD).find(|c| !dresses(c));
    left.is_some_and(|&c| pictures.contains(c)) && after.first().is_some_and(|&c| pictures.contains(c))
}

const fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

/// Whether the characters around `c` are the flag of a country's subdivision: a black flag, 3 to 6 letters or digits as
/// tags, and the tag that ends it.
fn is_flag(before: &[char], c: char, after: &[char]) -> bool {
    let behind = before.iter().rev().take_while(|c| is_tag(**c)).count();
    let starts = before.iter().rev().nth(behind) == Some(&BLACK_FLAG);
    let name = before[before.len() - behind..].iter().chain([&c]).chain(after).take(NEIGHBOURHOOD);
    let length =
        name.clone().take_while(|c| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}')).count();
    starts && (3..=6).contains(&length) && behind <= length && name.clone().nth(length) == Some(&END_OF_TAG)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ignorable characters of the text that have an effect.
    fn effective(text: &str) -> usize {
        let chars: Vec<char> = text.chars().collect();
        (0..chars.len())
            .filter(|&at| is_ignorable(chars[at]) && has_effect(&chars[..at], chars[at], &chars[at + 1..]))
            .count()
    }

    #[test]
    fn joiners_have_an_effect_between_letters_that_they_join_or_part() {
        for (text, count) in [
            ("می\u{200c}خواهم", 1), // Persian
            ("علی\u{200c}", 0),     // nothing follows
            ("ا\u{200c}ب", 0),      // alef joins nothing behind it
            ("A\u{200c}nn", 0),
            ("A\u{200d}nn", 0),
            ("क\u{94d}\u{200c}ष", 1),   // Devanagari, parted
            ("क\u{94d}\u{200d}ष", 1),   // half form
            ("क\u{200d}ष", 0),          // without a virama
            ("അനില\u{d4d}\u{200d}", 1), // a Malayalam chillu at the end
            ("ශ\u{dca}\u{200d}රී", 1),   // Sinhala
            ("👨\u{200d}👩\u{200d}👧", 2),
            ("❤\u{fe0f}\u{200d}🔥", 2),
            ("👩🏽\u{200d}🚀", 1),
            ("👩\u{200d}a", 0),
        ] {
            assert_eq!(effective(text), count, "{text}");
        }
    }

    #[test]
    fn selectors_and_tags_have_an_effect_on_what_they_belong_to() {
        for (text, count) in [
            ("1\u{fe0f}\u{20e3}", 1),
            ("1\u{fe0f}", 0),
            ("a\u{fe0f}", 0),
            ("☀\u{fe0f}", 1),
            ("☀\u{fe0f}\u{fe0f}", 1),
            ("葛\u{e0100}", 1),
            ("a\u{e0100}", 0),
            ("🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", 6),
            ("🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}", 0),
            ("a\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", 0),
            ("🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e0067}\u{e0067}\u{e007f}", 0),
        ] {
            assert_eq!(effective(text), count, "{text:?}");
        }
    }

    #[test]
    fn what_shows_nothing_is_known() {
        for c in "\u{ad}\u{3164}\u{115f}\u{1160}\u{ffa0}\u{2800}\u{200b}\u{2060}\u{feff}\u{34f}\u{180e} \u{3000}\u{61c}\u{1b}\u{e0020}".chars() {
            assert!(!is_visible(c), "U+{:04X}", u32::from(c));
        }
        for c in "a.é字ا👍\u{301}'".chars() {
            assert!(is_visible(c), "{c}");
        }
    }
}
