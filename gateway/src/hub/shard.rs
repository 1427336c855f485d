//! A shard: some of the gateway's connections, as their transport drives them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{ConnRef, SeatRef, ShowId};
use klaxon_protocol::link::ToEngine;
use klaxon_protocol::time::Millis;
use slab::Slab;

use super::Common;
use super::agenda::Agenda;
use super::audience::Room;
use super::conn::{Conn, KeepsUp, TooSlow};
use super::counts::Counts;
use super::frame::{self, SnapshotFrames};
use super::incoming::Raised;
use super::patience::{LINGER, Overdue, Patience};
use super::turns::Turns;
use super::wheel::Turn;
use crate::intake::{Batches, ReplyFrames};
use crate::session::Close;
use crate::transport::{ConnKey, Fate, Moment, Outbox};

/// Some of the gateway's connections. See [`crate::transport`] for who calls what.
pub(crate) struct Shard {
    pub(super) common: Arc<Common>,
    number: u8,
    pub(super) conns: Slab<Conn>,
    uses: u32,
    pub(super) rooms: HashMap<ShowId, Room>,
    /// What the engine said and is still to be done.
    pub(super) turns: Turns,
    /// To be passed when all is read that had come before they were heard of.
    pub(super) barriers: Vec<Raised>,
    pub(super) batches: Batches,
    pub(super) replies: ReplyFrames,
    pub(super) snapshots: SnapshotFrames,
    /// Of the error table's refusals, those that were said before.
    refusals: HashMap<(ErrorCode, Codec), Bytes>,
    pub(super) agenda: Agenda,
    pub(super) counts: Counts,
    /// When something was last said or heard that is more than a sign of life.
    pub(super) stirred: Moment,
    ticks: u64,
}

/// After so many microseconds without a stir, and without a question, nobody is in a hurry.
const CALM: u64 = 1_000_000;

impl Shard {
    /// A shard without connections.
    pub fn new(number: u8, common: Arc<Common>) -> Self {
        let batches = Batches::new(common.gateway, common.settings.batch_of, common.settings.batch_after);
        let agenda = Agenda::new(Patience::new(&common.settings));
        Self {
            common,
            number,
            conns: Slab::new(),
            uses: 0,
            rooms: HashMap::new(),
            turns: Turns::default(),
            barriers: Vec::new(),
            batches,
            replies: ReplyFrames::default(),
            snapshots: SnapshotFrames::default(),
            refusals: HashMap::new(),
            agenda,
            counts: Counts::default(),
            stirred: Moment(0),
            ticks: 0,
        }
    }

    /// A WebSocket handshake is done.
    pub fn opened(&mut self, codec: Codec, peer: IpAddr, now: Moment) -> ConnKey {
        self.stirred = now;
        self.uses = self.uses.wrapping_add(1);
        let entry = self.conns.vacant_entry();
        let slot = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        debug_assert!(slot < 1 << 24, "a shard has fewer connections than slots in a key");
        let key = ConnKey { shard: self.number, slot, use_of_slot: self.uses };
        let mut conn = Conn::new(key, codec, self.common.origins.of(peer), now);
        self.agenda.put(&mut conn);
        entry.insert(conn);
        self.counts.opened += 1;
        key
    }

    /// The socket is gone.
    pub fn closed(&mut self, key: ConnKey) {
        self.vacate(key, false);
        if self.conn(key).is_some() {
            self.conns.remove(key.slot as usize);
            self.counts.closed += 1;
        }
    }

    /// Time passed. Costs nothing for connections of which nothing is due.
    pub fn tick(&mut self, now: Moment) {
        while let Some((turn, slots)) = self.agenda.pass(now.millis()) {
            for slot in slots {
                self.look_at(slot, turn, now.millis());
            }
        }
        self.ticks += 1;
        if self.ticks.is_multiple_of(50) {
            self.sweep_rooms();
        }
        self.counts.publish();
    }

