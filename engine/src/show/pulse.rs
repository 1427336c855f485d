//! What a show says again and again, and nobody misses if it is lost: figures, lobby counts, emojis.

use std::collections::BTreeMap;

use klaxon_protocol::host::{AlertKind, Figures, Latency, UncertainClock};
use klaxon_protocol::ids::GatewayId;
use klaxon_protocol::link::{GatewayCounts, ToGateway};
use klaxon_protocol::player::{Emoji, Lobby, Phase, ReactionCount, Reactions, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::Show;
use crate::bus::Address;

/// From one beat to the next.
const BEAT: Span = Span(250);
/// The same while the show waits for its first question and nothing happens.
const RESTING_BEAT: Span = Span(1000);
/// A clock that may be wrong by more, in microseconds, is told to the host.
const UNCERTAIN: u32 = 50_000;

/// What is to be said at the next beat.
pub(super) struct Pulse {
    next: Millis,
    joined: bool,
    reactions: [u32; Emoji::ALL.len()],
    /// What each of several gateways counts.
    counts: BTreeMap<GatewayId, GatewayCounts>,
    /// The clocks that the host was told of.
    uncertain: Vec<GatewayId>,
}

impl Default for Pulse {
    fn default() -> Self {
        let (reactions, counts, uncertain) = ([0; Emoji::ALL.len()], BTreeMap::new(), Vec::new());
        Self { next: Millis(0), joined: false, reactions, counts, uncertain }
    }
}

impl Pulse {
    pub fn next_due(&self) -> Millis {
        self.next
    }

    /// Somebody joined. Whether it is the first since the last beat.
    pub fn joined(&mut self, now: Millis) -> bool {
        self.next = self.next.min(now + BEAT);
        !std::mem::replace(&mut self.joined, true)
    }

    pub fn count(&mut self, counts: GatewayCounts) {
        self.counts.insert(counts.gateway, counts);
    }

    pub fn forget(&mut self, gateway: GatewayId) {
        self.counts.remove(&gateway);
    }

    /// Whether a gateway had to drop answers.
    pub fn dropped_answers(&self) -> bool {
        self.counts.values().any(|counts| counts.dropped > 0)
    }

    /// What all gateways count together. Of their latencies the worst is told: a host wants to know the slowest players' wait.
    fn sums(&self) -> (u32, u64, Latency) {
        let (mut connected, mut shed, mut latency) = (0u32, 0u64, Latency::default());
        for counts in self.counts.values() {
            connected = connected.saturating_add(counts.connected);
            shed = shed.saturating_add(counts.shed);
            latency.count = latency.count.saturating_add(counts.latency.count);
            latency.p50 = latency.p50.max(counts.latency.p50);
            latency.p99 = latency.p99.max(counts.latency.p99);
            latency.max = latency.max.max(counts.latency.max);
        }
        (connected, shed, latency)
    }

    /// The gateways whose clocks may be wrong, if they are others than those that were told last.
    fn newly_uncertain(&mut self) -> Option<Vec<UncertainClock>> {
        let uncertain = self.counts.values().filter(|counts| counts.clock_uncertainty > UNCERTAIN);
        let clock = |counts: &GatewayCounts| (counts.gateway, counts.clock_uncertainty);
        let clocks: Vec<UncertainClock> =
            uncertain.map(clock).map(|(gateway, uncertainty)| UncertainClock { gateway, uncertainty }).collect();
        let gateways: Vec<GatewayId> = clocks.iter().map(|clock| clock.gateway).collect();
        let changed = std::mem::replace(&mut self.uncertain, gateways) != self.uncertain;
        (changed && !clocks.is_empty()).then_some(clocks)
    }

    pub fn react(&mut self, counts: [u32; Emoji::ALL.len()], now: Millis) {
        self.next = self.next.min(now + BEAT);
        for (sum, count) in self.reactions.iter_mut().zip(counts) {
            *sum = sum.saturating_add(count);
        }
    }
}

impl Show {
    pub(super) fn beat(&mut self) {
        if self.now >= self.pulse.next && self.ended_at.is_none() {
            self.beat_now();
        }
    }

    pub(super) fn beat_now(&mut self) {
        let rests = matches!(self.game.phase(), Phase::Created | Phase::Lobby) && !self.pulse.joined;
        self.pulse.next = self.now + if rests { RESTING_BEAT } else { BEAT };
        let tallies = self.game.tallies(self.now);
        // It counts the players, and it carries the time.
        self.snapshot = None;
        if std::mem::take(&mut self.pulse.joined) && self.game.phase() == Phase::Lobby {
            self.broadcast(ToPlayer::Lobby(Lobby { joined: tallies.joined }), None);
        }
        let reactions = std::mem::take(&mut self.pulse.reactions);
        if reactions.iter().any(|&count| count > 0) {
            let counts = Emoji::ALL.into_iter().zip(reactions).filter(|&(_, count)| count > 0);
            let counts = counts.map(|(emoji, count)| ReactionCount { emoji, count }).collect();
            self.broadcast(ToPlayer::Reactions(Reactions { counts }), None);
        }
        if let Some(gateways) = self.pulse.newly_uncertain() {
            self.alert(AlertKind::UncertainClocks { gateways });
        }
        // One gateway in the engine's own process fills these in itself.
        let (connected, shed, latency) = self.pulse.sums();
        let figures = Figures {
            show: self.id,
            at: self.now,
            phase: self.game.phase(),
            seq: self.game.seq(),
            question: tallies.question,
            total: tallies.total,
            joined: tallies.joined,
            connected,
            latency,
            shed,
            alive: tallies.alive,
            answers: tallies.answers,
            time_left: tallies.time_left,
            paused: tallies.paused,
            autopilot: tallies.autopilot,
            next_step: tallies.next_step,
        };
        self.outbox.push((Address::All, ToGateway::Figures(Box::new(figures))));
    }
}
