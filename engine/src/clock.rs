//! The server's clock: wall time that never runs backwards.

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
    /// A clock that agrees with the machine's wall clock now.
    #[must_use]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), wall: u64::try_from(wall.as_micros()).unwrap_or(u64::MAX) }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Millis {
        let passed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Millis(self.wall.saturating_add(passed) / 1000)
    }

    /// When this clock will show, or showed, `at`.
    #[must_use]
    pub fn instant(&self, at: Millis) -> Instant {
        let micros = (at.0.saturating_mul(1000)).saturating_sub(self.wall);
        self.started + std::time::Duration::from_micros(micros.min(1 << 50))
    }
}