    /// Does with a connection what its time is up for, if its turn has come.
    fn look_at(&mut self, slot: u32, turn: Turn, now: Millis) {
        let Some(conn) = self.conns.get_mut(slot as usize).filter(|conn| conn.turn == turn) else { return };
        let key = conn.key;
        match self.agenda.overdue(conn, now) {
            None => {}
            // The transport sees by its fate that its time is over.
            Some(Overdue::LastWords) => {
                conn.outbox = Outbox::default();
                self.agenda.mark(conn);
            }
            // The transport comes by for whatever is written next, and the snapshot is asked for.
            Some(Overdue::Snapshot) => {
                conn.ask_again(now);
                self.agenda.mark(conn);
            }
            Some(Overdue::Word) => {
                conn.ping(now);
                self.counts.pings += 1;
                self.agenda.mark(conn);
            }
            Some(Overdue::Stay(Close::TooSlow)) => self.shed(key, now),
            Some(Overdue::Stay(Close::TryLater)) => {
                self.close(key, Close::TryLater, Some(ErrorCode::Unavailable), now);
            }
            Some(Overdue::Stay(close)) => self.close(key, close, None, now),
        }
        if let Some(conn) = self.conns.get_mut(slot as usize) {
            self.agenda.put(conn);
        }
    }

    /// The connections that have bytes to write or another fate than before, each once.
    pub fn take_dirty(&mut self, into: &mut Vec<ConnKey>) {
        self.agenda.take_dirty(&mut self.conns, into);
    }

    /// The next frame to be written to a connection.
    pub fn lend(&mut self, key: ConnKey) -> Option<Bytes> {
        let frame = self.conn(key)?.outbox.lend()?;
        self.counts.bytes += frame.len() as u64;
        Some(frame)
    }

    /// The frame that was lent is written. Whether there is more to do for the connection.
    pub fn wrote(&mut self, key: ConnKey) -> bool {
        let Some(conn) = self.conn(key) else { return false };
        conn.outbox.wrote();
        !conn.outbox.is_empty() || conn.session.is_leaving() || conn.pace != KeepsUp::Yes
    }

