//! Reserved names, by which a player could pose as the host or the server.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::alike::Alike;
use crate::unicode::is_mark;

/// Words that a name may not consist of, or begin with in the form of a speaker (`SERVER: you won`).
pub const RESERVED: &[&str] = &[
    "host",
    "klaxon",
    "server",
    "system",
    "admin",
    "administrator",
    "moderator",
    "operator",
    "quizmaster",
    "autopilot",
    "support",
];
/// Words that leave a name reserved if they are added to a reserved word (`The Host`, `Official Klaxon Team`).
pub const COMPANIONS: &[&str] =
    &["the", "official", "real", "show", "game", "quiz", "team", "message", "account", "bot"];

/// Limit of additional reserved words: each name is compared with all of them.
pub const MOST_FURTHER: usize = 100;

/// The length of the longest suffix of a name that several players wanted: a blank and a number up to 10 million.
const LONGEST_NUMBER: usize = 9;

/// The problem of a reserved name, as a clause.
pub(super) const PROBLEM: &str = "could be taken for the host or the server; choose one that could not";

/// The built-in reserved words.
static OF_ALL: LazyLock<Reserved> = LazyLock::new(|| Reserved::beside(&[]));

/// Reserved words, in a form that is fast to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// Each word's keys, and whether it is reserved or a companion.
    pieces: Vec<(String, bool)>,
}

impl Reserved {
    /// These words, separated by commas, in addition to [`RESERVED`]: names for hosts and servers in the players'
    /// languages.
    ///
    /// # Errors
    /// Why one of the words is invalid.
    pub fn further(words: &str) -> Result<Self, String> {
        let words: Vec<&str> = words.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        if words.len() > MOST_FURTHER {
            return Err(format!("must be at most {MOST_FURTHER} words, these are {}", words.len()));
        }
        for word in &words {
            let text: String = word.nfkd().collect();
            let (length, has_letter) = (text.chars().count(), text.chars().any(char::is_alphabetic));
            if !text.chars().all(is_inner) || !has_letter || length < 2 {
                return Err(format!("must be words of 2 or more letters with commas between them, unlike {word:?}"));
            }
        }
        Ok(Self::beside(&words))
    }

    fn beside(further: &[&str]) -> Self {
        let reserved = RESERVED.iter().chain(further).map(|word| (word, true));
        let words = reserved.chain(COMPANIONS.iter().map(|word| (word, false)));
        let mut pieces: Vec<(String, bool)> = Vec::new();
        for (word, is_reserved) in words {
            let plain = plain(&word.nfkd().collect::<String>());
            for written in [(*word).to_owned(), word.to_uppercase(), plain] {
                pieces.extend(Alike::of(&written).keys().map(|key| (key.to_owned(), is_reserved)));
            }
        }
        pieces.sort();
        pieces.dedup();
        Self { pieces }
    }

    /// The problem of a name that could be mistaken for the host's or the server's, also after it is cut to append a
    /// number.
    pub(crate) fn problem(&self, name: &str) -> Option<&'static str> {
        let mut kept: Vec<String> = (0..=LONGEST_NUMBER).map(|room| super::cut(name, room)).collect();
        kept.dedup();
        kept.iter().any(|kept| self.holds(kept)).then_some(PROBLEM)
    }
}

/// What a word contributes to a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Reserved,
    /// A number, or a companion.
    Empty,
    Other,
}

/// Whether the name, in its final form, could be mistaken for the host's or the server's.
pub(super) fn is_reserved(name: &str) -> bool {
    OF_ALL.holds(name)
}

/// The text as it is read at a glance: without accents, small capitals as letters, and signs that replace letters
/// inside a word as those letters. This is too broad for ordinary names, so it is used for reserved words only.
fn plain(text: &str) -> String {
    let is_accent = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{20d0}'..='\u{20f0}');
    let small = |c: char| SMALL.iter().find(|(capital, _)| *capital == c).map_or(c, |(_, letter)| *letter);
    let read: Vec<char> = text.chars().filter(|&c| !is_accent(c)).map(small).collect();
    let is_beside_letter = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| read.get(before));
        before.is_some_and(|c| c.is_alphabetic()) || read.get(at + 1).is_some_and(|c| c.is_alphabetic())
    };
    let stands_for = |(at, &c): (usize, &char)| match STANDS_FOR.iter().find(|(sign, _)| *sign == c) {
        Some((_, letter)) if is_beside_letter(at) => *letter,
        _ => c,
    };
    read.iter().enumerate().map(stands_for).collect()
}

