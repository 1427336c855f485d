//! The server's clock: wall time that never runs backwards, and that can be slewed to agree with the clocks of other machines.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use klaxon_protocol::time::Millis;

/// A clock that is slewed runs faster or slower by one part in 50.
const SLEW: u64 = 50;

/// Wall time read once, and carried on by the monotonic clock: setting the machine's clock during a show moves no question. A process has
/// one clock, for all stamps and all deadlines.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    /// Microseconds since 1970 at `started`.
    wall: u64,
    offset: Option<&'static Offset>,
}

impl Clock {
    /// The process's clock, started by the first call: answers are stamped and questions are closed by it.
    #[must_use]
    pub fn of_process() -> Self {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        static OFFSET: Offset = Offset::none();
        *CLOCK.get_or_init(|| Self { offset: Some(&OFFSET), ..Self::start() })
    }

    /// A clock that agrees with the machine's wall clock now, and that can't be slewed.
    #[must_use]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        Self { started: Instant::now(), wall, offset: None }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Millis {
        Millis(self.micros() / 1000)
    }

    /// The time now in microseconds since 1970.
    #[must_use]
    pub fn micros(&self) -> u64 {
        let passed = self.passed();
        let offset = self.offset.map_or(0, |offset| offset.at(passed));
        self.wall.saturating_add(passed).saturating_add_signed(offset)
    }

    /// When this clock shows `at`. While it is being slewed it may show a little less then, so a timer looks at the clock again.
    #[must_use]
    pub fn instant(&self, at: Millis) -> Instant {
        let offset = self.offset.map_or(0, |offset| offset.at(self.passed()));
        let micros = at.0.saturating_mul(1000).saturating_sub(self.wall.saturating_add_signed(offset));
        self.started + Duration::from_micros(micros.min(1 << 50))
    }

    /// Changes the clock's offset gradually, by running faster or slower by one part in 50, until it is `offset` microseconds. False if
    /// this clock can't be slewed.
    pub fn slew(&self, offset: i64) -> bool {
        self.offset.is_some_and(|own| {
            own.slew(|| self.passed(), offset);
            true
        })
    }

    /// The same at once, perhaps backwards: only before the time is first used.
    pub fn set(&self, offset: i64) -> bool {
        self.offset.is_some_and(|own| {
            own.set(offset);
            true
        })
    }

    /// The offset of this clock to one that is not slewed, in microseconds.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset.map_or(0, |offset| offset.at(self.passed()))
    }

    fn passed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A clock that can be slewed, and that agrees with a machine whose wall clock is wrong by `micros`.
    #[cfg(test)]
    pub(crate) fn skewed(micros: i64) -> Self {
        let clock = Self::start();
        let wall = clock.wall.saturating_add_signed(micros);
        Self { wall, offset: Some(Box::leak(Box::new(Offset::none()))), ..clock }
    }
}

/// A clock's offset in microseconds: it is slewed from `from`, which it had `since` microseconds after the clock's start, to `to`. Read
/// without a lock, for each stamp.
#[derive(Debug)]
struct Offset {
    /// Held by who changes it.
    writer: Mutex<()>,
    /// Odd while the other fields are being changed.
    version: AtomicU64,
    since: AtomicU64,
    from: AtomicI64,
    to: AtomicI64,
}

impl Offset {
    const fn none() -> Self {
        let (version, since) = (AtomicU64::new(0), AtomicU64::new(0));
        let (from, to) = (AtomicI64::new(0), AtomicI64::new(0));
        Self { writer: Mutex::new(()), version, since, from, to }
    }

    /// The offset, `passed` microseconds after the clock's start.
    fn at(&self, passed: u64) -> i64 {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let (since, from) = (self.since.load(Ordering::Relaxed), self.from.load(Ordering::Relaxed));
            let to = self.to.load(Ordering::Relaxed);
            fence(Ordering::Acquire);
            if version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version {
                let most = i64::try_from(passed.saturating_sub(since) / SLEW).unwrap_or(i64::MAX);
                return from.saturating_add(to.saturating_sub(from).clamp(-most, most));
            }
            // Only for as long as it takes to store three numbers.
            std::thread::yield_now();
        }
    }

    fn slew(&self, passed: impl Fn() -> u64, to: i64) {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = passed();
        let at_before = self.at(before);
        self.change(|| {
            // Readers wait meanwhile, so nobody has read a later time by the old offset.
            let now = passed();
            let most = i64::try_from(now.saturating_sub(before) / SLEW).unwrap_or(i64::MAX);
            let old = self.to.load(Ordering::Relaxed);
            let from = at_before.saturating_add(old.saturating_sub(at_before).clamp(-most, most));
            self.since.store(now, Ordering::Relaxed);
            self.from.store(from, Ordering::Relaxed);
            self.to.store(to, Ordering::Relaxed);
        });
    }

    fn set(&self, to: i64) {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.change(|| {
            self.from.store(to, Ordering::Relaxed);
            self.to.store(to, Ordering::Relaxed);
        });
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
    fn a_process_has_one_clock() {
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
    fn a_clock_is_slewed_by_one_part_in_fifty_until_it_has_its_offset() {
        let offset = Offset::none();
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
    fn a_clock_that_is_slewed_never_runs_backwards() {
        let clock = Clock::skewed(0);
        std::thread::scope(|scope| {
            let slewing = scope.spawn(|| {
                for turn in 0..2_000 {
                    clock.slew(if turn % 2 == 0 { -900_000 } else { 900_000 });
                }
            });
            let mut last = 0;
            while !slewing.is_finished() {
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
