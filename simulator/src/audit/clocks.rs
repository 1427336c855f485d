//! The offset between the server's clock and the swarm's, measured by the run's own pings. Two machines are not assumed
//! to have the same clock, nor are a process and the one that replaced it.

use std::collections::BTreeMap;
use std::time::Duration;

use klaxon_protocol::time::Millis;

use super::options::AuditOptions;
use crate::evidence::{Disturbance, GatewayNumber, Micros};

/// Of the pongs within this many microseconds the one with the shortest round trip is kept.
const KEPT_EVERY: u64 = 100_000;

/// A ping and its pong: at some time between the two, the server's clock showed `now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trip {
    pub left: Micros,
    pub back: Micros,
    pub now: Millis,
}

impl Trip {
    /// The offset of the server's clock to the swarm's. The server's time is rounded down to a millisecond, so it is
    /// uncertain by one.
    fn offset(self) -> Offset {
        let now = self.now.0.saturating_mul(1000);
        Offset { least: difference(now, self.back.0), most: difference(now.saturating_add(999), self.left.0) }
    }
}

/// The limits of the server's clock minus the swarm's, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    pub least: i64,
    pub most: i64,
}

impl Offset {
    const fn width(self) -> u64 {
        self.most.abs_diff(self.least)
    }

    fn after(self, age: u64, drift: u64) -> Self {
        let drift = (age / drift).cast_signed();
        Self { least: self.least.saturating_sub(drift), most: self.most.saturating_add(drift) }
    }
}

/// Each gateway's clock, measured by the run's pings.
#[derive(Debug)]
pub(super) struct Clocks<'a> {
    /// By the gateway's process, and by the time in units of [`KEPT_EVERY`].
    measured: BTreeMap<(GatewayNumber, usize), BTreeMap<u64, Trip>>,
    faults: &'a [Disturbance],
    /// A clock drifts from the swarm's by at most one part in this number.
    drift: u64,
    trips: u64,
    /// The assumed limit of the offset of a clock that was never measured, in microseconds.
    slack: u64,
}

impl<'a> Clocks<'a> {
    /// Without any measurement.
    pub fn new(options: &'a AuditOptions) -> Self {
        let AuditOptions { faults, clock_drift, clock_slack, .. } = options;
        Self { measured: BTreeMap::new(), faults, drift: *clock_drift, trips: 0, slack: as_micros(*clock_slack) }
    }

    /// The gateway's process at this time: the number of kills before.
    fn process(&self, gateway: GatewayNumber, at: Micros) -> (GatewayNumber, usize) {
        (gateway, self.faults.iter().filter(|fault| fault.cuts(gateway) && fault.from <= at).count())
    }

    pub fn measure(&mut self, gateway: GatewayNumber, trip: Trip) {
        self.trips += 1;
        let process = self.process(gateway, trip.back);
        let kept = self.measured.entry(process).or_default().entry(trip.back.0 / KEPT_EVERY).or_insert(trip);
        if trip.offset().width() < kept.offset().width() {
            *kept = trip;
        }
    }

    /// The number of pings that measured a clock.
    pub const fn trips(&self) -> u64 {
        self.trips
    }

    /// The offset of the gateway's clock at this time of the swarm's. Uses the measurements before and after it, as far
    /// as they narrow the limits.
    pub fn offset(&self, gateway: GatewayNumber, at: Micros) -> Offset {
        let slack = self.slack.cast_signed();
        let unmeasured = Offset { least: -slack, most: slack };
        let Some(measured) = self.measured.get(&self.process(gateway, at)) else { return unmeasured };
        let stretch = at.0 / KEPT_EVERY;
        let mut best: Option<Offset> = None;
        let mut helps = |trip: &Trip| {
            let age = trip.left.0.abs_diff(at.0).max(trip.back.0.abs_diff(at.0));
            let offset = trip.offset().after(age, self.drift);
            let closer = best.filter(|best| best.width() <= offset.width());
            best = Some(closer.unwrap_or(offset));
            best.is_some_and(|best| 2 * (age / self.drift) < best.width())
        };
        let _ = measured.range(..=stretch).rev().all(|(_, trip)| helps(trip));
        let _ = measured.range(stretch + 1..).all(|(_, trip)| helps(trip));
        best.unwrap_or(unmeasured)
    }
}

