//! The gateway's reading of the server's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use klaxon_protocol::time::Millis;

/// Now. A clock set before 1970 reads as 1970.
#[must_use]
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
