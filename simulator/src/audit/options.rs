//! Assumptions and limits of the audit.

use std::time::Duration;

use crate::evidence::Disturbance;

/// Assumptions and limits of the audit.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// The assumed difference of the server's and the players' clocks: on one machine only the rounding to
    /// milliseconds.
    pub clock_slack: Duration,
    /// A server's clock drifts from the players' by at most one part in this number.
    pub clock_drift: u64,
    /// Without an acknowledgement by the server's kernel, an honest answer is assumed to have arrived within this time,
    /// even on a busy machine.
    pub margin: Duration,
    /// Whether players connect to the server directly: only then are the acknowledgements those of its kernel.
    pub direct: bool,
    /// The limit of the time until an honest answer has its reply, and until an event is received.
    pub reply_limit: Duration,
    /// The allowed growth of the server's resident memory from its first sample, independent of the audience, in bytes.
    pub rss_base: u64,
    /// The additional growth that is allowed per player that joined, in bytes.
    pub rss_per_player: u64,
    /// The faults that were injected into the service's processes.
    pub faults: Vec<Disturbance>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            clock_slack: Duration::from_millis(2),
            // 100 ppm: the possible difference of two uncorrected quartz clocks.
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
