//! The last origin of each seat's player, for bans of addresses.
//!
//! Kept in memory only, 8 bytes per seat: a journal that recorded which players share an address would disclose more
//! about people than a ban is worth. So after a takeover an engine knows the origin only of players who reconnect.

use klaxon_protocol::ids::Seat;
use klaxon_protocol::origin::Origin;

/// How many of the other players' seats are listed to the host.
const NAMED: usize = 10;

/// The newest known origin of each seat.
#[derive(Default)]
pub(super) struct Origins(Vec<Option<Origin>>);

/// Other seated players whom a ban of an address would or may affect.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Neighbours {
    /// How many come from the same address.
    pub same: u32,
    /// The seats of the first of them.
    pub first: Vec<Seat>,
    /// How many have an unknown origin.
    pub unknown: u32,
}

impl Origins {
    /// Sets the origin of a player who joined or rejoined.
    pub fn set(&mut self, seat: Seat, origin: Origin) {
        if seat.index() >= self.0.len() {
            self.0.resize(seat.index() + 1, None);
        }
        self.0[seat.index()] = Some(origin);
    }

    /// The last origin of the seat's player, if known.
    pub fn of(&self, seat: Seat) -> Option<Origin> {
        self.0.get(seat.index()).copied().flatten()
    }

    /// The other players with this origin, among the first `seats` seats for which `is_in` holds. Visits each seat: a
    /// million take about a millisecond.
    pub fn neighbours(&self, of: Seat, origin: Origin, seats: u32, is_in: impl Fn(Seat) -> bool) -> Neighbours {
        let mut found = Neighbours::default();
        for seat in (0..seats).map(Seat).filter(|&seat| seat != of && is_in(seat)) {
            match self.of(seat) {
                None => found.unknown += 1,
                Some(other) if other == origin => {
                    found.same += 1;
                    if found.first.len() < NAMED {
                        found.first.push(seat);
                    }
                }
                Some(_) => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_origin_of_a_seat_counts_and_neighbours_are_those_who_are_in() {
        let (home, school) = (Origin::of_hash(1), Origin::of_hash(2));
        let mut origins = Origins::default();
        origins.set(Seat(5), home);
        origins.set(Seat(0), home);
        origins.set(Seat(0), school);
        origins.set(Seat(2), home);
        origins.set(Seat(3), home);
        assert_eq!((origins.of(Seat(0)), origins.of(Seat(1)), origins.of(Seat(9))), (Some(school), None, None));
        let removed = Seat(3);
        let found = origins.neighbours(Seat(5), home, 8, |seat| seat != removed);
        // Seats 1, 4, 6 and 7 were given by the engine before this one.
        assert_eq!(found, Neighbours { same: 1, first: vec![Seat(2)], unknown: 4 });
        assert_eq!(origins.neighbours(Seat(0), school, 1, |_| true), Neighbours::default());
    }

    #[test]
    fn all_of_a_million_neighbours_are_counted_and_a_few_are_named() {
        let mut origins = Origins::default();
        for seat in (0..1_000_000).map(Seat) {
            origins.set(seat, Origin::of_hash(7));
        }
        assert_eq!(origins.0.len() * size_of::<Option<Origin>>(), 8_000_000);
        let found = origins.neighbours(Seat(0), Origin::of_hash(7), 1_000_000, |_| true);
        assert_eq!((found.same, found.first.len(), found.unknown), (999_999, NAMED, 0));
    }
}
