//! What the end of the bus knows of how a show's publisher and subscriber are doing.

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
    /// The newest of this engine's leases of the show that was found to be superseded.
    fenced: Option<Fence>,
}

impl ShowStatus {
    /// A call to Redis failed now.
    pub fn set_failed(&self) {
        self.0.lock().last_failure = Some(Instant::now());
    }

    pub fn last_failure(&self) -> Option<Instant> {
        self.0.lock().last_failure
    }

    /// The show has a newer lease than this one.
    pub fn set_fenced(&self, fence: Fence) {
        self.0.lock().fenced = Some(fence);
    }

    pub fn is_fenced(&self, fence: Fence) -> bool {
        self.0.lock().fenced == Some(fence)
    }
}
