//! What waits for lookups in the directory.

use std::collections::HashMap;
use std::hash::Hash;

use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{ConnRef, ShowId};
use klaxon_protocol::link::JoinRequest;

/// Joins that wait for lookups of codes, and as many messages for lookups of shows. When there is no room they are refused with
/// `unavailable`.
pub(super) const MAX_WAITING: usize = 100_000;

/// A message for a show, if that show is in the directory.
pub(super) enum Directed {
    /// A join with a resume token of the show. If the show is gone, it goes to the one that has the code, which is named here.
    Resume(Option<ShowId>, JoinRequest),
    Host(ConnRef, FromHost),
}

/// What waits for lookups, by what is looked up.
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
    /// True if nothing waited for this key before, so that the lookup is to begin. Gives back what there is no room for.
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