/// A duration in whole microseconds.
pub(super) fn as_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn difference(a: u64, b: u64) -> i64 {
    a.cast_signed().saturating_sub(b.cast_signed())
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::games::trivia::QuestionId;

    use super::*;
    use crate::evidence::{Harm, Victim};

    /// A trip with a server's clock that is 5 s ahead.
    fn trip(left: u64, there: u64, back: u64) -> Trip {
        Trip { left: Micros(left), back: Micros(back), now: Millis((there + 5_000_000) / 1000) }
    }

    #[test]
    fn the_shortest_way_says_most_and_none_says_too_much() {
        let options = AuditOptions::default();
        let mut clocks = Clocks::new(&options);
        for (left, there, back) in [(1_000_000, 1_200_000, 1_200_100), (1_500_300, 1_500_400, 1_500_500)] {
            clocks.measure(GatewayNumber(0), trip(left, there, back));
        }
        let offset = clocks.offset(GatewayNumber(0), Micros(1_500_500));
        assert!(offset.least <= 5_000_000 && 5_000_000 <= offset.most, "{offset:?}");
        assert!(offset.width() <= 1_200, "{offset:?}");
        let later = clocks.offset(GatewayNumber(0), Micros(11_500_500));
        assert_eq!(later.width(), offset.width() + 2 * 1000, "10 s at 100 ppm to each side");
        assert_eq!(clocks.trips(), 2);
    }

    #[test]
    fn another_door_has_another_clock_and_one_without_pongs_what_is_taken_for_granted() {
        let options = AuditOptions::default();
        let mut clocks = Clocks::new(&options);
        clocks.measure(GatewayNumber(0), trip(1_000_000, 1_000_100, 1_000_200));
        assert_eq!(clocks.offset(GatewayNumber(1), Micros(1_000_000)), Offset { least: -2000, most: 2000 });
    }

    #[test]
    fn a_process_that_was_started_again_has_another_clock_and_one_that_stood_still_the_same() {
        for harm in [Harm::Killed, Harm::Upgraded, Harm::Paused] {
            let fault = Disturbance {
                question: QuestionId(1),
                victim: Victim::Gateway(0),
                process: "gateway-1".to_owned(),
                harm,
                from: Micros(2_000_000),
                until: Micros(3_000_000),
            };
            let options = AuditOptions { faults: vec![fault], ..AuditOptions::default() };
            let mut clocks = Clocks::new(&options);
            // Exactly 5 s ahead, then 3 ms less, with a longer round trip.
            clocks.measure(GatewayNumber(0), trip(1_900_000, 1_900_000, 1_900_000));
            clocks.measure(GatewayNumber(0), trip(3_100_000, 3_100_500 - 3_000, 3_101_000));
            let offset = clocks.offset(GatewayNumber(0), Micros(3_101_000));
            let is_another = offset.least <= 4_997_000 && 4_997_000 <= offset.most;
            assert_eq!(is_another, harm != Harm::Paused, "{offset:?}");
            let before = clocks.offset(GatewayNumber(0), Micros(1_900_000));
            assert!(before.least <= 5_000_000 && 5_000_000 <= before.most, "{before:?}");
        }
    }

    #[test]
    fn a_clock_that_is_led_is_known_where_it_was_measured_and_less_well_in_between() {
        let options = AuditOptions { clock_drift: 50, ..AuditOptions::default() };
        let mut clocks = Clocks::new(&options);
        // 5 s ahead, and slewed by 2 ms within 100 ms.
        clocks.measure(GatewayNumber(0), trip(1_000_000, 1_000_000, 1_000_000));
        clocks.measure(GatewayNumber(0), trip(1_100_000, 1_102_000, 1_100_000));
        for (at, is) in [(1_000_000, 5_000_000), (1_050_000, 5_001_000), (1_100_000, 5_002_000)] {
            let offset = clocks.offset(GatewayNumber(0), Micros(at));
            assert!(offset.least <= is && is <= offset.most, "{offset:?}");
            assert!(offset.width() <= 3_000, "{offset:?}");
        }
    }
}
