//! How long a connection is waited for, and for what.

use klaxon_protocol::time::{Millis, Span};

use super::conn::{CATCH_UP, Conn, KeepsUp, SNAPSHOT_LATE};
use super::farewell::LAST_ANSWERS;
use crate::session::Close;
use crate::settings::GatewaySettings;

/// How long a closed connection may take to read our last words.
pub(super) const LINGER: Span = Span(2_000);

/// How long connections are waited for, as far as the operator chose it.
pub(super) struct Patience {
    join: Span,
    silence: Span,
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
}

impl Patience {
    /// The operator's choice.
    pub fn new(settings: &GatewaySettings) -> Self {
        Self { join: settings.join_timeout, silence: settings.heartbeat + settings.heartbeat }
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
        let told = conn.told_to_go.filter(|_| conn.outstanding == 0);
        let goodbye = told.map(|told| (told + LAST_ANSWERS, Overdue::Stay(Close::Restart)));
        let silence = Some((conn.last_heard + self.silence, Overdue::Stay(Close::Silent)));
        // Waiting for an engine is no fault of the client.
        let catching_up = match conn.pace {
            KeepsUp::Yes => None,
            KeepsUp::Behind { since } => Some((since + CATCH_UP, Overdue::Stay(Close::TooSlow))),
            KeepsUp::Resyncing { since } => Some((since + SNAPSHOT_LATE, Overdue::Snapshot)),
        };
        let waits = if leaving.is_some() { [leaving, None, None, None] } else { [join, goodbye, silence, catching_up] };
        waits.into_iter().flatten()
    }
}