/// Small letters that look like capitals, and are not in the skeleton table.
const SMALL: &[(char, char)] = &[
    ('ᴀ', 'a'),
    ('ʙ', 'b'),
    ('в', 'b'),
    ('ᴄ', 'c'),
    ('ᴅ', 'd'),
    ('ᴇ', 'e'),
    ('ɢ', 'g'),
    ('ʜ', 'h'),
    ('н', 'h'),
    ('ɪ', 'i'),
    ('ᴊ', 'j'),
    ('ᴋ', 'k'),
    ('к', 'k'),
    ('ʟ', 'l'),
    ('ᴍ', 'm'),
    ('м', 'm'),
    ('ɴ', 'n'),
    ('ᴏ', 'o'),
    ('ᴘ', 'p'),
    ('ꞯ', 'q'),
    ('ʀ', 'r'),
    ('ꜱ', 's'),
    ('ᴛ', 't'),
    ('т', 't'),
    ('ᴜ', 'u'),
    ('ᴠ', 'v'),
    ('ᴡ', 'w'),
    ('ʏ', 'y'),
    ('ᴢ', 'z'),
];
/// Signs that are used for letters; those that look like one (0, 1) are in the skeleton table already.
const STANDS_FOR: &[(char, char)] =
    &[('@', 'a'), ('4', 'a'), ('3', 'e'), ('€', 'e'), ('!', 'i'), ('5', 's'), ('$', 's'), ('7', 't'), ('+', 't')];

/// Whether a character is part of a word.
fn is_inner(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c)
}

/// Whether a name's first word ends here. A hyphen or an apostrophe inside a name does not end it.
fn is_ended(rest: &str) -> bool {
    let mut chars = rest.chars();
    let is_inside = matches!(chars.next(), Some('-' | '\u{2010}' | '\'' | '\u{2019}'))
        && chars.next().is_some_and(char::is_alphanumeric);
    !is_inside && rest.trim_start().chars().next().is_none_or(|c| !c.is_alphanumeric())
}

impl Reserved {
    fn holds(&self, name: &str) -> bool {
        // This normal form turns trade mark signs into letters, which would not end a word.
        let text: String = name.chars().filter(|c| !matches!(c, '\u{2120}' | '\u{2122}')).nfkd().collect();
        let plain = plain(&text);
        self.is_held(&text) || (plain != text && self.is_held(&plain))
    }

    fn is_held(&self, text: &str) -> bool {
        let words: Vec<&str> = text.split(|c| !is_inner(c)).filter(|word| !word.is_empty()).collect();
        let Some(first) = words.first() else { return false };
        let speaks =
            self.kind_of(first) == Word::Reserved && text.split_once(first).is_some_and(|(_, rest)| is_ended(rest));
        let kinds = || words.iter().map(|word| self.kind_of(word));
        let is_made_of = kinds().all(|kind| kind != Word::Other) && kinds().any(|kind| kind == Word::Reserved);
        let is_apart = words.len() > 1 && self.kind_of(&words.concat()) == Word::Reserved;
        speaks || is_made_of || is_apart
    }

    fn kind_of(&self, word: &str) -> Word {
        let letters = word.trim_matches(char::is_numeric);
        if letters.is_empty() {
            return Word::Empty;
        }
        let kind_of = |text| Alike::of(text).keys().map(|key| self.pieces_of(key)).min_by_key(rank);
        [word, letters].map(kind_of).into_iter().flatten().min_by_key(rank).unwrap_or(Word::Other)
    }

    /// Whether the key is composed of one or more of the words (`klaxonadmin`).
    fn pieces_of(&self, key: &str) -> Word {
        // For each byte position, the result for the key up to it.
        let mut known = vec![None; key.len() + 1];
        known[0] = Some(Word::Empty);
        for at in 0..key.len() {
            let Some(before) = known[at] else { continue };
            let Some(rest) = key.get(at..) else { continue };
            for (piece, is_reserved) in self.pieces.iter().filter(|(piece, _)| rest.starts_with(piece.as_str())) {
                let kind = if *is_reserved { Word::Reserved } else { before };
                let place = &mut known[at + piece.len()];
                *place = Some(place.map_or(kind, |other| if other == Word::Reserved { other } else { kind }));
            }
        }
        known[key.len()].unwrap_or(Word::Other)
    }
}

