//! Which names players may have: visible to all players, on every screen, and not to be mistaken for another's.
//!
//! The properties of characters are Unicode's (UAX 29, 31, 44, UTS 39), from crates that follow its versions.

mod alike;
mod reserved;

pub use alike::Alike;
pub use reserved::{COMPANIONS, MOST_FURTHER, RESERVED, Reserved};

use icu_properties::props::GeneralCategory;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::unicode::{category, has_effect, is_blank, is_direction, is_ignorable, is_mark, is_nonspacing, is_visible};

/// Limit of a name in characters as people count them (UAX 29's grapheme clusters).
pub const MOST_CHARACTERS: usize = 24;
/// Limit of a name in bytes of UTF-8, which bounds the memory per seat.
pub const MOST_BYTES: usize = 128;
/// Limit of combining marks on one letter (UTS 39, 5.4).
pub const MOST_MARKS: usize = 4;
/// The name of players who gave none, followed by a number.
pub(crate) const UNNAMED: &str = "Player";
/// Bytes of a text that are examined at most.
const LONGEST_INPUT: usize = 1024;

/// The normalised name, or why it is invalid.
pub(crate) fn check(text: &str) -> Result<String, String> {
    if text.len() > LONGEST_INPUT {
        return Err(format!("must be 1 to {MOST_CHARACTERS} characters long, this one has {} bytes", text.len()));
    }
    let clean = tidy(text)?;
    if clean.is_empty() {
        return Err(if text.chars().any(|c| !c.is_whitespace()) {
            "must have a character that can be seen".into()
        } else {
            format!("must be 1 to {MOST_CHARACTERS} characters long, and not blank")
        });
    }
    let length = characters(&clean);
    if length > MOST_CHARACTERS {
        return Err(format!("must be 1 to {MOST_CHARACTERS} characters long, this one has {length}"));
    }
    if clean.len() > MOST_BYTES {
        return Err(format!("must be at most {MOST_BYTES} bytes long in UTF-8, this one has {}", clean.len()));
    }
    check_marks(&clean)?;
    if reserved::is_reserved(&clean) {
        return Err(reserved::PROBLEM.into());
    }
    Ok(clean)
}

/// As [`check`], but a text that is too long is cut.
pub(crate) fn check_cut(text: &str) -> Result<String, String> {
    let text = &text[..text.floor_char_boundary(LONGEST_INPUT)];
    check(&cut(&tidy(text)?, 0))
}

/// Whether this version or an earlier one may have accepted this name: journals must stay readable.
pub(crate) fn check_kept(text: &str) -> Result<String, String> {
    let is_long = if text.is_ascii() { text.len() > MOST_CHARACTERS } else { text.len() > MOST_BYTES };
    let is_harmful = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.is_empty() || is_long || text.chars().any(is_harmful) {
        return Err(format!("must be 1 to {MOST_CHARACTERS} characters long, without control characters"));
    }
    Ok(text.to_owned())
}

/// The name with a number appended; a long name is cut to stay valid. A name that could be mistaken for the host's once
/// it is cut is replaced by the default name.
pub(crate) fn numbered(base: &str, number: usize) -> String {
    let ending = format!(" {number}");
    let kept = cut(base, ending.len());
    if kept.len() < base.len() && reserved::is_reserved(&kept) { UNNAMED.to_owned() + &ending } else { kept + &ending }
}

/// The start of the text that fits, with room left for `room` ASCII characters.
fn cut(text: &str, room: usize) -> String {
    let most = MOST_CHARACTERS.saturating_sub(room);
    if text.is_ascii() && text.len() <= most {
        return text.to_owned();
    }
    let fits = |end: &usize| *end <= MOST_BYTES.saturating_sub(room);
    let ends = text.grapheme_indices(true).map(|(start, cluster)| start + cluster.len());
    let end = ends.take(most).take_while(fits).last().unwrap_or(0);
    text[..end].trim_end().to_owned()
}

fn characters(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).count() }
}

/// The text in normal form C, without characters that have no visible effect where they are: blanks at the ends,
/// repeated blanks, ignorable characters.
fn tidy(text: &str) -> Result<String, String> {
    if text.is_ascii() {
        let clean = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        return match clean.chars().find_map(forbidden) {
            Some(problem) => Err(problem),
            None => Ok(clean),
        };
    }
    let chars: Vec<char> = text.nfc().collect();
    let mut kept: Vec<char> = Vec::with_capacity(chars.len());
    for (at, &c) in chars.iter().enumerate() {
        if is_blank(c) {
            kept.push(' ');
        } else if let Some(problem) = forbidden(c) {
            return Err(problem);
        } else if !is_ignorable(c) || has_effect(&kept, c, &chars[at + 1..]) {
            kept.push(c);
        }
    }
    if !kept.iter().copied().any(is_visible) {
        return Ok(String::new());
    }
    // A removed character may have been between a letter and its mark.
    let joined: String = kept.into_iter().nfc().collect();
    Ok(joined.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Why this character is not allowed in names; none if it is.
fn forbidden(c: char) -> Option<String> {
    let problem = match category(c) {
        _ if is_direction(c) => "must not hold characters that change the direction of text",
        _ if c.is_whitespace() || is_ignorable(c) => return None,
        GeneralCategory::Control => "must not hold control characters",
        GeneralCategory::Format => "must not hold format characters",
        GeneralCategory::PrivateUse | GeneralCategory::Surrogate | GeneralCategory::Unassigned => {
            "must not hold characters that Unicode does not define"
        }
        _ => return None,
    };
    Some(format!("{problem}, such as U+{:04X}", u32::from(c)))
}

/// UTS 39, 5.4: combining marks must be on a letter, and few of them.
fn check_marks(text: &str) -> Result<(), String> {
    if text.is_ascii() {
        return Ok(());
    }
    let (mut marks, mut before) = (0, ' ');
    for c in text.nfd().filter(|&c| !is_ignorable(c)) {
        if is_mark(c) && before == ' ' {
            return Err("must not begin a word with a mark that belongs on a letter".into());
        }
        if is_nonspacing(c) {
            marks += 1;
            if marks > MOST_MARKS || c == before {
                return Err(format!("must not hold more than {MOST_MARKS} marks on a letter, or one mark twice"));
            }
        } else {
            marks = 0;
        }
        before = c;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
