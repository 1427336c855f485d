//! The best of many, in memory for the best only.

use std::collections::BinaryHeap;

use klaxon_protocol::ids::Seat;

use crate::game::rundown::Teams;

/// The `count` seats with the smallest keys, in order: of equal ones the lower seats; with teams one of each.
pub fn first<K: Ord>(teams: Option<&Teams>, count: usize, keys: impl Iterator<Item = (K, Seat)>) -> Vec<Seat> {
    let first = match teams {
        Some(teams) => smallest(count, teams.least_of_each(keys).into_iter()),
        None => smallest(count, keys),
    };
    first.into_iter().map(|(_, seat)| seat).collect()
}

/// The `count` smallest keys, in order.
pub fn smallest<K: Ord>(count: usize, keys: impl Iterator<Item = K>) -> Vec<K> {
    let mut best = BinaryHeap::with_capacity(count + 1);
    for key in keys {
        if best.len() < count {
            best.push(key);
        } else if best.peek().is_some_and(|worst| key < *worst) {
            best.pop();
            best.push(key);
        }
    }
    best.into_sorted_vec()
}
