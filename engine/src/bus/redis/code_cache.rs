//! What a gateway remembers of the directory, so that ten thousand joins look up a code once.

use std::collections::HashMap;
use std::time::Duration;

use klaxon_protocol::ids::{ShowCode, ShowId};
use tokio::time::Instant;

/// A code is taken to name the same show for this long.
const KNOWN: Duration = Duration::from_secs(5);
/// A code that names no show is taken to name none for this long.
const UNKNOWN: Duration = Duration::from_millis(500);
/// Codes that are remembered; at this limit those that are out of date are forgotten, and further ones are not remembered.
const MAX_CODES: usize = 10_000;

/// Which shows codes were found to name.
#[derive(Debug, Default)]
pub(super) struct CodeCache(HashMap<ShowCode, (Option<ShowId>, Instant)>);

impl CodeCache {
    /// Which show has this code, or that none has. None if it must be looked up.
    pub fn get(&self, code: &ShowCode) -> Option<Option<ShowId>> {
        let known = self.0.get(code).filter(|entry| is_valid(entry)).map(|(show, _)| *show);
        let name = if known.is_some() { "klaxon_cache_hits_total" } else { "klaxon_cache_misses_total" };
        metrics::counter!(name, "what" => "code").increment(1);
        known
    }

    /// Which show had this code when it was last looked up.
    pub fn expired(&self, code: &ShowCode) -> Option<ShowId> {
        self.0.get(code).and_then(|(show, _)| *show)
    }

    /// Remembers which show has this code. When the cache is full, entries that are out of date are forgotten, but for those of shows
    /// that are active.
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
