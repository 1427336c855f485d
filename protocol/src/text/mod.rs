//! Untrusted texts: which of them may be shown to players, and how they are printed.

mod harmless;

pub use harmless::{Harmless, HarmlessLines, harmless, harmless_json};

use std::ops::RangeInclusive;

use icu_properties::props::GeneralCategory;

use crate::unicode::{category, has_effect, is_ignorable, is_visible};

/// Why a text must not be shown to players; none if it may be. The result is a clause that follows the text's name.
#[must_use]
pub fn problem(text: &str, length: &RangeInclusive<usize>) -> Option<String> {
    let (least, most, count) = (length.start(), length.end(), text.chars().count());
    if !length.contains(&count) {
        return Some(format!("has {least} to {most} characters, this one has {count}"));
    }
    if let Some((c, what)) = harmful(text) {
        return Some(format!("must not hold {what}, such as U+{:04X}", u32::from(c)));
    }
    let is_blank = !text.chars().any(is_visible);
    is_blank.then(|| format!("has {least} to {most} characters, at least one of which can be seen; this one is blank"))
}

/// The first character that must not be sent to players, and a description of it.
///
/// Direction marks, and isolates that are terminated, are allowed, as bidirectional text can't be written without them.
pub(crate) fn harmful(text: &str) -> Option<(char, &'static str)> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    let mut isolates = 0_usize;
    let mut opened = '\u{2066}';
    for (at, c) in text.char_indices() {
        let what = match c {
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => "a line break",
            '\u{202a}'..='\u{202e}' => "embeddings or overrides of direction",
            '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e001f}' => "format characters",
            '\u{e0020}'..='\u{e007f}' if !is_effective(text, at, c) => "hidden tags",
            '\u{2066}'..='\u{2068}' => {
                (isolates, opened) = (isolates + 1, c);
                continue;
            }
            '\u{2069}' if isolates > 0 => {
                isolates -= 1;
                continue;
            }
            '\u{2069}' => "the end of an isolate that never began",
            c if c.is_control() => "control characters",
            c if matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff) || matches!(c, '\u{fdd0}'..='\u{fdef}') => {
                "noncharacters"
            }
            _ => continue,
        };
        return Some((c, what));
    }
    (isolates > 0).then_some((opened, "an isolate of direction that does not end"))
}

/// Whether the ignorable character at this byte has an effect there, which depends on its neighbours only.
fn is_effective(text: &str, at: usize, c: char) -> bool {
    let mut before: Vec<char> = text[..at].chars().rev().take(8).collect();
    before.reverse();
    let after: Vec<char> = text[at + c.len_utf8()..].chars().take(8).collect();
    is_ignorable(c) && has_effect(&before, c, &after)
}

/// Whether a character at its place would have an effect on a terminal other than being displayed.
fn acts_on_terminals(text: &str, at: usize, c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    match category(c) {
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate
        | GeneralCategory::Unassigned => true,
        GeneralCategory::Format => !is_effective(text, at, c),
        _ => is_ignorable(c) && !is_effective(text, at, c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: RangeInclusive<usize> = 1..=500;

    #[test]
    fn what_people_write_is_shown() {
        for text in [
            "Which planet?",
            "Qu'est-ce que c'est ?",
            "שלום\u{200f}!",
            "ما هو \u{2068}Linux\u{2069}؟",
            "می\u{200c}خواهم",
            "👨\u{200d}👩\u{200d}👧",
            "Donau\u{ad}dampfschiff",
            "ประเทศ\u{200b}ไทย",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "❤\u{fe0f}",
            "\u{f8ff} Mac",
            "x",
        ] {
            assert_eq!(problem(text, &LENGTH), None, "{text}");
        }
    }

    #[test]
    fn what_acts_on_a_screen_is_not() {
        for c in "\0\u{7}\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{206a}\u{fff9}\u{e0001}\u{e0041}\u{fdd0}\u{1fffe}".chars() {
            let told = problem(&format!("you won{c}!"), &LENGTH).unwrap();
            assert!(told.starts_with("must not hold ") && told.ends_with(&format!("U+{:04X}", u32::from(c))), "{told}");
        }
        assert!(problem("\u{2069}a\u{2068}", &LENGTH).is_some());
    }

    #[test]
    fn a_blank_text_is_told_so() {
        for blank in [" ", "\u{a0}\u{3000}", "\u{ad}", "\u{3164}", "\u{2800}\u{2800}", "\u{200b}\u{feff}", "\u{200e}"] {
            let told = problem(blank, &LENGTH).unwrap();
            assert!(told.ends_with("is blank"), "{blank:?} {told}");
        }
        assert_eq!(problem("", &LENGTH).unwrap(), "has 1 to 500 characters, this one has 0");
        assert_eq!(problem(&"x".repeat(501), &LENGTH).unwrap(), "has 1 to 500 characters, this one has 501");
    }
}
