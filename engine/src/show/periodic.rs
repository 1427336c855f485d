//! Messages that a show publishes at intervals, and that may be lost: figures, lobby counts, emojis.

use std::collections::BTreeMap;

use klaxon_protocol::host::{AlertKind, Figures, Latency, UncertainClock};
use klaxon_protocol::ids::GatewayId;
use klaxon_protocol::link::{GatewayCounts, ToGateway};
use klaxon_protocol::player::{Emoji, Lobby, Phase, ReactionCount, Reactions, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::Show;

/// Interval between publications.
const INTERVAL: Span = Span(250);
/// The interval before the first round while no player joins.
const IDLE_INTERVAL: Span = Span(1000);
/// The host is alerted if a gateway's clock uncertainty is above this, in microseconds.
const MAX_UNCERTAINTY: u32 = 50_000;

/// What is collected for the next publication.
pub(super) struct Periodic {
    due: Millis,
    joined: bool,
    reactions: [u32; Emoji::ALL.len()],
    /// The newest counts of each gateway.
    counts: BTreeMap<GatewayId, GatewayCounts>,
    /// The gateways of the last alert to uncertain clocks.
    uncertain: Vec<GatewayId>,
}

/// The counts of all gateways together.
#[derive(Debug, PartialEq, Eq)]
struct Sums {
    connected: u32,
    shed: u64,
    /// The maximum of each value over the gateways: a host is interested in the slowest players.
    latency: Latency,
}

impl Default for Periodic {
    fn default() -> Self {
        let (reactions, counts, uncertain) = ([0; Emoji::ALL.len()], BTreeMap::new(), Vec::new());
        Self { due: Millis(0), joined: false, reactions, counts, uncertain }
    }
}

impl Periodic {
    pub const fn due(&self) -> Millis {
        self.due
    }

    /// Notes that a player joined. Returns whether it is the first since the last publication.
    pub fn joined(&mut self, now: Millis) -> bool {
        self.due = self.due.min(now + INTERVAL);
        !std::mem::replace(&mut self.joined, true)
    }

    pub fn set_counts(&mut self, counts: GatewayCounts) {
        self.counts.insert(counts.gateway, counts);
    }

    pub fn gateway_gone(&mut self, gateway: GatewayId) {
        self.counts.remove(&gateway);
    }

    /// Whether a gateway dropped answers to the last round.
    pub fn dropped_answers(&self) -> bool {
        self.counts.values().any(|counts| counts.dropped > 0)
    }

    pub fn react(&mut self, counts: [u32; Emoji::ALL.len()], now: Millis) {
        self.due = self.due.min(now + INTERVAL);
        for (sum, count) in self.reactions.iter_mut().zip(counts) {
            *sum = sum.saturating_add(count);
        }
    }

    /// Starts the next interval. Returns whether a player joined in the last one.
    fn begin_interval(&mut self, now: Millis, waits_for_players: bool) -> bool {
        let joined = std::mem::take(&mut self.joined);
        let is_idle = waits_for_players && !joined;
        self.due = now + if is_idle { IDLE_INTERVAL } else { INTERVAL };
        joined
    }

    /// The emojis since the last time, if there were any.
    fn take_reactions(&mut self) -> Option<Reactions> {
        let reactions = std::mem::replace(&mut self.reactions, [0; Emoji::ALL.len()]);
        let counts = Emoji::ALL.into_iter().zip(reactions).filter(|&(_, count)| count > 0);
        let counts: Vec<ReactionCount> = counts.map(|(emoji, count)| ReactionCount { emoji, count }).collect();
        (!counts.is_empty()).then_some(Reactions { counts })
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums { connected: 0, shed: 0, latency: Latency::default() };
        for counts in self.counts.values() {
            sums.connected = sums.connected.saturating_add(counts.connected);
            sums.shed = sums.shed.saturating_add(counts.shed);
            let latency = &mut sums.latency;
            latency.count = latency.count.saturating_add(counts.latency.count);
            latency.p50 = latency.p50.max(counts.latency.p50);
            latency.p99 = latency.p99.max(counts.latency.p99);
            latency.max = latency.max.max(counts.latency.max);
        }
        sums
    }

    /// The gateways with uncertain clocks, if they differ from those of the last alert.
    fn newly_uncertain(&mut self) -> Option<Vec<UncertainClock>> {
        let uncertain = self.counts.values().filter(|counts| counts.clock_uncertainty > MAX_UNCERTAINTY);
        let clock =
            |counts: &GatewayCounts| UncertainClock { gateway: counts.gateway, uncertainty: counts.clock_uncertainty };
        let clocks: Vec<UncertainClock> = uncertain.map(clock).collect();
        let gateways: Vec<GatewayId> = clocks.iter().map(|clock| clock.gateway).collect();
        let changed = std::mem::replace(&mut self.uncertain, gateways) != self.uncertain;
        (changed && !clocks.is_empty()).then_some(clocks)
    }
}

impl Show {
    pub(super) fn publish_periodic_if_due(&mut self) {
        if self.now >= self.periodic.due() && !self.ending.has_ended() {
            self.publish_periodic();
        }
    }

    pub(super) fn publish_periodic(&mut self) {
        let phase = self.game.phase();
        let joined = self.periodic.begin_interval(self.now, matches!(phase, Phase::Created | Phase::Lobby));
        let game = self.game.figures(self.now);
        // A snapshot contains the number of players and the time, so it is outdated now.
        self.view = None;
        if joined && phase == Phase::Lobby {
            self.broadcast(ToPlayer::Lobby(Lobby { joined: game.joined }), None);
        }
        if let Some(reactions) = self.periodic.take_reactions() {
            self.broadcast(ToPlayer::Reactions(reactions), None);
        }
        if let Some(gateways) = self.periodic.newly_uncertain() {
            self.alert(AlertKind::UncertainClocks { gateways });
        }
        // A single gateway in the engine's process fills in its own counts.
        let Sums { connected, shed, latency } = self.periodic.sums();
        let figures = Figures {
            show: self.id,
            at: self.now,
            phase,
            seq: self.game.seq(),
            question: game.question,
            total: game.total,
            joined: game.joined,
            connected,
            latency,
            shed,
            alive: game.alive,
            answers: game.answers,
            time_left: game.time_left,
            paused: game.paused,
            autopilot: game.autopilot,
            next_step: game.next_step,
        };
        self.outbox.send_to_all(ToGateway::Figures(Box::new(figures)));
    }
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::ShowId;

    use super::*;

    fn counts(gateway: u32, connected: u32, slowest: u32, clock_uncertainty: u32) -> GatewayCounts {
        let latency = Latency { count: 10, max: slowest.into(), ..Latency::default() };
        let gateway = GatewayId(gateway);
        GatewayCounts { gateway, show: ShowId(1), connected, shed: 1, latency, clock_uncertainty, dropped: 0 }
    }

    #[test]
    fn it_is_due_sooner_when_somebody_joins_and_counts_them_once() {
        let mut periodic = Periodic::default();
        assert!(!periodic.begin_interval(Millis(0), true));
        assert_eq!(periodic.due(), Millis(0) + IDLE_INTERVAL);
        assert!(periodic.joined(Millis(100)) && !periodic.joined(Millis(200)));
        assert_eq!(periodic.due(), Millis(100) + INTERVAL);
        assert!(periodic.begin_interval(Millis(350), true));
        assert_eq!(periodic.due(), Millis(350) + INTERVAL, "more may come at once");
        assert!(!periodic.begin_interval(Millis(600), true));
        assert_eq!(periodic.due(), Millis(600) + IDLE_INTERVAL);
    }

    #[test]
    fn a_gateway_counts_with_its_newest_counts_until_it_is_gone() {
        let mut periodic = Periodic::default();
        periodic.set_counts(counts(1, 100, 7, 0));
        periodic.set_counts(counts(1, 50, 5, 0));
        periodic.set_counts(counts(2, 30, 9, 0));
        let sums = periodic.sums();
        assert_eq!((sums.connected, sums.shed, sums.latency.count, sums.latency.max), (80, 2, 20, 9));
        assert!(!periodic.dropped_answers());
        periodic.set_counts(GatewayCounts { dropped: 1, ..counts(2, 30, 9, 0) });
        assert!(periodic.dropped_answers());
        periodic.gateway_gone(GatewayId(2));
        assert!(!periodic.dropped_answers());
        assert_eq!(periodic.sums().connected, 50);
    }

    #[test]
    fn a_host_is_alerted_to_uncertain_clocks_when_they_are_others_than_before() {
        let mut periodic = Periodic::default();
        let mut told = |gateway, uncertainty| {
            periodic.set_counts(counts(gateway, 1, 1, uncertainty));
            periodic.newly_uncertain().map(|clocks| clocks.iter().map(|clock| clock.gateway.0).collect::<Vec<_>>())
        };
        assert_eq!(told(1, MAX_UNCERTAINTY), None);
        assert_eq!(told(1, MAX_UNCERTAINTY + 1), Some(vec![1]));
        assert_eq!(told(1, MAX_UNCERTAINTY + 2), None, "it is the same clock");
        assert_eq!(told(2, MAX_UNCERTAINTY + 1), Some(vec![1, 2]));
        assert_eq!(told(1, 0), Some(vec![2]));
        assert_eq!(told(2, 0), None, "none is left");
    }

    #[test]
    fn a_flood_of_emojis_is_one_message_and_its_counts_do_not_overflow() {
        let mut periodic = Periodic::default();
        assert_eq!(periodic.take_reactions(), None);
        let mut many = [0; Emoji::ALL.len()];
        many[0] = u32::MAX;
        periodic.react(many, Millis(0));
        periodic.react(many, Millis(0));
        let reactions = periodic.take_reactions().expect("there were some");
        assert_eq!(reactions.counts, [ReactionCount { emoji: Emoji::ALL[0], count: u32::MAX }]);
        assert_eq!(periodic.take_reactions(), None);
    }
}