    /// A connection's outbox is empty: one that missed events is caught up now.
    pub fn idle(&mut self, key: ConnKey) {
        let gateway = self.common.gateway;
        let Some(conn) = self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key) else { return };
        if conn.wants_snapshot()
            && let Some(place) = conn.session.place()
        {
            self.agenda.watch(conn);
            self.counts.resyncs += 1;
            let conn = ConnRef { gateway, conn: key.to_wire() };
            self.common.outside.engine(ToEngine::Resync { conn, show: place.show, seat: place.seat });
        }
    }

    /// What the transport should do with the socket now.
    pub fn fate(&self, key: ConnKey, now: Moment) -> Fate {
        match self.conns.get(key.slot as usize).filter(|conn| conn.key == key) {
            None => Fate::Drop,
            Some(conn) => match conn.session.leaving_since() {
                None => Fate::Keep,
                Some(since) if now.millis().since(since) >= LINGER => Fate::Drop,
                Some(_) if conn.outbox.is_empty() => Fate::Finish,
                Some(_) => Fate::Part,
            },
        }
    }

    /// Whether what the client sends is still heard.
    pub fn listens(&self, key: ConnKey) -> bool {
        self.conns.get(key.slot as usize).is_some_and(|conn| conn.key == key && !conn.session.is_leaving())
    }

    /// Whether whatever clients say next may wait for a moment: no question is out, and nobody said anything lately but that they
    /// are there.
    pub fn is_calm(&self, now: Moment) -> bool {
        now.0.saturating_sub(self.stirred.0) >= CALM && !self.rooms.values().any(|room| room.asking)
    }

    /// Connections now.
    pub fn len(&self) -> usize {
        self.conns.len()
    }

    pub(super) fn conn(&mut self, key: ConnKey) -> Option<&mut Conn> {
        self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key)
    }

    pub(super) fn keys(&self) -> Vec<ConnKey> {
        self.conns.iter().map(|(_, conn)| conn.key).collect()
    }

    pub(super) fn conns(&self) -> &Slab<Conn> {
        &self.conns
    }

    /// The transport should look at this connection.
    pub(super) fn mark(&mut self, key: ConnKey) {
        if let Some(conn) = self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key) {
            self.agenda.mark(conn);
        }
    }

    /// Sends a frame that the client asked for.
    pub(super) fn send(&mut self, key: ConnKey, bytes: Bytes, now: Millis) {
        let most = self.common.settings.outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        let sent = conn.send(bytes, most);
        self.counts.frames += 1;
        match sent {
            Ok(()) => self.mark(key),
            Err(TooSlow) => self.shed(key, now),
        }
    }

    /// Sends a frame that can be missed.
    pub(super) fn offer(&mut self, key: ConnKey, bytes: Bytes) {
        let most = self.common.settings.outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        conn.offer(bytes, most);
        self.counts.frames += 1;
        self.mark(key);
    }

    pub(super) fn refuse(&mut self, key: ConnKey, refusal: &Refusal, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        // Those of the table are the same for everybody, and a flood earns thousands of them.
        let bytes = if refusal.detail.is_empty() {
            self.refusals.entry((refusal.code, codec)).or_insert_with(|| frame::refusal(codec, refusal)).clone()
        } else {
            frame::refusal(codec, refusal)
        };
        self.send(key, bytes, now);
    }

    /// Sends last words and the close frame.
    pub(super) fn close(&mut self, key: ConnKey, close: Close, code: Option<ErrorCode>, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        let words = code.map(|code| frame::refusal(codec, &Refusal::plain(code)));
        self.close_saying(key, close, words, now);
    }

    pub(super) fn close_saying(&mut self, key: ConnKey, close: Close, words: Option<Bytes>, now: Millis) {
        self.vacate(key, matches!(close, Close::Left));
        let most = self.common.settings.outbox_bytes;
        if let Some(conn) = self.conn(key)
            && !conn.session.is_leaving()
        {
            conn.close(close, words, most, now);
            tracing::debug!(session = %key, close = close.name(), "closing");
            self.mark(key);
        }
    }

    /// Closes a connection that can't keep up.
    pub(super) fn shed(&mut self, key: ConnKey, now: Millis) {
        let show = self.conn(key).and_then(|conn| conn.session.place()).map(|place| place.show);
        if let Some(room) = show.and_then(|show| self.rooms.get(&show)) {
            room.figures.shed();
        }
        self.counts.shed += 1;
        self.close(key, Close::TooSlow, Some(ErrorCode::TooSlow), now);
    }

    /// Takes a connection out of its show, or off its way there; it stays open. `left`: the player said so.
    pub(super) fn vacate(&mut self, key: ConnKey, left: bool) {
        self.common.arrivals.end(key);
        let Some(conn) = self.conn(key) else { return };
        let (display, Some(place)) = (conn.display, conn.session.place()) else { return };
        let in_lobby = self.rooms.get(&place.show).is_some_and(|room| room.in_lobby);
        if let Some(seat) = place.seat {
            self.common.players.leave(place.show, seat, key);
            if in_lobby && display {
                self.say_gone(key, place.show, seat, left);
            }
        }
        if let Some(room) = self.rooms.get_mut(&place.show) {
            room.connections -= 1;
            room.figures.disconnected();
        }
    }

    /// A player's connection is gone: in a lobby the seat may be wanted by others.
    pub(super) fn say_gone(&self, key: ConnKey, show: ShowId, seat: SeatRef, left: bool) {
        let conn = ConnRef { gateway: self.common.gateway, conn: key.to_wire() };
        self.common.outside.engine(ToEngine::Gone { conn, show, seat, left });
    }
}
