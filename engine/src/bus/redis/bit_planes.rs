//! The personal parts of an event as bitmaps of seats: one or two bits for each player instead of a number.

use klaxon_protocol::binary::{Decode, Encode};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::ToPlayer;
use roaring::RoaringBitmap;

use crate::round::SEATS;

/// The number of each seat's message: bitmap `n` holds the seats whose number has bit `n` set. The most frequent messages have the
/// smallest numbers, so most bits are unset and the bitmaps are sparse.
#[derive(Debug, Encode, Decode)]
pub(super) struct BitPlanes {
    /// The messages, the most frequent first.
    shapes: Vec<ToPlayer>,
    /// The rank of "no message" among the messages: those from this index on have numbers larger by one.
    none: u32,
    /// How many seats there are.
    seats: u32,
    /// For each bit of the numbers, from the lowest: the seats whose number has it set.
    planes: Vec<Plane>,
}

/// A set of seats, in the representation that takes fewer bytes.
#[derive(Debug, Encode, Decode)]
enum Plane {
    /// A roaring bitmap.
    Sparse(Vec<u8>),
    /// A bit for each seat, from the lowest of the first byte.
    Dense(Vec<u8>),
}

impl Plane {
    fn of(seats: u32, set: impl Iterator<Item = u32>) -> Self {
        let mut bitmap: RoaringBitmap = set.collect();
        bitmap.optimize();
        if bitmap.serialized_size() > seats.div_ceil(8) as usize {
            let mut dense = vec![0u8; seats.div_ceil(8) as usize];
            bitmap.iter().for_each(|seat| dense[seat as usize / 8] |= 1 << (seat % 8));
            return Self::Dense(dense);
        }
        let mut sparse = Vec::with_capacity(bitmap.serialized_size());
        // A vector takes everything.
        let _ = bitmap.serialize_into(&mut sparse);
        Self::Sparse(sparse)
    }

    fn each(&self, mut seat: impl FnMut(u32) -> Result<(), BitPlanesError>) -> Result<(), BitPlanesError> {
        match self {
            Self::Sparse(sparse) => RoaringBitmap::deserialize_from(sparse.as_slice())?.into_iter().try_for_each(seat),
            Self::Dense(dense) => (0u32..).zip(dense).try_for_each(|(number, byte)| {
                (0..8).filter(|bit| byte >> bit & 1 == 1).try_for_each(|bit| seat(8 * number + bit))
            }),
        }
    }
}

/// Why bitmaps can't be turned into a personal part.
#[derive(Debug, thiserror::Error)]
pub(super) enum BitPlanesError {
    #[error("a bitmap of seats can't be read: {0}")]
    Bitmap(#[from] std::io::Error),
    #[error("there are more than 32 bitmaps, or more than {SEATS} seats")]
    TooMany,
    #[error("a seat or a message has a number that is too large")]
    OutOfRange,
}

impl BitPlanes {
    pub fn of(personal: &Personal) -> Self {
        let (ranks, order) = rank(personal);
        // The last entry of `ranks` is for seats without a message.
        let number = |shape: u32| match shape {
            Personal::NONE => ranks[personal.shapes.len()],
            shape => ranks[shape as usize],
        };
        let numbers: Vec<u32> = personal.by_seat.iter().map(|&shape| number(shape)).collect();
        let bits = numbers.iter().max().map_or(0, |largest| u32::BITS - largest.leading_zeros());
        let count = u32::try_from(numbers.len()).expect("settings allow 10 million seats at most");
        let plane = |bit: u32| {
            let seats = (0u32..).zip(&numbers).filter(|&(_, number)| number >> bit & 1 == 1).map(|(seat, _)| seat);
            Plane::of(count, seats)
        };
        Self {
            shapes: order.iter().filter_map(|&shape| personal.shapes.get(shape).cloned()).collect(),
            none: ranks[personal.shapes.len()],
            seats: count,
            planes: (0..bits).map(plane).collect(),
        }
    }

