//! A hash chain over changes: the cost of a state hash does not grow with the number of changes.

use klaxon_protocol::binary::{self, Encode};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A hash over changes; 0 if there were none.
#[derive(Default)]
pub struct Chain(u64);

impl Chain {
    /// Adds a change to the hash.
    pub fn note(&mut self, change: &impl Encode) {
        self.0 = xxh3_64_with_seed(&binary::encode(change), self.0);
    }

    /// The hash of all changes, in order.
    pub fn digest(&self) -> u64 {
        self.0
    }
}
