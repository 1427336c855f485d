//! What a gateway remembers of the directory, so that ten thousand joins ask for a code once.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use klaxon_protocol::ids::{ShowCode, ShowId};

/// For so long a code names the show that it was found to name.
const KNOWN: Duration = Duration::from_secs(5);
/// For so long a code that names no show is taken to name none.
const UNKNOWN: Duration = Duration::from_millis(500);

/// What codes were found to name.
#[derive(Debug, Default)]
pub(super) struct Codes(HashMap<ShowCode, (Option<ShowId>, Instant)>);

impl Codes {
    /// Which show has this code, or that none has. None if it must be asked for.
    pub fn get(&self, code: &ShowCode) -> Option<Option<ShowId>> {
        let known = self.0.get(code).filter(|(show, found)| found.elapsed() < lasts(*show)).map(|(show, _)| *show);
        let name = if known.is_some() { "klaxon_cache_hits_total" } else { "klaxon_cache_misses_total" };
        metrics::counter!(name, "what" => "code").increment(1);
        known
    }

    /// Which show had this code when it was last asked for.
    pub fn before(&self, code: &ShowCode) -> Option<ShowId> {
        self.0.get(code).and_then(|(show, _)| *show)
    }

    pub fn found(&mut self, code: ShowCode, show: Option<ShowId>) {
        self.0.insert(code, (show, Instant::now()));
    }

    pub fn forget_one(&mut self, code: &ShowCode) {
        self.0.remove(code);
    }

    /// Forgets codes that nobody asked for lately. Those of shows that are heard here are kept.
    pub fn forget(&mut self, is_heard: impl Fn(ShowId) -> bool) {
        self.0.retain(|_, (show, found)| found.elapsed() < lasts(*show) || show.is_some_and(&is_heard));
    }
}

const fn lasts(show: Option<ShowId>) -> Duration {
    if show.is_some() { KNOWN } else { UNKNOWN }
}

/// Those who wait for the same answer.
#[derive(Debug)]
pub(super) struct Waiting<K, T>(HashMap<K, Vec<T>>);

impl<K, T> Default for Waiting<K, T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq, T> Waiting<K, T> {
    /// True if nobody waited before: the question is to be asked.
    pub fn push(&mut self, key: K, one: T) -> bool {
        let waiting = self.0.entry(key).or_default();
        waiting.push(one);
        waiting.len() == 1
    }

    pub fn take(&mut self, key: &K) -> Vec<T> {
        self.0.remove(key).unwrap_or_default()
    }
}
