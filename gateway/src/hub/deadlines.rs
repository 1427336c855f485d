//! The deadlines of a connection, and what happens when one passes.

use klaxon_protocol::time::{Millis, Span};

use super::conn::{Conn, Delivery, RESYNC_TIMEOUT, SNAPSHOT_TIMEOUT};
use super::liveness::Liveness;
use crate::session::Close;
use crate::settings::GatewaySettings;

/// How long a connection that is being closed may take to read what is in its outbox.
pub(super) const CLOSE_TIMEOUT: Span = Span(2_000);

/// How long a connection is read after its `goodbye`, for answers that were on their way.
pub(super) const GOODBYE_TIMEOUT: Span = Span(500);

/// Pings are spread over a quarter of the heartbeat, in this number of steps.
const PING_SPREAD_STEPS: u32 = 64;

/// The time limits that the operator sets.
pub(super) struct Deadlines {
    join: Span,
    heartbeat: Span,
}

/// What a deadline was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    /// To read what was left in its outbox when it was closed.
    Closing,
    /// The connection is closed in this way.
    Close(Close),
    /// The engine should have sent a snapshot, and is asked again.
    Snapshot,
    /// The client was silent, and is sent a ping.
    Silence,
}

impl Deadlines {
    /// As the settings have it.
    pub fn new(settings: &GatewaySettings) -> Self {
        Self { join: settings.limits.join_timeout, heartbeat: settings.limits.heartbeat }
    }

    /// The deadline that has passed; if several have, the first of the list.
    pub fn expired(&self, conn: &Conn, now: Millis) -> Option<Expired> {
        self.all(conn).find(|(until, _)| *until <= now).map(|(_, expired)| expired)
    }

    /// The next deadline, if nothing happens before.
    pub fn next(&self, conn: &Conn) -> Millis {
        self.all(conn).map(|(until, _)| until).min().unwrap_or(Millis(u64::MAX))
    }

    /// All deadlines of a connection. The only list of them: a shard looks at a connection when the earliest has passed.
    fn all(&self, conn: &Conn) -> impl Iterator<Item = (Millis, Expired)> {
        let leaving = conn.session.leaving_since().map(|since| (since + CLOSE_TIMEOUT, Expired::Closing));
        let join = conn.session.deadline(self.join).map(|(until, close)| (until, Expired::Close(close)));
        // A connection whose answers have no reply yet stays for it.
        let goodbye_sent = conn.goodbye_sent.filter(|_| conn.unreplied.outstanding() == 0);
        let goodbye = goodbye_sent.map(|sent| (sent + GOODBYE_TIMEOUT, Expired::Close(Close::Restart)));
        // Waiting for an engine is no fault of the client.
        let catching_up = match conn.delivery {
            Delivery::InSync => None,
            Delivery::Behind { since } => Some((since + RESYNC_TIMEOUT, Expired::Close(Close::TooSlow))),
            Delivery::AwaitingSnapshot { since } => Some((since + SNAPSHOT_TIMEOUT, Expired::Snapshot)),
        };
        let waits = if leaving.is_some() {
            [leaving, None, None, None]
        } else {
            [join, goodbye, catching_up, Some(self.silence(conn))]
        };
        waits.into_iter().flatten()
    }

    /// Until when a client may be silent, and what happens then: it is sent a ping, and closed if no pong comes. Together that is twice
    /// the heartbeat after its last message, and more only if the shard itself was late with the ping.
    fn silence(&self, conn: &Conn) -> (Millis, Expired) {
        let silence = self.heartbeat + self.heartbeat;
        let until_ping = self.until_ping(conn.key.slot);
        let closed = Expired::Close(Close::Silent);
        match conn.liveness {
            Liveness::Active { at } | Liveness::Answered { at } => (at + until_ping, Expired::Silence),
            Liveness::Pinged { at } => (at + Span(silence.0.saturating_sub(until_ping.0)), closed),
            Liveness::ActiveSincePing { at } => (at + silence, closed),
        }
    }

    /// How long a client may be silent until it is sent a ping: longer than the heartbeat, so that a client with heartbeats of its own
    /// gets none, and different for neighbouring slots, so that clients that fell silent together are not pinged together.
    const fn until_ping(&self, slot: u32) -> Span {
        let heartbeat = self.heartbeat.0 as u64;
        let spread = heartbeat * (slot % PING_SPREAD_STEPS) as u64 / (4 * PING_SPREAD_STEPS as u64);
        Span((heartbeat + heartbeat / 8 + spread) as u32)
    }
}
