//! When what a show says or hears last got stuck.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// When what a show says or hears last got stuck on its way through Redis. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<Instant>>>);

impl Trouble {
    /// It is stuck now.
    pub fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// When it was last stuck.
    pub fn last(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
