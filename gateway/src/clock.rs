//! The gateway's reading of the server's clock: wall time read once, and from then on carried by the monotonic clock, as the
//! engine's is. So when the machine's clock is set during a show, stamps and closing times still agree.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use klaxon_protocol::time::Millis;

/// When this process's clock was started, and the wall time then, in microseconds since 1970.
static STARTED: OnceLock<(Instant, u64)> = OnceLock::new();

/// Starts the clock, unless it runs. It should be started together with the engine's in the same process; the first reading
/// starts it otherwise.
pub fn start() {
    let _ = micros();
}

/// Now.
#[must_use]
pub fn now() -> Millis {
    Millis(micros() / 1000)
}

/// Now, in microseconds since 1970. A clock set before 1970 reads as 1970.
#[must_use]
pub(crate) fn micros() -> u64 {
    let (started, wall) = STARTED.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (Instant::now(), u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    });
    wall.saturating_add(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX))
}
