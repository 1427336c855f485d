//! How far the server's clock is from the swarm's, by the run's own pings: no machine is taken to have the same clock as another.

use std::collections::BTreeMap;

use klaxon_protocol::time::Millis;

use crate::evidence::{Door, Micros};

/// Two clocks are taken to drift apart by up to one part in so many: 100 ppm, what two quartzes may that nobody corrects.
const DRIFT: u64 = 10_000;
/// Of the pongs of so many microseconds the one with the shortest way is kept.
const KEPT_EVERY: u64 = 1_000_000;

/// A ping and its pong: somewhere in between the server's clock showed `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trip {
    pub left: Micros,
    pub back: Micros,
    pub now: Millis,
}

impl Trip {
    /// The server's clock less the swarm's. A millisecond is any time within it.
    fn offset(self) -> Offset {
        let now = self.now.0.saturating_mul(1000);
        Offset { least: difference(now, self.back.0), most: difference(now.saturating_add(999), self.left.0) }
    }
}

/// The server's clock less the swarm's is between these, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    pub least: i64,
    pub most: i64,
}

impl Offset {
    const fn width(self) -> u64 {
        self.most.abs_diff(self.least)
    }

    fn after(self, age: u64) -> Self {
        let drift = (age / DRIFT).cast_signed();
        Self { least: self.least.saturating_sub(drift), most: self.most.saturating_add(drift) }
    }
}

/// What the run's pings say of each door's clock.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    /// By door and stretch of time: when it was measured, and what came of it.
    measured: BTreeMap<Door, BTreeMap<u64, (Micros, Offset)>>,
    trips: u64,
    /// What is taken for granted of a clock that was never measured, in microseconds.
    slack: u64,
}

impl Clocks {
    /// Nothing measured yet: clocks are taken to be at most this far apart.
    pub const fn new(slack: u64) -> Self {
        Self { measured: BTreeMap::new(), trips: 0, slack }
    }

    pub fn measure(&mut self, door: Door, trip: Trip) {
        self.trips += 1;
        let new = (trip.back, trip.offset());
        let kept = self.measured.entry(door).or_default().entry(trip.back.0 / KEPT_EVERY).or_insert(new);
        if new.1.width() < kept.1.width() {
            *kept = new;
        }
    }

    /// How many pings measured it.
    pub const fn trips(&self) -> u64 {
        self.trips
    }

    /// How far the door's clock was off at this time of the swarm's.
    pub fn offset(&self, door: Door, at: Micros) -> Offset {
        let measured = self.measured.get(&door).into_iter().flat_map(BTreeMap::values);
        let then = measured.map(|&(when, offset)| offset.after(when.0.abs_diff(at.0)));
        let slack = self.slack.cast_signed();
        then.min_by_key(|offset| offset.width()).unwrap_or(Offset { least: -slack, most: slack })
    }
}

fn difference(a: u64, b: u64) -> i64 {
    a.cast_signed().saturating_sub(b.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server's clock is 5 s ahead.
    fn trip(left: u64, there: u64, back: u64) -> Trip {
        Trip { left: Micros(left), back: Micros(back), now: Millis((there + 5_000_000) / 1000) }
    }

    #[test]
    fn the_shortest_way_says_most_and_none_says_too_much() {
        let mut clocks = Clocks::new(2000);
        for (left, there, back) in [(1_000_000, 1_200_000, 1_200_100), (1_500_300, 1_500_400, 1_500_500)] {
            clocks.measure(Door(0), trip(left, there, back));
        }
        let offset = clocks.offset(Door(0), Micros(1_500_500));
        assert!(offset.least <= 5_000_000 && 5_000_000 <= offset.most, "{offset:?}");
        assert!(offset.width() <= 1_200, "{offset:?}");
        let later = clocks.offset(Door(0), Micros(11_500_500));
        assert_eq!(later.width(), offset.width() + 2 * 1000, "10 s at 100 ppm to each side");
        assert_eq!(clocks.trips(), 2);
    }

    #[test]
    fn another_door_has_another_clock_and_one_without_pongs_what_is_taken_for_granted() {
        let mut clocks = Clocks::new(2000);
        clocks.measure(Door(0), trip(1_000_000, 1_000_100, 1_000_200));
        assert_eq!(clocks.offset(Door(1), Micros(1_000_000)), Offset { least: -2000, most: 2000 });
    }
}