const fn rank(kind: &Word) -> u8 {
    match kind {
        Word::Reserved => 0,
        Word::Empty => 1,
        Word::Other => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_speaks_for_the_host_or_the_server() {
        for name in [
            "Host",
            "HOST",
            "host",
            "H0st",
            "Hоst",
            "Ｈｏｓｔ",
            "ⓗⓞⓢⓣ",
            "Klaxon",
            "KLAX0N",
            "Admin",
            "ADMIN",
            "ADM1N",
            "AdmIn",
            "SERVER: you won",
            "Server - pay here",
            "[Host]",
            "★ Host ★",
            "Host 🎉",
            "Host 2",
            "Host7",
            "The Host",
            "Quiz Host",
            "KlaxonAdmin",
            "TheHost",
            "Official Klaxon Team",
            "H o s t",
            "H.o.s.t",
            "system>",
            "Host… wait",
            "Moderator (Ann)",
            "@admin",
            "Host—pay",
            "Hóst",
            "Ĥöśť",
            "ÀDMÍN",
            "Klaxon™",
            "Klaxon® Team",
            "ʜᴏsᴛ",
            "ꜱᴇʀᴠᴇʀ: ʏᴏᴜ ᴡᴏɴ",
            "Hosт",
            "h0$t",
            "4dm1n",
            "@dmin",
            "Adm!n",
            "Sy5tem",
            "$erver",
            "K1@x0n",
            "Quiz Master",
            "Ho st",
            "auto-pilot",
            "H̶o̶s̶t̶",
        ] {
            assert!(is_reserved(name), "{name}");
        }
    }

    #[test]
    fn an_operator_reserves_what_hosts_are_called_where_the_players_are() {
        let reserved = Reserved::further("Gastgeber, Spielleiterin,होस्ट ,主持人,,presentador").unwrap();
        for name in [
            "Gastgeber",
            "GASTGEBER: alle raus",
            "Gastgeber 2",
            "G a s t g e b e r",
            "The Gastgeber",
            "KlaxonGastgeber",
            "Spielleiterin!",
            "होस्ट",
            "[होस्ट]",
            "主持人",
            "主持人：快",
            "PRESENTADOR",
            "Prеsentador", // with a Cyrillic е
            "Host",
        ] {
            assert!(reserved.holds(name), "{name}");
        }
        for name in ["Gastgeber Ann", "Ann Gastgeber", "Gast", "Geber", "होस्टल", "Ann"] {
            assert!(!reserved.holds(name), "{name}");
            assert_eq!(reserved.problem(name), None, "{name}");
        }
        // The second of these would be cut to "The Official Gastgeber 2".
        for name in ["Gastgeber", "The Official Gastgeber X", "The Real Gastgeber 1 Ann"] {
            assert_eq!(reserved.problem(name), Some(PROBLEM), "{name}");
        }
        assert_eq!(Reserved::further(" , "), Ok(Reserved::beside(&[])));
    }

    #[test]
    fn what_is_no_word_can_not_be_reserved() {
        for (words, why) in [
            ("der Gastgeber", "der Gastgeber"),
            ("a", "2 or more letters"),
            ("host,42", "42"),
            ("Spiel-Leiter", "Spiel-Leiter"),
            ("\u{1b}[2J", "\\u{1b}"),
            (&vec!["ab"; 101].join(","), "at most 100 words, these are 101"),
        ] {
            let told = Reserved::further(words).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn names_of_people_are_theirs() {
        for name in [
            "Hostetler",
            "Ann Host",
            "Host-Smith",
            "Host's Friend",
            "Hosta",
            "O'Brien",
            "System of a Down",
            "Sam",
            "Ann",
            "Player 7",
            "The Boss",
            "Real Madrid",
            "Game Over",
            "Team 7",
            "Administra",
            "Servera",
            "Bot 3",
            "42",
            "🎉",
            "J. R.",
            "Host Ann",
            "Adam Min",
            "Höstmark",
            "Étienne",
            "Ann 3",
            "7ate9",
            "Anna!",
            "Jan 4 ever",
            "Kos+a",
            "Ana@home",
            "Тамара",
            "Test 5",
            "Ad Hoc",
            "Mr. T",
            "Real Quiz Team",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
