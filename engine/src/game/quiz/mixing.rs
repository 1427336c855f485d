//! The orders of a question's choices, from the part's secret seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// An order of `count` choices: what is at each place. The same seed, question and number always give the same order, because journals are
/// replayed by it: Fisher-Yates over ChaCha8, whose stream is fixed.
pub fn order(seed: &[u8; 32], question: u16, number: u8, count: usize) -> Vec<u8> {
    let mut hash = Sha256::new_with_prefix(seed);
    hash.update(b"quiz");
    hash.update(question.to_be_bytes());
    hash.update([number]);
    let mut random = ChaCha8Rng::from_seed(hash.finalize().into());
    let mut order: Vec<u8> = unmixed(count);
    for last in (1..order.len()).rev() {
        let places = u64::try_from(last + 1).expect("a question has 16 choices at most");
        // The high half of a product: 32 bits are far more than 16 places need to be as likely as makes no difference.
        let other =
            usize::try_from((u64::from(random.next_u32()) * places) >> 32).expect("it is below the number of places");
        order.swap(last, other);
    }
    order
}

/// The choices in the order of the setup.
pub fn unmixed(count: usize) -> Vec<u8> {
    (0..=u8::MAX).take(count).collect()
}

/// Where a choice of the setup is in this order.
pub fn place_of(order: &[u8], choice: u8) -> u8 {
    let place = order.iter().position(|&other| other == choice).expect("an order has all choices of the setup");
    u8::try_from(place).expect("a question has 16 choices at most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journals_depend_on_these_orders() {
        // Computed by another program.
        let orders = [order(&[7; 32], 0, 0, 6), order(&[7; 32], 1, 0, 6), order(&[7; 32], 0, 1, 6)];
        assert_eq!(orders, [[1, 4, 5, 0, 2, 3], [4, 2, 1, 5, 0, 3], [2, 0, 1, 3, 5, 4]]);
    }

    #[test]
    fn every_place_is_as_likely() {
        let mut places = [0u32; 4];
        for number in 0..4000_u16 {
            places[usize::from(place_of(&order(&[1; 32], number, 0, 4), 0))] += 1;
        }
        assert!(places.iter().all(|count| (900..1100).contains(count)), "{places:?}");
    }
}
