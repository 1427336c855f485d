//! Places of a ranking, for every game.

/// These seats or teams, the least by `order` first, with their places from 1; ties share a place and are ordered by number.
pub fn ranked<T: Ord + Copy, K: Ord>(all: impl Iterator<Item = T>, order: impl Fn(T) -> K) -> Vec<(u32, T)> {
    let mut ranked: Vec<(K, T)> = all.map(|one| (order(one), one)).collect();
    ranked.sort_unstable();
    let mut ranking = Vec::with_capacity(ranked.len());
    for equals in ranked.chunk_by(|a, b| a.0 == b.0) {
        let place = u32::try_from(ranking.len() + 1).expect("settings allow 10 million seats at most");
        ranking.extend(equals.iter().map(|&(_, one)| (place, one)));
    }
    ranking
}
