//! The server's clock: wall time that never runs backwards, and that can be led to agree with those of other machines.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use klaxon_protocol::time::Millis;

/// A clock that is led elsewhere runs faster or slower by one part in so many.
const SLEW: u64 = 50;
/// So many of the last changes of where a clock is led are known, for what it showed a moment ago.
const LEGS: usize = 4;

/// Wall time read once, and from then on carried by the monotonic clock: whoever sets the machine's clock during a show moves
/// nobody's question. One process has one, shared by all that stamp and judge.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    /// Microseconds since 1970 at `started`.
    wall: u64,
    shift: Option<&'static Shift>,
}

impl Clock {
    /// The process's clock, started by whoever asks first: the one by which answers are stamped and questions are closed.
    #[must_use]
    pub fn of_process() -> Self {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        static SHIFT: Shift = Shift::none();
        *CLOCK.get_or_init(|| Self { shift: Some(&SHIFT), ..Self::start() })
    }

    /// A clock that agrees with the machine's wall clock now, and that nobody leads.
    #[must_use]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        Self { started: Instant::now(), wall, shift: None }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Millis {
        Millis(self.micros() / 1000)
    }

    /// The time now in microseconds since 1970, for those who measure.
    #[must_use]
    pub fn micros(&self) -> u64 {
        self.micros_at(self.passed())
    }

    /// What this clock showed when so many microseconds of monotonic time had passed since it was started. A clock that is led meanwhile
    /// shows another difference between two moments than there was.
    #[must_use]
    pub fn micros_at(&self, passed: u64) -> u64 {
        let shift = self.shift.map_or(0, |shift| shift.at(passed));
        self.wall.saturating_add(passed).saturating_add_signed(shift)
    }

    /// When this clock will show, or showed, `at`. While it is led elsewhere it may show a little less then: whoever waits for a
    /// time looks again.
    #[must_use]
    pub fn instant(&self, at: Millis) -> Instant {
        let shift = self.shift.map_or(0, |shift| shift.at(self.passed()));
        let micros = at.0.saturating_mul(1000).saturating_sub(self.wall.saturating_add_signed(shift));
        self.started + Duration::from_micros(micros.min(1 << 50))
    }

    /// Leads the clock: it is to show `by` microseconds more than it would by itself, and gets there by running faster or slower by
    /// one part in 50. False if this clock can't be led.
    pub fn lead(&self, by: i64) -> bool {
        self.shift.is_some_and(|shift| {
            shift.lead(|| self.passed(), by);
            true
        })
    }

    /// The same at once, perhaps backwards: before anybody has asked for the time.
    pub fn set(&self, by: i64) -> bool {
        self.shift.is_some_and(|shift| {
            shift.set(by);
            true
        })
    }

    /// What this clock shows more than it would by itself, in microseconds.
    #[must_use]
    pub fn led_by(&self) -> i64 {
        self.shift.map_or(0, |shift| shift.at(self.passed()))
    }

    /// How many microseconds of monotonic time passed since it was started.
    #[must_use]
    pub fn passed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A clock that can be led, and that agrees with a machine whose wall clock is wrong by `micros`.
    #[cfg(test)]
    pub(crate) fn skewed(micros: i64) -> Self {
        let clock = Self::start();
        let wall = clock.wall.saturating_add_signed(micros);
        Self { wall, shift: Some(Box::leak(Box::new(Shift::none()))), ..clock }
    }
}

/// Where a clock is led. Read without a lock by all who stamp.
#[derive(Debug)]
struct Shift {
    leader: Mutex<()>,
    /// Odd while the legs are being changed.
    version: AtomicU64,
    /// The newest first.
    legs: [Leg; LEGS],
}

/// A clock is led from `from`, which it had after `since` microseconds, to `to`.
#[derive(Debug)]
struct Leg {
    since: AtomicU64,
    from: AtomicI64,
    to: AtomicI64,
}

impl Leg {
    const fn none() -> Self {
        Self { since: AtomicU64::new(0), from: AtomicI64::new(0), to: AtomicI64::new(0) }
    }

    fn at(&self, passed: u64) -> i64 {
        let (from, to) = (self.from.load(Ordering::Relaxed), self.to.load(Ordering::Relaxed));
        let since = self.since.load(Ordering::Relaxed);
        let most = i64::try_from(passed.saturating_sub(since) / SLEW).unwrap_or(i64::MAX);
        from.saturating_add(to.saturating_sub(from).clamp(-most, most))
    }

