//! A gateway's cache of the directory, so that ten thousand joins look up a code once.

use std::collections::HashMap;
use std::time::Duration;

use klaxon_protocol::ids::{ShowCode, ShowId};
use tokio::time::Instant;

/// How long a lookup that found a show is cached.
const KNOWN: Duration = Duration::from_secs(5);
/// How long a lookup that found no show is cached.
const UNKNOWN: Duration = Duration::from_millis(500);
/// Codes in the cache. At this limit expired entries are removed; if that frees nothing, new codes are not cached.
const MAX_CODES: usize = 10_000;

/// The cached results of lookups, by code.
#[derive(Debug, Default)]
pub(super) struct CodeCache(HashMap<ShowCode, (Option<ShowId>, Instant)>);

impl CodeCache {
    /// The cached result: the show with this code, or that there is none. None if the code must be looked up.
    pub fn get(&self, code: &ShowCode) -> Option<Option<ShowId>> {
        let known = self.0.get(code).filter(|entry| is_valid(entry)).map(|(show, _)| *show);
        let name = if known.is_some() { "klaxon_cache_hits_total" } else { "klaxon_cache_misses_total" };
        metrics::counter!(name, "what" => "code").increment(1);
        known
    }

    /// The show that the last lookup of this code found, however old it is.
    pub fn last_known(&self, code: &ShowCode) -> Option<ShowId> {
        self.0.get(code).and_then(|(show, _)| *show)
    }

    /// Caches which show has this code. When the cache is full, expired entries are removed, except those of active
    /// shows.
    pub fn insert(&mut self, code: ShowCode, show: Option<ShowId>, is_active: impl Fn(ShowId) -> bool) {
        if self.0.len() >= MAX_CODES {
            self.0.retain(|_, entry| is_valid(entry) || entry.0.is_some_and(&is_active));
        }
        if self.0.len() < MAX_CODES {
            self.0.insert(code, (show, Instant::now()));
        }
    }

    pub fn remove(&mut self, code: &ShowCode) {
        self.0.remove(code);
    }
}

fn is_valid((show, found): &(Option<ShowId>, Instant)) -> bool {
    found.elapsed() < if show.is_some() { KNOWN } else { UNKNOWN }
}
