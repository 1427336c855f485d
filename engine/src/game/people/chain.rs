//! A hash over changes, in their order: a record's state hash costs the same however many changes there were.

use klaxon_protocol::binary::{self, Encode};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A hash over changes; 0 if there were none.
#[derive(Default)]
pub struct Chain(u64);

impl Chain {
    /// Something changed.
    pub fn note(&mut self, change: &impl Encode) {
        self.0 = xxh3_64_with_seed(&binary::encode(change), self.0);
    }

    /// A number that differs when the changes or their order differ.
    pub fn digest(&self) -> u64 {
        self.0
    }
}
