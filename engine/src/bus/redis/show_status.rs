//! The status of a show's publisher and subscriber, shared with the engine's end of the bus.

use std::sync::Arc;

use klaxon_protocol::ids::Fence;
use parking_lot::Mutex;
use tokio::time::Instant;

/// The status of a show's publisher and subscriber. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct ShowStatus(Arc<Mutex<Health>>);

#[derive(Debug, Default)]
struct Health {
    last_failure: Option<Instant>,
    /// The newest lease of this engine that was found to be superseded.
    fenced: Option<Fence>,
}

impl ShowStatus {
    /// Stores the time of a failed call to Redis.
    pub fn set_failed(&self) {
        self.0.lock().last_failure = Some(Instant::now());
    }

    pub fn last_failure(&self) -> Option<Instant> {
        self.0.lock().last_failure
    }

    /// Notes that the show has a newer lease than this one.
    pub fn set_fenced(&self, fence: Fence) {
        self.0.lock().fenced = Some(fence);
    }

    pub fn is_fenced(&self, fence: Fence) -> bool {
        self.0.lock().fenced == Some(fence)
    }
}
