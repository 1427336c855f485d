//! The server's clock: wall time that never runs backwards.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use klaxon_protocol::time::Millis;

/// Wall time read once, and from then on carried by the monotonic clock: whoever sets the machine's clock during a show moves
/// nobody's question. One process has one, shared by all that stamp and judge.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    /// Microseconds since 1970 at `started`.
    wall: u64,
}

impl Clock {
    /// The process's clock, started by whoever asks first: the one by which answers are stamped and questions are closed.
    #[must_use]
    pub fn of_process() -> Self {
        static CLOCK: OnceLock<Clock> = OnceLock::new();
        *CLOCK.get_or_init(Self::start)
    }

    /// A clock that agrees with the machine's wall clock now.
    #[must_use]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), wall: u64::try_from(wall.as_micros()).unwrap_or(u64::MAX) }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Millis {
        Millis(self.micros() / 1000)
    }

    /// The time now in microseconds since 1970, for those who measure.
    #[must_use]
    pub fn micros(&self) -> u64 {
        let passed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.wall.saturating_add(passed)
    }

    /// When this clock will show, or showed, `at`.
    #[must_use]
    pub fn instant(&self, at: Millis) -> Instant {
        let micros = (at.0.saturating_mul(1000)).saturating_sub(self.wall);
        self.started + std::time::Duration::from_micros(micros.min(1 << 50))
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
        let clock = Clock { started: Instant::now(), wall: 1_700_000_000_000_400 };
        let next = Millis(1_700_000_000_001);
        assert_eq!(clock.instant(next), clock.started + std::time::Duration::from_micros(600));
        assert_eq!(clock.instant(Millis(1_700_000_000_000)), clock.started);
    }
}
