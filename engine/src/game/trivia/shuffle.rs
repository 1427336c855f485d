//! The order of a question's choices, from the show's recorded seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The order of a question's `count` choices. The same seed and question must always give the same order, because
/// journals are replayed by it. Hence Fisher-Yates over ChaCha8, whose stream is fixed; no library guarantees that for
/// its shuffle.
pub fn order(seed: u64, question: u16, count: usize) -> Vec<u8> {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..10].copy_from_slice(&question.to_le_bytes());
    let mut random = ChaCha8Rng::from_seed(key);
    let mut order: Vec<u8> = (0..=u8::MAX).take(count).collect();
    for last in (1..order.len()).rev() {
        let other = random.next_u32() as usize % (last + 1);
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_journals_depend_on_these_orders() {
        assert_eq!([order(7, 1, 4), order(7, 2, 4), order(8, 1, 4)], [[0, 2, 3, 1], [0, 2, 1, 3], [1, 2, 3, 0]]);
    }

    #[test]
    fn every_place_is_as_likely() {
        let mut places = [0u32; 4];
        for seed in 0..4000 {
            places[order(seed, 3, 4).iter().position(|&choice| choice == 0).unwrap()] += 1;
        }
        assert!(places.iter().all(|count| (900..1100).contains(count)), "{places:?}");
    }
}