    fn put(&self, since: u64, from: i64, to: i64) {
        self.since.store(since, Ordering::Relaxed);
        self.from.store(from, Ordering::Relaxed);
        self.to.store(to, Ordering::Relaxed);
    }
}

impl Shift {
    const fn none() -> Self {
        Self { leader: Mutex::new(()), version: AtomicU64::new(0), legs: [const { Leg::none() }; LEGS] }
    }

    /// What the clock shows more, or showed, after so many microseconds.
    fn at(&self, passed: u64) -> i64 {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let then = self.legs.iter().find(|leg| leg.since.load(Ordering::Relaxed) <= passed);
            let shift = then.unwrap_or(&self.legs[LEGS - 1]).at(passed);
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                return shift;
            }
            // For as long as the legs take to be stored.
            std::thread::yield_now();
        }
    }

    fn lead(&self, passed: impl Fn() -> u64, to: i64) {
        let _leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        let before = passed();
        let at_before = self.at(before);
        self.change(|| {
            // Whoever reads the time now waits, so that nobody has seen a later one by the old way.
            let now = passed();
            let most = i64::try_from(now.saturating_sub(before) / SLEW).unwrap_or(i64::MAX);
            let old = self.legs[0].to.load(Ordering::Relaxed);
            let from = at_before.saturating_add(old.saturating_sub(at_before).clamp(-most, most));
            for older in (1..LEGS).rev() {
                let Leg { since, from, to } = &self.legs[older - 1];
                let [from, to] = [from, to].map(|value| value.load(Ordering::Relaxed));
                self.legs[older].put(since.load(Ordering::Relaxed), from, to);
            }
            self.legs[0].put(now, from, to);
        });
    }

    fn set(&self, to: i64) {
        let _leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        self.change(|| self.legs.iter().for_each(|leg| leg.put(0, to, to)));
    }

    fn change(&self, store: impl FnOnce()) {
        self.version.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::Release);
        store();
        self.version.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_for_the_process_clock_gets_the_same() {
        let (one, two) = (Clock::of_process(), Clock::of_process());
        assert_eq!((one.started, one.wall), (two.started, two.wall));
    }

    #[test]
    fn a_time_is_shown_when_its_instant_has_come_and_not_before() {
        let clock = Clock { started: Instant::now(), wall: 1_700_000_000_000_400, shift: None };
        let next = Millis(1_700_000_000_001);
        assert_eq!(clock.instant(next), clock.started + Duration::from_micros(600));
        assert_eq!(clock.instant(Millis(1_700_000_000_000)), clock.started);
    }

    #[test]
    fn a_clock_is_led_by_one_part_in_fifty_and_stops_where_it_was_led() {
        let shift = Shift::none();
        shift.lead(|| 1_000, 100);
        assert_eq!(
            [1_000, 1_049, 1_050, 3_000, 5_999, 6_000, 90_000].map(|at| shift.at(at)),
            [0, 0, 1, 40, 99, 100, 100]
        );
        shift.lead(|| 3_000, -1_000);
        assert_eq!([3_000, 3_500, 60_000].map(|at| shift.at(at)), [40, 30, -1_000], "also when it was on its way");
        shift.set(7);
        assert_eq!([0, 90_000].map(|at| shift.at(at)), [7, 7]);
    }

    #[test]
    fn what_a_clock_showed_a_moment_ago_is_known_though_it_was_led_elsewhere_since() {
        let shift = Shift::none();
        let mut shown = Vec::new();
        for (now, to) in [(1_000, 100), (20_000, -900), (30_000, 500), (31_000, 0)] {
            shift.lead(|| now, to);
            shown.extend([now, now + 300, now + 900].map(|at| (at, shift.at(at))));
        }
        for (at, then) in shown {
            assert_eq!(shift.at(at), then, "at {at}");
        }
    }

    #[test]
    fn a_clock_that_is_led_never_runs_backwards() {
        let clock = Clock::skewed(0);
        std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                for turn in 0..2_000 {
                    clock.lead(if turn % 2 == 0 { -900_000 } else { 900_000 });
                }
            });
            let mut last = 0;
            while !leader.is_finished() {
                let now = clock.micros();
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
        });
    }

    #[test]
    fn a_clock_that_nobody_may_lead_stays_as_it_is() {
        let clock = Clock::start();
        assert!(!clock.lead(1_000_000) && !clock.set(1_000_000));
        assert_eq!(clock.led_by(), 0);
    }
}
