//! The deadlines of a connection, and the action when one passes.

use klaxon_protocol::time::{Millis, Span};

use super::conn::{Conn, Delivery, RESYNC_TIMEOUT, SNAPSHOT_TIMEOUT};
use super::liveness::Liveness;
use crate::session::Close;
use crate::settings::GatewaySettings;

/// How long a client may take to read its outbox after the connection was closed.
pub(super) const CLOSE_TIMEOUT: Span = Span(2_000);

/// How long a connection is still read after its `goodbye`, for answers that were under way.
pub(super) const GOODBYE_TIMEOUT: Span = Span(500);

/// Pings are spread over a quarter of the heartbeat, in this number of steps.
const PING_SPREAD_STEPS: u32 = 64;

/// The time limits that the operator sets.
pub(super) struct Deadlines {
    join: Span,
    heartbeat: Span,
}

/// The action of a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    /// Drop the socket: the client has not read its outbox in time.
    Closing,
    /// Close the connection in this way.
    Close(Close),
    /// Request the snapshot again.
    Snapshot,
    /// Send a ping to a silent client.
    Silence,
}

impl Deadlines {
    /// The limits in these settings.
    pub fn new(settings: &GatewaySettings) -> Self {
        Self { join: settings.players.limits.join_timeout, heartbeat: settings.players.limits.heartbeat }
    }

    /// The deadline that has passed; if there are several, the first in [`Self::all`].
    pub fn expired(&self, conn: &Conn, now: Millis) -> Option<Expired> {
        self.all(conn).find(|(until, _)| *until <= now).map(|(_, expired)| expired)
    }

    /// The next deadline, if nothing happens before.
    pub fn next(&self, conn: &Conn) -> Millis {
        self.all(conn).map(|(until, _)| until).min().unwrap_or(Millis(u64::MAX))
    }

    /// All deadlines of a connection, in one place: a shard checks a connection when the earliest one has passed.
    fn all(&self, conn: &Conn) -> impl Iterator<Item = (Millis, Expired)> {
        let leaving = conn.session.leaving_since().map(|since| (since + CLOSE_TIMEOUT, Expired::Closing));
        let join = conn.session.deadline(self.join).map(|(until, close)| (until, Expired::Close(close)));
        // A connection whose answers have no reply yet stays open for the reply.
        let goodbye_sent = conn.goodbye_sent.filter(|_| conn.unreplied.outstanding() == 0);
        let goodbye = goodbye_sent.map(|sent| (sent + GOODBYE_TIMEOUT, Expired::Close(Close::Restart)));
        // A client is not closed for waiting for an engine.
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

    /// The deadline for a silent client, and its action: first a ping, then, without a pong, the close. The close comes
    /// two heartbeats after the client's last message, or later if the shard was late with the ping.
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

    /// How long a client may be silent until it is pinged. Longer than the heartbeat, so that clients that send
    /// heartbeats are not pinged; and different for neighbouring slots, so that clients that fell silent together are
    /// not pinged together.
    const fn until_ping(&self, slot: u32) -> Span {
        let heartbeat = self.heartbeat.0 as u64;
        let spread = heartbeat * (slot % PING_SPREAD_STEPS) as u64 / (4 * PING_SPREAD_STEPS as u64);
        Span((heartbeat + heartbeat / 8 + spread) as u32)
    }
}