    /// The personal part, with its messages in another order than before.
    ///
    /// # Errors
    /// If these bitmaps were not made by [`Self::of`].
    pub fn personal(self) -> Result<Personal, BitPlanesError> {
        let Self { shapes, none, seats, planes } = self;
        if planes.len() > u32::BITS as usize || seats > SEATS {
            return Err(BitPlanesError::TooMany);
        }
        let mut by_seat = vec![0u32; seats as usize];
        for (bit, plane) in planes.iter().enumerate() {
            plane.each(|seat| {
                *by_seat.get_mut(seat as usize).ok_or(BitPlanesError::OutOfRange)? |= 1 << bit;
                Ok(())
            })?;
        }
        for number in &mut by_seat {
            *number = match (*number).cmp(&none) {
                std::cmp::Ordering::Less => *number,
                std::cmp::Ordering::Equal => Personal::NONE,
                std::cmp::Ordering::Greater => *number - 1,
            };
            if *number != Personal::NONE && *number as usize >= shapes.len() {
                return Err(BitPlanesError::OutOfRange);
            }
        }
        Ok(Personal { shapes, by_seat })
    }
}

/// The number of each message, with that of no message at the end; and the messages in the order of their numbers.
fn rank(personal: &Personal) -> (Vec<u32>, Vec<usize>) {
    let none = personal.shapes.len();
    let mut counts = vec![0u32; none + 1];
    for &shape in &personal.by_seat {
        counts[(shape as usize).min(none)] += 1;
    }
    let mut order: Vec<usize> = (0..=none).collect();
    order.sort_by_key(|&shape| std::cmp::Reverse(counts[shape]));
    let mut ranks = vec![0; order.len()];
    for (rank, &shape) in (0u32..).zip(&order) {
        ranks[shape] = rank;
    }
    order.retain(|&shape| shape != none);
    (ranks, order)
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::Seat;
    use klaxon_protocol::player::Pong;
    use klaxon_protocol::time::Millis;
    use proptest::prelude::*;

    use super::*;

    fn shape(number: u32) -> ToPlayer {
        ToPlayer::Pong(Pong { sent: Millis(number.into()), now: Millis(0) })
    }

    proptest! {
        #[test]
        fn everybody_gets_the_message_that_was_meant(
            shapes in 0u32..40,
            seats in proptest::collection::vec(any::<proptest::sample::Index>(), 0..3000),
        ) {
            let number = |seat: &proptest::sample::Index| match seat.index(shapes as usize + 1) as u32 {
                0 => Personal::NONE,
                number => number - 1,
            };
            let personal =
                Personal { shapes: (0..shapes).map(shape).collect(), by_seat: seats.iter().map(number).collect() };
            let again = BitPlanes::of(&personal).personal().unwrap();
            prop_assert_eq!(again.by_seat.len(), personal.by_seat.len());
            for seat in (0..=personal.by_seat.len() as u32).map(Seat) {
                let meant = personal.shape_of(seat).map(|shape| &personal.shapes[shape]);
                let got = again.shape_of(seat).map(|shape| &again.shapes[shape]);
                prop_assert_eq!(got, meant);
            }
        }
    }

    #[test]
    fn bitmaps_that_make_no_sense_are_refused() {
        let planes = |planes: Vec<Plane>, seats| BitPlanes { shapes: vec![shape(0)], none: 1, seats, planes };
        let sparse = |seat| {
            let mut bytes = Vec::new();
            RoaringBitmap::from([seat]).serialize_into(&mut bytes).unwrap();
            Plane::Sparse(bytes)
        };
        assert!(planes(vec![Plane::Sparse(vec![1, 2, 3])], 1).personal().is_err());
        assert!(planes((0..33).map(|_| Plane::Dense(Vec::new())).collect(), 1).personal().is_err());
        assert!(planes(Vec::new(), u32::MAX).personal().is_err());
        for not_there in [sparse(7), Plane::Dense(vec![1 << 7])] {
            assert!(planes(vec![not_there], 7).personal().is_err(), "seat 7 is not there");
        }
        assert!(planes(vec![sparse(7), sparse(7)], 8).personal().is_err(), "message 3 is not there");
    }
}
