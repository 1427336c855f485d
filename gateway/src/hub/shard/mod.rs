//! A shard: the connections of one reactor, and their shows.

mod drain;
mod handler;
mod incoming;
mod outgoing;

#[cfg(test)]
pub(super) use outgoing::append_pause;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{ConnRef, SeatRef, ShowId};
use klaxon_protocol::link::ToEngine;
use klaxon_protocol::time::Millis;
use slab::Slab;

use super::Common;
use super::barriers::Barriers;
use super::conn::{Conn, TooSlow};
use super::deadlines::{Deadlines, Expired};
use super::fair_queue::FairQueue;
use super::frame::{self, ReplyFrames, SnapshotFrames};
use super::metrics::ShardMetrics;
use super::rooms::Rooms;
use super::timer_wheel::Bucket;
use super::timers::Timers;
use crate::intake::Batches;
use crate::session::Close;
use crate::transport::{ConnKey, Outbox, Timestamp};

/// The connections of one reactor. [`ConnectionHandler`](crate::transport::ConnectionHandler) describes when its
/// methods are called.
pub struct Shard {
    common: Arc<Common>,
    number: u8,
    conns: Slab<Conn>,
    /// Connections opened so far, to distinguish connections that use the same slot.
    opened: u32,
    rooms: Rooms,
    queue: FairQueue,
    barriers: Barriers,
    batches: Batches,
    replies: ReplyFrames,
    snapshots: SnapshotFrames,
    /// Cached frames of refusals without detail.
    refusals: HashMap<(ErrorCode, Codec), Bytes>,
    timers: Timers,
    metrics: ShardMetrics,
    /// When the last message arrived, not counting those that only keep a connection alive.
    last_activity: Timestamp,
    ticks: u64,
}

/// A shard without activity for this many microseconds, and without an open round, is idle: its sockets are read less
/// often.
const IDLE_AFTER: u64 = 1_000_000;

impl Shard {
    /// A shard without connections.
    pub fn new(number: u8, common: Arc<Common>) -> Self {
        let batches = Batches::new(common.gateway, common.settings.batch_of, common.settings.batch_after);
        let timers = Timers::new(Deadlines::new(&common.settings));
        Self {
            common,
            number,
            conns: Slab::new(),
            opened: 0,
            rooms: Rooms::default(),
            queue: FairQueue::default(),
            barriers: Barriers::default(),
            batches,
            replies: ReplyFrames::default(),
            snapshots: SnapshotFrames::default(),
            refusals: HashMap::new(),
            timers,
            metrics: ShardMetrics::default(),
            last_activity: Timestamp(0),
            ticks: 0,
        }
    }

    /// Called for a slot in an expired bucket of the timer wheel: acts on the connection's passed deadlines.
    fn timer_expired(&mut self, slot: u32, bucket: Bucket, now: Millis) {
        let Some(conn) = self.conns.get_mut(slot as usize).filter(|conn| conn.bucket == bucket) else { return };
        let key = conn.key;
        match self.timers.expired(conn, now) {
            None => {}
            // The reactor closes the socket: see `socket_action`.
            Some(Expired::Closing) => {
                conn.outbox = Outbox::default();
                self.timers.mark(conn);
            }
            // The reactor reports when the outbox is empty, and then the snapshot is requested again.
            Some(Expired::Snapshot) => {
                conn.ask_again(now);
                self.timers.mark(conn);
            }
            Some(Expired::Silence) => {
                conn.ping(now);
                self.metrics.pings += 1;
                self.timers.mark(conn);
            }
            Some(Expired::Close(Close::TooSlow)) => self.shed(key, now),
            Some(Expired::Close(Close::TryLater)) => {
                self.close(key, Close::TryLater, Some(ErrorCode::Unavailable), now);
            }
            Some(Expired::Close(close)) => self.close(key, close, None, now),
        }
        if let Some(conn) = self.conns.get_mut(slot as usize) {
            self.timers.start(conn);
        }
    }

    fn conn(&mut self, key: ConnKey) -> Option<&mut Conn> {
        self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key)
    }

    #[cfg(test)]
    pub(super) const fn conns(&self) -> &Slab<Conn> {
        &self.conns
    }

    /// Marks a connection that may have something to write, so that the reactor checks it.
    fn mark(&mut self, key: ConnKey) {
        if let Some(conn) = self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key) {
            self.timers.mark(conn);
        }
    }

    /// Sends a frame that must not be lost: a client whose outbox has no room for it is closed.
    fn send(&mut self, key: ConnKey, bytes: Bytes, now: Millis) {
        let most = self.common.settings.players.limits.outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        let sent = conn.send(bytes, most);
        self.metrics.frames += 1;
        match sent {
            Ok(()) => self.mark(key),
            Err(TooSlow) => self.shed(key, now),
        }
    }

    /// Sends a frame that is dropped if the outbox is full.
    fn send_droppable(&mut self, key: ConnKey, bytes: Bytes) {
        let most = self.common.settings.players.limits.outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        conn.send_droppable(bytes, most);
        self.metrics.frames += 1;
        self.mark(key);
    }

    fn refuse(&mut self, key: ConnKey, refusal: &Refusal, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        // Refusals without detail are equal for all connections, and a flood causes thousands of them.
        let bytes = if refusal.detail.is_empty() {
            self.refusals.entry((refusal.code, codec)).or_insert_with(|| frame::refusal(codec, refusal)).clone()
        } else {
            frame::refusal(codec, refusal)
        };
        self.send(key, bytes, now);
    }

    /// Sends an error, if there is a code, and the close frame.
    fn close(&mut self, key: ConnKey, close: Close, code: Option<ErrorCode>, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        let error = code.map(|code| frame::refusal(codec, &Refusal::plain(code)));
        self.leave_show(key, matches!(close, Close::Left));
        let most = self.common.settings.players.limits.outbox_bytes;
        if let Some(conn) = self.conn(key)
            && !conn.session.is_leaving()
        {
            conn.close(close, error, most, now);
            tracing::debug!(session = %key, close = close.name(), "closing a connection");
            self.mark(key);
        }
    }

    /// Closes a connection that is too slow.
    fn shed(&mut self, key: ConnKey, now: Millis) {
        let show = self.conn(key).and_then(|conn| conn.session.place()).map(|place| place.show);
        if let Some(room) = show.and_then(|show| self.rooms.get(show)) {
            room.figures.shed();
        }
        self.metrics.shed += 1;
        self.close(key, Close::TooSlow, Some(ErrorCode::TooSlow), now);
    }

    /// Takes a connection out of its show, or ends its pending join. The connection stays open. `left`: the player sent
    /// `leave`.
    fn leave_show(&mut self, key: ConnKey, left: bool) {
        self.common.pending_joins.end(key);
        let Some(conn) = self.conn(key) else { return };
        let (display, Some(place)) = (conn.display, conn.session.place()) else { return };
        let in_lobby = self.rooms.get(place.show).is_some_and(|room| room.in_lobby);
        if let Some(seat) = place.seat {
            self.common.players.leave(place.show, seat, key);
            if in_lobby && display {
                self.report_gone(key, place.show, seat, left);
            }
        }
        self.rooms.leave(place.show);
    }

    /// Reports to the engine that a player disconnected: in the lobby the seat can be given to another player.
    fn report_gone(&self, key: ConnKey, show: ShowId, seat: SeatRef, left: bool) {
        let conn = ConnRef { gateway: self.common.gateway, conn: key.to_wire() };
        self.common.router.to_engine(ToEngine::Gone { conn, show, seat, left });
    }
}
