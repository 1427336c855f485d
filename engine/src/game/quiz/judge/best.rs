//! The best of many, in memory for the best only.

use std::collections::BinaryHeap;

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
