//! The personal part of an event, with as few messages as possible: seats with equal messages share one.

use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::ToPlayer;

/// Keys below this are looked up in a table, all others in a map.
const SMALL: usize = 2048;

/// A message for each of the first `seats` seats. Seats with the same key share a message, made for the first of them.
pub fn for_each_seat(seats: u32, key: impl Fn(Seat) -> u64, message: impl Fn(Seat) -> ToPlayer) -> Personal {
    let mut shapes = Vec::new();
    let mut new_shape = |seat| {
        shapes.push(message(seat));
        u32::try_from(shapes.len() - 1).expect("there are no more shapes than seats")
    };
    // Without points all keys are small, and a table is faster than a map.
    let mut small = [Personal::NONE; SMALL];
    let mut large: HashMap<u64, u32, BuildHasherDefault<Mix>> = HashMap::default();
    let by_seat = (0..seats).map(Seat).map(|seat| {
        let key = key(seat);
        match usize::try_from(key).ok().and_then(|index| small.get_mut(index)) {
            Some(number) => {
                if *number == Personal::NONE {
                    *number = new_shape(seat);
                }
                *number
            }
            None => *large.entry(key).or_insert_with(|| new_shape(seat)),
        }
    });
    let by_seat = by_seat.collect();
    Personal { shapes, by_seat }
}

/// As [`for_each_seat`], for what does not fit into one number.
pub fn for_each_seat_by<const N: usize>(
    seats: u32,
    key: impl Fn(Seat) -> [u64; N],
    message: impl Fn(Seat) -> ToPlayer,
) -> Personal {
    let mut shapes = Vec::new();
    let mut numbers: HashMap<[u64; N], u32, BuildHasherDefault<Mix>> = HashMap::default();
    let by_seat = (0..seats).map(Seat).map(|seat| {
        *numbers.entry(key(seat)).or_insert_with(|| {
            shapes.push(message(seat));
            u32::try_from(shapes.len() - 1).expect("there are no more shapes than seats")
        })
    });
    let by_seat = by_seat.collect();
    Personal { shapes, by_seat }
}

/// A hasher for one packed number. Clients can't choose the keys, so they can't make them collide.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
