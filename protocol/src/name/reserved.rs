//! Names by which a player could speak for the host or the server.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::alike::Alike;
use crate::unicode::is_mark;

/// Words that a name may not consist of, or begin with as if somebody with that name spoke (`SERVER: you won`).
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
/// Words that make nobody else of a reserved one beside them (`The Host`, `Official Klaxon Team`).
pub const COMPANIONS: &[&str] =
    &["the", "official", "real", "show", "game", "quiz", "team", "message", "account", "bot"];

/// A word's keys and whether it is reserved itself.
static PIECES: LazyLock<Vec<(String, bool)>> = LazyLock::new(|| {
    let words = RESERVED.iter().map(|word| (word, true)).chain(COMPANIONS.iter().map(|word| (word, false)));
    let mut pieces: Vec<(String, bool)> = Vec::new();
    for (word, is_reserved) in words {
        for written in [(*word).to_owned(), word.to_uppercase()] {
            pieces.extend(Alike::of(&written).keys().map(|key| (key.to_owned(), is_reserved)));
        }
    }
    pieces.sort();
    pieces.dedup();
    pieces
});

/// What a word says of who speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Reserved,
    /// Nothing: a number, or a companion.
    Empty,
    Other,
}

/// Whether the name, in its final form, could be taken for the host's or the server's.
pub(super) fn is_reserved(name: &str) -> bool {
    let text: String = name.nfkd().collect();
    let is_inner = |c: char| c.is_alphanumeric() || is_mark(c);
    let words: Vec<&str> = text.split(|c| !is_inner(c)).filter(|word| !word.is_empty()).collect();
    let Some(first) = words.first() else { return false };
    let speaks = kind_of(first) == Word::Reserved && text.split_once(first).is_some_and(|(_, rest)| is_ended(rest));
    let kinds = || words.iter().map(|word| kind_of(word));
    let is_made_of = kinds().all(|kind| kind != Word::Other) && kinds().any(|kind| kind == Word::Reserved);
    let is_spelled = words.len() > 1
        && words.iter().all(|word| word.chars().nth(1).is_none())
        && kind_of(&words.concat()) == Word::Reserved;
    speaks || is_made_of || is_spelled
}

/// Whether what follows a name's first word parts it from the rest. A hyphen or an apostrophe inside of a name does not.
fn is_ended(rest: &str) -> bool {
    let mut chars = rest.chars();
    let is_inside = matches!(chars.next(), Some('-' | '\u{2010}' | '\'' | '\u{2019}'))
        && chars.next().is_some_and(char::is_alphanumeric);
    !is_inside && rest.trim_start().chars().next().is_none_or(|c| !c.is_alphanumeric())
}

fn kind_of(word: &str) -> Word {
    let letters = word.trim_matches(char::is_numeric);
    if letters.is_empty() {
        return Word::Empty;
    }
    let kinds =
        [word, letters].map(|text| Alike::of(text).keys().map(pieces_of).min_by_key(rank).unwrap_or(Word::Other));
    kinds.into_iter().min_by_key(rank).unwrap_or(Word::Other)
}

const fn rank(kind: &Word) -> u8 {
    match kind {
        Word::Reserved => 0,
        Word::Empty => 1,
        Word::Other => 2,
    }
}

/// Whether the key is put together from those of our words, one or more (`klaxonadmin`).
fn pieces_of(key: &str) -> Word {
    // What is known of the key up to each of its bytes.
    let mut known = vec![None; key.len() + 1];
    known[0] = Some(Word::Empty);
    for at in 0..key.len() {
        let Some(before) = known[at] else { continue };
        let Some(rest) = key.get(at..) else { continue };
        for (piece, is_reserved) in PIECES.iter().filter(|(piece, _)| rest.starts_with(piece.as_str())) {
            let kind = if *is_reserved { Word::Reserved } else { before };
            let place = &mut known[at + piece.len()];
            *place = Some(place.map_or(kind, |other| if other == Word::Reserved { other } else { kind }));
        }
    }
    known[key.len()].unwrap_or(Word::Other)
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
        ] {
            assert!(is_reserved(name), "{name}");
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
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
