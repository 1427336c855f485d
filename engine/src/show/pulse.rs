//! What a show says again and again, and nobody misses if it is lost: figures, lobby counts, emojis.

use klaxon_protocol::host::{Figures, Latency};
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::player::{Emoji, Lobby, Phase, ReactionCount, Reactions, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::Show;
use crate::bus::Address;

/// From one beat to the next.
const BEAT: Span = Span(250);

/// What is to be said at the next beat.
pub(super) struct Pulse {
    next: Millis,
    joined: bool,
    reactions: [u32; Emoji::ALL.len()],
}

impl Default for Pulse {
    fn default() -> Self {
        Self { next: Millis(0), joined: false, reactions: [0; Emoji::ALL.len()] }
    }
}

impl Pulse {
    pub fn next_due(&self) -> Millis {
        self.next
    }

    pub fn joined(&mut self) {
        self.joined = true;
    }

    pub fn react(&mut self, counts: [u32; Emoji::ALL.len()]) {
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
        self.pulse.next = self.now + BEAT;
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
        let figures = Figures {
            show: self.id,
            at: self.now,
            phase: self.game.phase(),
            seq: self.game.seq(),
            question: tallies.question,
            total: tallies.total,
            joined: tallies.joined,
            // The gateway knows these three and fills them in.
            connected: 0,
            latency: Latency::default(),
            shed: 0,
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
