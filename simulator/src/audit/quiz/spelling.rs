//! When two spellings are one, by the rule book: what never makes a difference, case, accents, and typing errors.

use unicode_normalization::UnicodeNormalization;

/// What makes no difference between two spellings.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpellingRules {
    pub case: bool,
    pub marks: bool,
}

/// A spelling in the form in which those are equal that are one.
pub(super) fn plain(text: &str, alike: SpellingRules) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for c in text.nfkd() {
        if c.is_whitespace() {
            words.push(String::new());
        } else if !(is_invisible(c) || (alike.marks && is_accent(c))) {
            let letters = if alike.marks { without_stroke(c) } else { c.to_string() };
            let letters = letters.chars().map(shape).collect::<String>();
            let letters = if alike.case { letters.to_uppercase().to_lowercase() } else { letters };
            if let Some(word) = words.last_mut() {
                // A sigma at the end of a word is a sigma.
                word.push_str(&if alike.case { letters.replace('ς', "σ") } else { letters });
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words.join(" ").nfc().collect()
}

/// Quotes and dashes of all shapes.
const fn shape(c: char) -> char {
    match c {
        '‘' | '’' | '‛' | 'ʼ' | '′' | '`' | '´' => '\'',
        '“' | '”' | '„' | '«' | '»' => '"',
        '\u{2010}'..='\u{2015}' | '\u{58a}' | '\u{5be}' | '\u{1806}' | '\u{2e3a}' | '\u{2e3b}' | '\u{301c}' => '-',
        other => other,
    }
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Accents of Latin, Greek and Cyrillic letters, Hebrew points, Arabic vowels and the line that lengthens Arabic letters.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{485}' | '\u{486}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2d}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{64b}'..='\u{655}' | '\u{670}' | '\u{640}')
}

/// The letter of one whose accent is a part of it.
fn without_stroke(c: char) -> String {
    let letters = match c {
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
        other => return other.to_string(),
    };
    letters.to_owned()
}

/// How many typing errors lie between two texts: a character too many, too few, another one, or two neighbours swapped.
fn errors(said: &[char], meant: &[char]) -> usize {
    let mut table = vec![vec![0_usize; meant.len() + 1]; said.len() + 1];
    for row in 0..=said.len() {
        for column in 0..=meant.len() {
            table[row][column] = if row == 0 || column == 0 {
                row + column
            } else {
                let differ = usize::from(said[row - 1] != meant[column - 1]);
                let one_more = table[row - 1][column].min(table[row][column - 1]) + 1;
                let mut least = one_more.min(table[row - 1][column - 1] + differ);
                if row > 1 && column > 1 && said[row - 1] == meant[column - 2] && said[row - 2] == meant[column - 1] {
                    least = least.min(table[row - 2][column - 2] + 1);
                }
                least
            };
        }
    }
    table[said.len()][meant.len()]
}

/// Whether what was said is one of the spellings, with so many typing errors at most.
pub(super) fn is_accepted(said: &str, spellings: &[String], alike: SpellingRules, typos: u8) -> bool {
    let said: Vec<char> = plain(said, alike).chars().collect();
    spellings.iter().any(|spelling| {
        let meant: Vec<char> = plain(spelling, alike).chars().collect();
        errors(&said, &meant) <= usize::from(typos).min(meant.len() / 4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rule_book_are_judged_as_it_says() {
        let alike = SpellingRules { case: true, marks: true };
        let accepts = |said: &str, meant: &str, typos| is_accepted(said, &[meant.to_owned()], alike, typos);
        assert!(accepts(" the NIEL", "the Nile", 1) && accepts("nil", "Nile", 1) && accepts("Nlie", "Nile", 1));
        assert!(!accepts("bat", "cat", 3) && !accepts("Nli", "Nile", 3));
        assert!(accepts("sao  paulo\u{200b}", "São Paulo", 0) && accepts("O’Neill", "o'neill", 0));
        assert!(accepts("STRASSE", "Straße", 0) && accepts("Σίσυφος", "ΣΊΣΥΦΟΣ", 0) && accepts("lodz", "Łódź", 0));
        assert!(!accepts("कि", "कु", 0));
        let exact = SpellingRules { case: false, marks: false };
        assert!(!is_accepted("polish", &["Polish".to_owned()], exact, 0));
        assert!(!is_accepted("resume", &["résumé".to_owned()], exact, 0));
    }
}
