//! What a show of bingo came to for each seat, to compare the database with.

use std::collections::BTreeMap;

use klaxon_protocol::ids::Seat;

use super::super::outcome::{Final, Outcome};
use super::book::BingoBook;

/// The outcome by the book: places by winnings, equals share one.
pub(in crate::audit) fn outcome(book: &BingoBook) -> Outcome {
    let winnings = book.winnings();
    let won = |seat: Seat| winnings.get(&seat).copied().unwrap_or_default();
    let has_place = |seat: Seat| !book.removed.contains(&seat) || won(seat) > 0;
    let all = || (0..).map(Seat).zip(&book.people);
    let place = |seat: Seat| {
        let better = all().filter(|&(other, _)| has_place(other) && won(other) > won(seat)).count();
        if has_place(seat) { u32::try_from(better + 1).unwrap_or(u32::MAX) } else { 0 }
    };
    let mut places: BTreeMap<u64, u32> = BTreeMap::new();
    let players = all().map(|(seat, (player, name))| Final {
        player: player.clone(),
        name: name.clone(),
        alive: !book.removed.contains(&seat),
        lives: book.lives,
        score: 0,
        right_answers: book.parts().map(|part| u32::try_from(part.won_by(seat).len()).unwrap_or(u32::MAX)).sum(),
        place: if has_place(seat) { *places.entry(won(seat)).or_insert_with(|| place(seat)) } else { 0 },
        prize: won(seat),
    });
    Outcome { players: players.collect(), answers: BTreeMap::new(), podium: book.podium.clone() }
}
