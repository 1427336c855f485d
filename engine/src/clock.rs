//! The server's clock: monotonic wall time, which can be slewed towards the clocks of other machines.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use klaxon_protocol::time::Millis;
use parking_lot::Mutex;
use tokio::time::Instant;

/// A clock being slewed runs faster or slower by one part in this many.
const SLEW: u64 = 50;
/// How many of the last changes of the offset are kept, to compute what the clock showed at recent moments.
const LEGS: usize = 4;

/// Wall time that is read once and then advanced by the monotonic clock: setting the machine's clock during a show
/// changes no deadline. Each process has one such clock for all stamps and deadlines.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    /// Microseconds since 1970 at `started`.
    wall: u64,
    offset: Option<&'static ClockOffset>,
}

impl Clock {
    /// The process's clock, started by the first call. It stamps answers and closes questions.
    #[must_use]
    pub fn of_process() -> Self {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        static OFFSET: ClockOffset = ClockOffset::none();
        *CLOCK.get_or_init(|| Self { offset: Some(&OFFSET), ..Self::start() })
    }

    /// A clock that agrees with the machine's wall clock now, and that can't be slewed.
    #[must_use]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        Self { started: Instant::now(), wall, offset: None }
    }

    /// A clock that shows this time now, and that can't be slewed: for shows that are played on a runtime whose time is paused.
    #[must_use]
    pub fn showing(at: Millis) -> Self {
        Self { started: Instant::now(), wall: at.0.saturating_mul(1000), offset: None }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Millis {
        Millis(self.micros() / 1000)
    }

    /// The time now in microseconds since 1970.
    #[must_use]
    pub fn micros(&self) -> u64 {
        self.micros_at(self.passed())
    }

    /// What this clock showed `passed` microseconds of monotonic time after its start. While the clock is being slewed,
    /// the difference of two readings is not the time that passed between them.
    #[must_use]
    pub fn micros_at(&self, passed: u64) -> u64 {
        let offset = self.offset.map_or(0, |offset| offset.at(passed));
        self.wall.saturating_add(passed).saturating_add_signed(offset)
    }

    /// When this clock will show `at`. If it is being slewed it may show a little less then, so a timer has to check
    /// again.
    #[must_use]
    pub fn instant(&self, at: Millis) -> Instant {
        let offset = self.offset.map_or(0, |offset| offset.at(self.passed()));
        let micros = at.0.saturating_mul(1000).saturating_sub(self.wall.saturating_add_signed(offset));
        self.started + Duration::from_micros(micros.min(1 << 50))
    }

    /// Changes the clock's offset to `offset` microseconds gradually, by running faster or slower by one part in 50.
    /// Returns false if this clock can't be slewed.
    pub fn slew(&self, offset: i64) -> bool {
        self.offset.is_some_and(|own| {
            own.slew(|| self.passed(), offset);
            true
        })
    }

    /// Sets the offset at once, which may set the clock back: only to be called before the time is first used.
    pub fn set(&self, offset: i64) -> bool {
        self.offset.is_some_and(|own| {
            own.set(offset);
            true
        })
    }

    /// The clock's offset, in microseconds, to what it would show if it had never been slewed or set.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset.map_or(0, |offset| offset.at(self.passed()))
    }

    /// How many microseconds of monotonic time passed since it was started.
    #[must_use]
    pub fn passed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A clock that can be slewed, and that agrees with a machine whose wall clock is wrong by `micros`.
    #[cfg(test)]
    pub(crate) fn skewed(micros: i64) -> Self {
        let clock = Self::start();
        let wall = clock.wall.saturating_add_signed(micros);
        Self { wall, offset: Some(Box::leak(Box::new(ClockOffset::none()))), ..clock }
    }
}

/// A clock's offset in microseconds. Read without a lock, for each stamp.
#[derive(Debug)]
struct ClockOffset {
    /// Locked while the legs are changed.
    writer: Mutex<()>,
    /// Odd while the legs are being changed.
    version: AtomicU64,
    /// The last changes of the offset, newest first.
    legs: [Leg; LEGS],
}

/// One change of the offset: from `from`, `since` microseconds after the clock's start, towards `to`.
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

impl ClockOffset {
    const fn none() -> Self {
        Self { writer: Mutex::new(()), version: AtomicU64::new(0), legs: [const { Leg::none() }; LEGS] }
    }

    /// The offset, `passed` microseconds after the clock's start.
    fn at(&self, passed: u64) -> i64 {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let then = self.legs.iter().find(|leg| leg.since.load(Ordering::Relaxed) <= passed);
            let offset = then.unwrap_or(&self.legs[LEGS - 1]).at(passed);
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                return offset;
            }
            // A writer is storing the legs, which takes very short.
            std::thread::yield_now();
        }
    }

    fn slew(&self, passed: impl Fn() -> u64, to: i64) {
        let _writer = self.writer.lock();
        let before = passed();
        let at_before = self.at(before);
        self.change(|| {
            // Readers are blocked from here on, so none has read a later time with the old offset.
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
        let _writer = self.writer.lock();
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
        let clock = Clock { started: Instant::now(), wall: 1_700_000_000_000_400, offset: None };
        let next = Millis(1_700_000_000_001);
        assert_eq!(clock.instant(next), clock.started + Duration::from_micros(600));
        assert_eq!(clock.instant(Millis(1_700_000_000_000)), clock.started);
    }

    #[test]
    fn a_clock_is_slewed_by_one_part_in_fifty_and_stops_at_its_offset() {
        let offset = ClockOffset::none();
        offset.slew(|| 1_000, 100);
        assert_eq!(
            [1_000, 1_049, 1_050, 3_000, 5_999, 6_000, 90_000].map(|at| offset.at(at)),
            [0, 0, 1, 40, 99, 100, 100]
        );
        offset.slew(|| 3_000, -1_000);
        assert_eq!([3_000, 3_500, 60_000].map(|at| offset.at(at)), [40, 30, -1_000], "also when it was on its way");
        offset.set(7);
        assert_eq!([0, 90_000].map(|at| offset.at(at)), [7, 7]);
    }

    #[test]
    fn what_a_clock_showed_a_moment_ago_is_known_though_it_was_slewed_since() {
        let offset = ClockOffset::none();
        let mut shown = Vec::new();
        for (now, to) in [(1_000, 100), (20_000, -900), (30_000, 500), (31_000, 0)] {
            offset.slew(|| now, to);
            shown.extend([now, now + 300, now + 900].map(|at| (at, offset.at(at))));
        }
        for (at, then) in shown {
            assert_eq!(offset.at(at), then, "at {at}");
        }
    }

    #[test]
    fn a_clock_that_is_slewed_never_runs_backwards() {
        let clock = Clock::skewed(0);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for turn in 0..2_000 {
                    clock.slew(if turn % 2 == 0 { -900_000 } else { 900_000 });
                }
            });
            let mut last = 0;
            while !writer.is_finished() {
                let now = clock.micros();
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
        });
    }

    #[test]
    fn a_clock_that_cannot_be_slewed_stays_as_it_is() {
        let clock = Clock::start();
        assert!(!clock.slew(1_000_000) && !clock.set(1_000_000));
        assert_eq!(clock.offset(), 0);
    }
}
