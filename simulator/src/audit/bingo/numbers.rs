//! Random numbers from the seed, as docs/rules/bingo.md describes them.

use sha2::{Digest, Sha256};

/// A seed, a commitment or another hash.
pub(in crate::audit) type Bytes32 = [u8; 32];

/// SHA-256.
pub(in crate::audit) fn hash(bytes: &[u8]) -> Bytes32 {
    Sha256::digest(bytes).into()
}

/// Lower case hex.
pub(in crate::audit) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The numbers for one purpose.
pub(super) struct Numbers {
    /// The seed and the purpose.
    prefix: Vec<u8>,
    blocks: u32,
    /// Bytes that were not used yet, in reverse.
    left: Vec<u8>,
}

impl Numbers {
    fn new(seed: &Bytes32, purpose: &[&[u8]]) -> Self {
        let mut prefix = seed.to_vec();
        purpose.iter().for_each(|part| prefix.extend(*part));
        Self { prefix, blocks: 0, left: Vec::new() }
    }

    /// For a ticket of this kind: 75, 90, or 6 for a strip.
    pub fn of_ticket(seed: &Bytes32, kind: u8, seat: u32, number: u32, again: u32) -> Self {
        Self::new(seed, &[b"t", &[kind], &seat.to_be_bytes(), &number.to_be_bytes(), &again.to_be_bytes()])
    }

    /// For the order of the balls.
    pub fn of_balls(seed: &Bytes32, balls: u8, roster: &Bytes32, public_value: &str) -> Self {
        Self::new(seed, &[b"b", &[balls], roster, &hash(public_value.as_bytes())])
    }

    fn byte(&mut self) -> u8 {
        loop {
            if let Some(byte) = self.left.pop() {
                return byte;
            }
            let block = [&self.prefix[..], &self.blocks.to_be_bytes()].concat();
            self.left = hash(&block).into_iter().rev().collect();
            self.blocks += 1;
        }
    }

    /// A number below this one, which is not 0.
    pub fn below(&mut self, bound: u128) -> u128 {
        let bits = (0..128).rev().find(|&bit| (bound - 1) >> bit & 1 == 1).map_or(0, |bit| bit + 1);
        loop {
            let mut number = 0_u128;
            for place in 0..bits / 8 + u32::from(bits % 8 > 0) {
                let byte = self.byte();
                let excess = if place == 0 { (8 - bits % 8) % 8 } else { 0 };
                number = number * 256 + u128::from(byte << excess >> excess);
            }
            if number < bound {
                return number;
            }
        }
    }

    /// The same as an index.
    pub fn index_below(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u128)).unwrap_or_default()
    }
}

/// The order in which the balls are drawn.
pub(super) fn order_of_balls(seed: &Bytes32, balls: u8, roster: &Bytes32, public_value: &str) -> Vec<u8> {
    let mut numbers = Numbers::of_balls(seed, balls, roster, public_value);
    let mut order: Vec<u8> = (1..=balls).collect();
    for last in (1..order.len()).rev() {
        let other = numbers.index_below(last + 1);
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_a_bound_are_below_it_and_all_of_them_come() {
        let mut numbers = Numbers::of_ticket(&[7; 32], 75, 1, 0, 0);
        let mut seen = [0; 5];
        for _ in 0..500 {
            seen[numbers.index_below(5)] += 1;
        }
        assert!(seen.iter().all(|&times| times > 60), "{seen:?}");
        assert_eq!(numbers.below(1), 0);
        assert!((0..50).any(|_| numbers.below(u128::MAX) > u128::MAX / 2));
    }

    #[test]
    fn every_ball_is_drawn_once_and_the_order_depends_on_all_that_it_is_made_of() {
        let order = |seed, roster, value| order_of_balls(&[seed; 32], 90, &[roster; 32], value);
        let first = order(1, 1, "");
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (1..=90).collect::<Vec<u8>>());
        assert!(first != order(2, 1, "") && first != order(1, 2, "") && first != order(1, 1, "x"));
    }
}
