//! How long a connection is waited for, and for what.

use klaxon_protocol::time::{Millis, Span};

use super::conn::{CATCH_UP, Conn, KeepsUp, SNAPSHOT_LATE};
use super::farewell::LAST_ANSWERS;
use super::liveness::Liveness;
use crate::session::Close;
use crate::settings::GatewaySettings;

/// How long a closed connection may take to read our last words.
pub(super) const LINGER: Span = Span(2_000);

/// Over so many steps pings are spread: a quarter of the heartbeat in all.
const SPREAD: u32 = 64;

/// How long connections are waited for, as far as the operator chose it.
pub(super) struct Patience {
    join: Span,
    heartbeat: Span,
}

/// What a connection was waited for long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// It should have read our last words.
    LastWords,
    /// It can't stay, and is to be closed like this.
    Stay(Close),
    /// The engine should have sent its snapshot.
    Snapshot,
    /// It should have said something, and is asked whether it is there.
    Word,
}

impl Patience {
    /// The operator's choice.
    pub fn new(settings: &GatewaySettings) -> Self {
        Self { join: settings.join_timeout, heartbeat: settings.heartbeat }
    }

    /// What is overdue now; if it is several things, the first that matters.
    pub fn overdue(&self, conn: &Conn, now: Millis) -> Option<Overdue> {
        self.waits(conn).find(|(until, _)| *until <= now).map(|(_, overdue)| overdue)
    }

    /// When the next thing is overdue, if nothing happens before.
    pub fn until(&self, conn: &Conn) -> Millis {
        self.waits(conn).map(|(until, _)| until).min().unwrap_or(Millis(u64::MAX))
    }

    /// All that a connection is waited for, and until when. The only list of such things: a shard looks at a connection when the
    /// earliest of them is up.
    fn waits(&self, conn: &Conn) -> impl Iterator<Item = (Millis, Overdue)> {
        let leaving = conn.session.leaving_since().map(|since| (since + LINGER, Overdue::LastWords));
        let join = conn.session.deadline(self.join).map(|(until, close)| (until, Overdue::Stay(close)));
        // One with an answer unreplied may stay for the reply.
        let told = conn.told_to_go.filter(|_| conn.unreplied.outstanding() == 0);
        let goodbye = told.map(|told| (told + LAST_ANSWERS, Overdue::Stay(Close::Restart)));
        // Waiting for an engine is no fault of the client.
        let catching_up = match conn.pace {
            KeepsUp::Yes => None,
            KeepsUp::Behind { since } => Some((since + CATCH_UP, Overdue::Stay(Close::TooSlow))),
            KeepsUp::Resyncing { since } => Some((since + SNAPSHOT_LATE, Overdue::Snapshot)),
        };
        let waits = if leaving.is_some() {
            [leaving, None, None, None]
        } else {
            [join, goodbye, catching_up, Some(self.sign_of_life(conn))]
        };
        waits.into_iter().flatten()
    }

    /// Until when a client may be silent, and what happens then: it is pinged, and closed if that is not answered. Altogether that
    /// is twice the heartbeat after its last word, and more only if the shard itself was late with the ping.
    fn sign_of_life(&self, conn: &Conn) -> (Millis, Overdue) {
        let silence = self.heartbeat + self.heartbeat;
        let alone = self.unasked(conn.key.slot);
        let closed = Overdue::Stay(Close::Silent);
        match conn.liveness {
            Liveness::Spoke { at } | Liveness::Answered { at } => (at + alone, Overdue::Word),
            Liveness::Pinged { at } => (at + Span(silence.0.saturating_sub(alone.0)), closed),
            Liveness::SpokeSincePing { at } => (at + silence, closed),
        }
    }

    /// How long a client may be silent until it is pinged: long enough that one with heartbeats of its own never is, and for
    /// neighbours not the same, so that those who fell silent together are not pinged together.
    const fn unasked(&self, slot: u32) -> Span {
        let heartbeat = self.heartbeat.0 as u64;
        let spread = heartbeat * (slot % SPREAD) as u64 / (4 * SPREAD as u64);
        Span((heartbeat + heartbeat / 8 + spread) as u32)
    }
}
