//! Messages that wait for a lookup in the directory.

use std::collections::HashMap;
use std::hash::Hash;

use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{ConnRef, ShowId};
use klaxon_protocol::link::JoinRequest;

/// Joins that wait for lookups of codes, and as many messages for lookups of shows. When there is no room they are refused with
/// `unavailable`.
pub(super) const MAX_WAITING: usize = 100_000;

/// A message that is passed to a show if the directory has it.
pub(super) enum Directed {
    /// A join with a resume token of the show. If that show is not in the directory, the join goes to this one, which
    /// has the code.
    Resume(Option<ShowId>, JoinRequest),
    Host(ConnRef, FromHost),
}

/// Waiting items by the key that is looked up.
#[derive(Debug)]
pub(super) struct Waiting<K, T> {
    by_key: HashMap<K, Vec<T>>,
    len: usize,
}

impl<K, T> Default for Waiting<K, T> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), len: 0 }
    }
}

impl<K: Hash + Eq, T> Waiting<K, T> {
    /// Returns true if this is the first item for the key: then the caller starts the lookup. Without room the item is
    /// returned as the error.
    pub fn push(&mut self, key: K, one: T) -> Result<bool, T> {
        if self.len >= MAX_WAITING {
            return Err(one);
        }
        self.len += 1;
        let waiting = self.by_key.entry(key).or_default();
        waiting.push(one);
        Ok(waiting.len() == 1)
    }

    pub fn take(&mut self, key: &K) -> Vec<T> {
        let taken = self.by_key.remove(key).unwrap_or_default();
        self.len -= taken.len();
        taken
    }

    pub const fn len(&self) -> usize {
        self.len
    }
}
