//! A set of seats, one bit each.

use klaxon_protocol::ids::Seat;

/// A set of seats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeatSet {
    words: Vec<u64>,
}

impl SeatSet {
    /// Whether the seat is in the set.
    pub fn contains(&self, seat: Seat) -> bool {
        self.words.get(seat.index() / 64).is_some_and(|word| word >> (seat.index() % 64) & 1 == 1)
    }

    /// Adds a seat.
    pub fn insert(&mut self, seat: Seat) {
        let word = seat.index() / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (seat.index() % 64);
    }

    /// Removes a seat.
    pub fn remove(&mut self, seat: Seat) {
        if let Some(word) = self.words.get_mut(seat.index() / 64) {
            *word &= !(1 << (seat.index() % 64));
        }
    }

    /// How many seats are in the set.
    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// The seats in order.
    pub fn iter(&self) -> impl Iterator<Item = Seat> {
        (0u32..).zip(&self.words).flat_map(|(index, &word)| {
            std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)))
                .take_while(|&rest| rest != 0)
                .map(move |rest| Seat(index * 64 + rest.trailing_zeros()))
        })
    }

    /// The bits, 64 seats per word.
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set(steps in proptest::collection::vec((0u32..300, any::<bool>()), 0..200)) {
            let (mut bits, mut model) = (SeatSet::default(), BTreeSet::new());
            for (seat, add) in steps {
                if add { bits.insert(Seat(seat)); model.insert(seat); } else { bits.remove(Seat(seat)); model.remove(&seat); }
                prop_assert_eq!(bits.contains(Seat(seat)), model.contains(&seat));
            }
            prop_assert_eq!(bits.iter().map(|seat| seat.0).collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(bits.count() as usize, model.len());
        }
    }
}
