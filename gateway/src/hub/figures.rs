//! What a gateway knows about each show, for its hosts: connections, latencies of replies, connections that were shed, emojis.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use hdrhistogram::Histogram;
use klaxon_protocol::host::{Figures, Latency};
use klaxon_protocol::ids::{GatewayId, RoundId, ShowId};
use klaxon_protocol::link::GatewayCounts;
use klaxon_protocol::player::Emoji;
use parking_lot::Mutex;

/// Latencies beyond this, in microseconds, are counted as this: one minute.
const SLOWEST: u64 = 60_000_000;

/// What is counted of one show, by all shards together.
#[derive(Default)]
pub(crate) struct ShowFigures {
    connected: AtomicU32,
    shed: AtomicU64,
    reactions: [AtomicU32; Emoji::ALL.len()],
    latency: Mutex<Option<(RoundId, Histogram<u32>)>>,
}

impl ShowFigures {
    /// A connection is in.
    pub fn connected(&self) {
        self.connected.fetch_add(1, Relaxed);
    }

    /// It is no longer.
    pub fn disconnected(&self) {
        self.connected.fetch_sub(1, Relaxed);
    }

    /// One was closed because it could not keep up.
    pub fn shed(&self) {
        self.shed.fetch_add(1, Relaxed);
    }

    /// Somebody reacted.
    pub fn reacted(&self, emoji: Emoji) {
        self.reactions[emoji as usize].fetch_add(1, Relaxed);
    }

    /// The emojis since the last time, if there were any.
    pub fn take_reactions(&self) -> Option<[u32; Emoji::ALL.len()]> {
        let counts = self.reactions.each_ref().map(|count| count.swap(0, Relaxed));
        counts.iter().any(|&count| count > 0).then_some(counts)
    }

    /// Answers to this round were replied to after these times, in microseconds. Those of the round before are forgotten.
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

    /// What is counted here, for the engine to sum up. What the bus knows is the bus' to fill in.
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

    /// Fills in what this gateway knows.
    pub fn fill(&self, figures: &mut Figures) {
        figures.connected = self.connected.load(Relaxed);
        figures.shed = self.shed.load(Relaxed);
        figures.latency = self.latency();
    }
}

/// The figures of all shows that somebody is connected to.
#[derive(Default)]
pub(crate) struct AllFigures(Mutex<HashMap<ShowId, Arc<ShowFigures>>>);

impl AllFigures {
    /// The show's, to count in.
    pub fn of(&self, show: ShowId) -> Arc<ShowFigures> {
        Arc::clone(self.0.lock().entry(show).or_default())
    }

    /// The show's, if somebody is or was there lately.
    pub fn look(&self, show: ShowId) -> Option<Arc<ShowFigures>> {
        self.0.lock().get(&show).cloned()
    }

    /// What this gateway counts of a show that somebody is connected to.
    pub fn counts_of(&self, gateway: GatewayId, show: ShowId) -> Option<GatewayCounts> {
        self.look(show).map(|figures| figures.counts(gateway, show))
    }

    /// What this gateway counts of all of them.
    pub fn counts(&self, gateway: GatewayId) -> Vec<GatewayCounts> {
        self.0.lock().iter().map(|(&show, figures)| figures.counts(gateway, show)).collect()
    }

    /// The shows in which a shard has a room.
    pub fn shows(&self) -> BTreeSet<ShowId> {
        let all = self.0.lock();
        all.iter().filter(|(_, figures)| Arc::strong_count(figures) > 1).map(|(&show, _)| show).collect()
    }

    /// The emojis of all shows since the last time; forgets shows in which no shard has a room any more.
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
