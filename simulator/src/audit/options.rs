//! What the audit takes for granted.

use std::time::Duration;

use crate::evidence::Disturbance;

/// What the audit takes for granted and what it asks for.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// How far the server's clock and the players' may seem apart: rounding to milliseconds, and no more on one machine.
    pub clock_slack: Duration,
    /// A server's clock runs faster or slower than the players' by one part in this number at most.
    pub clock_drift: u64,
    /// Where the server's kernel acknowledged nothing: an honest answer was there after this long, however busy the machine was.
    pub margin: Duration,
    /// Whether the connections' other end is the server itself: then it is its kernel that acknowledges what they send.
    pub direct: bool,
    /// The longest that an honest answer may wait for its reply, and anybody for an event.
    pub reply_limit: Duration,
    /// How much the server's resident memory may grow from its first sample, whatever the audience, in bytes.
    pub rss_base: u64,
    /// How much more it may grow for each player that joined, in bytes.
    pub rss_per_player: u64,
    /// What was done on purpose to the processes of the service.
    pub faults: Vec<Disturbance>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            clock_slack: Duration::from_millis(2),
            // 100 ppm, as two uncorrected quartzes may differ.
            clock_drift: 10_000,
            margin: Duration::from_secs(1),
            direct: false,
            reply_limit: Duration::from_secs(5),
            rss_base: 64 << 20,
            rss_per_player: 64 << 10,
            faults: Vec::new(),
        }
    }
}
