//! Places of a ranking, for every game.

use klaxon_protocol::ids::Seat;

/// These seats, the least by `order` first, with their places from 1; ties share a place and are ordered by seat.
pub fn ranked<K: Ord>(seats: impl Iterator<Item = Seat>, order: impl Fn(Seat) -> K) -> Vec<(u32, Seat)> {
    let mut ranked: Vec<(K, Seat)> = seats.map(|seat| (order(seat), seat)).collect();
    ranked.sort_unstable();
    let mut ranking = Vec::with_capacity(ranked.len());
    for equals in ranked.chunk_by(|a, b| a.0 == b.0) {
        let place = u32::try_from(ranking.len() + 1).expect("settings allow 10 million seats at most");
        ranking.extend(equals.iter().map(|&(_, seat)| (place, seat)));
    }
    ranking
}
