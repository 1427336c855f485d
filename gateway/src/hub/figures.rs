//! Figures of each show at this gateway, for hosts: connections, latencies of replies, slow connections that were
//! closed, emojis.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use hdrhistogram::Histogram;
use klaxon_protocol::host::{Figures, Latency};
use klaxon_protocol::ids::{GatewayId, RoundId, ShowId};
use klaxon_protocol::link::GatewayCounts;
use klaxon_protocol::player::Emoji;
use parking_lot::Mutex;

/// Larger latencies, in microseconds, are recorded as this: one minute.
const SLOWEST: u64 = 60_000_000;

/// The figures of one show, over all shards.
#[derive(Default)]
pub(crate) struct ShowFigures {
    connected: AtomicU32,
    shed: AtomicU64,
    reactions: [AtomicU32; Emoji::ALL.len()],
    latency: Mutex<Option<(RoundId, Histogram<u32>)>>,
}

impl ShowFigures {
    /// Counts a connection that joined the show.
    pub fn connected(&self) {
        self.connected.fetch_add(1, Relaxed);
    }

    /// Counts a connection that left the show.
    pub fn disconnected(&self) {
        self.connected.fetch_sub(1, Relaxed);
    }

    /// Counts a connection that was closed because it was too slow.
    pub fn shed(&self) {
        self.shed.fetch_add(1, Relaxed);
    }

    /// Counts an emoji.
    pub fn reacted(&self, emoji: Emoji) {
        self.reactions[emoji as usize].fetch_add(1, Relaxed);
    }

    /// The emojis since the last call; none if there were none.
    pub fn take_reactions(&self) -> Option<[u32; Emoji::ALL.len()]> {
        let counts = self.reactions.each_ref().map(|count| count.swap(0, Relaxed));
        counts.iter().any(|&count| count > 0).then_some(counts)
    }

    /// Records the latencies, in microseconds, of replies to this round's answers. A newer round replaces the earlier
    /// one.
    pub fn replied(&self, round: RoundId, micros: &[u64]) {
        let mut latency = self.latency.lock();
        if latency.as_ref().is_none_or(|(of, _)| *of < round) {
            *latency = Histogram::new_with_max(SLOWEST, 2).ok().map(|histogram| (round, histogram));
        }
        if let Some((of, histogram)) = latency.as_mut()
            && *of == round
        {
            for &each in micros {
                histogram.saturating_record(each);
            }
        }
    }

    fn latency(&self) -> Latency {
        let latency = self.latency.lock();
        latency.as_ref().map_or_else(Latency::default, |(_, histogram)| Latency {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            max: histogram.max(),
        })
    }

    /// This gateway's counts, for the engine to sum up. The bus fills in the other fields.
    fn counts(&self, gateway: GatewayId, show: ShowId) -> GatewayCounts {
        GatewayCounts {
            gateway,
            show,
            connected: self.connected.load(Relaxed),
            shed: self.shed.load(Relaxed),
            latency: self.latency(),
            clock_uncertainty: 0,
            dropped: 0,
        }
    }

    /// Sets the fields that this gateway counts.
    pub fn fill(&self, figures: &mut Figures) {
        figures.connected = self.connected.load(Relaxed);
        figures.shed = self.shed.load(Relaxed);
        figures.latency = self.latency();
    }
}

/// The figures of all shows that have connections here.
#[derive(Default)]
pub(crate) struct AllFigures(Mutex<HashMap<ShowId, Arc<ShowFigures>>>);

impl AllFigures {
    /// The show's figures, created if there are none.
    pub fn of(&self, show: ShowId) -> Arc<ShowFigures> {
        Arc::clone(self.0.lock().entry(show).or_default())
    }

    /// The show's figures; none if it had no connections recently.
    pub fn look(&self, show: ShowId) -> Option<Arc<ShowFigures>> {
        self.0.lock().get(&show).cloned()
    }

    /// This gateway's counts of a show.
    pub fn counts_of(&self, gateway: GatewayId, show: ShowId) -> Option<GatewayCounts> {
        self.look(show).map(|figures| figures.counts(gateway, show))
    }

    /// This gateway's counts of all shows.
    pub fn counts(&self, gateway: GatewayId) -> Vec<GatewayCounts> {
        self.0.lock().iter().map(|(&show, figures)| figures.counts(gateway, show)).collect()
    }

    /// The shows that have a room in a shard.
    pub fn shows(&self) -> BTreeSet<ShowId> {
        let all = self.0.lock();
        all.iter().filter(|(_, figures)| Arc::strong_count(figures) > 1).map(|(&show, _)| show).collect()
    }

    /// The emojis of all shows since the last call. Removes shows that no longer have a room in any shard.
    pub fn take_reactions(&self) -> Vec<(ShowId, [u32; Emoji::ALL.len()])> {
        let mut all = self.0.lock();
        let reactions = all.iter().filter_map(|(&show, figures)| Some((show, figures.take_reactions()?))).collect();
        all.retain(|_, figures| Arc::strong_count(figures) > 1);
        reactions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_those_of_the_last_round() {
        let figures = ShowFigures::default();
        figures.replied(RoundId(1), &[9_000, 9_000]);
        figures.replied(RoundId(2), &[100, 300, u64::MAX]);
        figures.replied(RoundId(1), &[7]);
        let latency = figures.latency();
        assert_eq!(latency.count, 3);
        assert!((300..310).contains(&latency.p50), "{latency:?}");
        assert!(latency.max >= SLOWEST);
    }

    #[test]
    fn emojis_are_summed_and_handed_on_once() {
        let all = AllFigures::default();
        let room = all.of(ShowId(1));
        room.reacted(Emoji::Clap);
        room.reacted(Emoji::Clap);
        room.reacted(Emoji::Fire);
        assert_eq!(all.take_reactions(), [(ShowId(1), [2, 0, 0, 0, 0, 1])]);
        assert_eq!(all.take_reactions(), []);
    }

    #[test]
    fn a_show_without_a_room_is_forgotten() {
        let all = AllFigures::default();
        let room = all.of(ShowId(1));
        all.take_reactions();
        assert!(all.look(ShowId(1)).is_some());
        drop(room);
        all.take_reactions();
        assert!(all.look(ShowId(1)).is_none());
    }
}
