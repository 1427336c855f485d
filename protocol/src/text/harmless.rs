//! Printing of untrusted texts, on terminals and in logs.

use std::fmt::{self, Display, Write};

use super::acts_on_terminals;
use crate::unicode::is_nonspacing;

/// Prints an untrusted text in one line. Characters that control a terminal, forge a log line, or hide or reorder the
/// text around them are replaced by escapes like `\u{1b}` and `\n`; all others stay as they are.
///
/// For display only: two different texts may be printed alike (a backslash is not escaped), so the result must not be
/// compared or parsed.
#[derive(Debug, Clone, Copy)]
pub struct Harmless<'a>(pub &'a str);

/// As [`Harmless`], but keeps line breaks.
#[derive(Debug, Clone, Copy)]
pub struct HarmlessLines<'a>(pub &'a str);

/// Prints a value as [`Harmless`] text.
#[must_use]
pub fn harmless(value: impl Display) -> String {
    let text = value.to_string();
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) { text } else { Harmless(&text).to_string() }
}

impl Display for Harmless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.0, false, f)
    }
}

impl Display for HarmlessLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.0, true, f)
    }
}

/// Equivalent JSON that can't control a terminal. Such characters can only be inside its texts, where the escape
/// `\u001b` has the same meaning.
#[must_use]
pub fn harmless_json(json: &str) -> String {
    let mut written = String::with_capacity(json.len());
    for (at, c) in json.char_indices() {
        if c == '\n' || !acts_on_terminals(json, at, c) {
            written.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string can't fail.
                let _ = write!(written, "\\u{unit:04x}");
            }
        }
    }
    written
}

/// Combining marks on one letter that are printed at most: more of them would cover the lines above. Words need fewer.
const MARKS: usize = 8;

fn print(text: &str, keeps_lines: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut written, mut marks) = (0, 0);
    for (at, c) in text.char_indices() {
        if matches!(c, ' '..='~') || (keeps_lines && c == '\n') {
            marks = 0;
            continue;
        }
        marks = if is_nonspacing(c) { marks + 1 } else { 0 };
        if marks <= MARKS && !acts_on_terminals(text, at, c) {
            continue;
        }
        f.write_str(&text[written..at])?;
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c => write!(f, "{}", c.escape_unicode())?,
        }
        written = at + c.len_utf8();
    }
    f.write_str(&text[written..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::unicode::{is_direction, is_ignorable};

    #[test]
    fn foreign_text_is_printed_and_does_nothing() {
        for (text, printed) in [
            ("plain", "plain"),
            ("a\u{1b}[2Jb\u{7}", "a\\u{1b}[2Jb\\u{7}"),
            ("a\r\nERROR forged", "a\\r\\nERROR forged"),
            ("\u{9b}31m\u{7f}\0", "\\u{9b}31m\\u{7f}\\u{0}"),
            ("pay\u{202e}cod.exe\u{2066}", "pay\\u{202e}cod.exe\\u{2066}"),
            ("a\u{ad}b\u{200b}c\u{200d}d\u{2028}", "a\\u{ad}b\\u{200b}c\\u{200d}d\\u{2028}"),
            (
                "José 张伟 👨\u{200d}👩\u{200d}👧 می\u{200c}خواهم ❤\u{fe0f}",
                "José 张伟 👨\u{200d}👩\u{200d}👧 می\u{200c}خواهم ❤\u{fe0f}",
            ),
            ("C:\\x", "C:\\x"),
        ] {
            assert_eq!(Harmless(text).to_string(), printed);
            assert_eq!(harmless(text), printed);
        }
        assert_eq!(HarmlessLines("a\nb\r\u{1b}").to_string(), "a\nb\\r\\u{1b}");
        assert_eq!(
            Harmless(&format!("a{}", "\u{301}".repeat(9))).to_string(),
            format!("a{}\\u{{301}}", "\u{301}".repeat(8))
        );
    }

    proptest! {
        #[test]
        fn json_says_the_same_and_acts_on_nothing(text in any::<String>()) {
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let printed = harmless_json(&json);
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&printed).unwrap(), [text]);
            prop_assert_eq!(printed.chars().find(|&c| c != '\n' && (c.is_control() || is_direction(c))), None);
        }

        #[test]
        fn whatever_it_is_nothing_of_it_acts(text in prop_oneof![any::<String>(), "[\u{0}-\u{2ff}\u{2000}-\u{20ff}\u{e0000}-\u{e007f}👩❤]*"]) {
            let printed = Harmless(&text).to_string();
            let acts = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_direction(c);
            prop_assert_eq!(printed.chars().find(|&c| acts(c)), None);
            prop_assert!(printed.chars().filter(|&c| is_ignorable(c)).count() <= text.chars().filter(|&c| is_ignorable(c)).count());
            prop_assert_eq!(HarmlessLines(&text).to_string().lines().count(), text.split('\n').count() - usize::from(text.is_empty() || text.ends_with('\n')));
            // Printing a printed text again does not change it.
            prop_assert_eq!(Harmless(&printed).to_string(), printed);
        }
    }
}
