//! A shard: some of the gateway's connections, as their transport drives them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::ids::{ConnRef, QuestionId, Seat, ShowId};
use klaxon_protocol::link::{JoinRequest, StampedAnswer, ToEngine};
use klaxon_protocol::player::{Answer, FROM_PLAYER_TYPES, FromPlayer, ToPlayer, Verdict};
use klaxon_protocol::time::{Millis, Span};
use slab::Slab;

use super::audience::{FanOut, Room};
use super::conn::{Conn, Kind, TooSlow};
use super::counts::Counts;
use super::frame::{self, SnapshotFrames};
use super::{Common, ForShard, Outbox};
use crate::intake::{Allowance, Batches, ReplyFrames};
use crate::session::{Admitted, Close, Step};
use crate::transport::{ConnKey, Fault, Moment};

/// How long a closed connection may take to read our last words.
const LINGER: Span = Span(2_000);

/// Some of the gateway's connections. See [`crate::transport`] for who calls what.
pub(crate) struct Shard {
    pub(super) common: Arc<Common>,
    number: u8,
    conns: Slab<Conn>,
    uses: u32,
    pub(super) rooms: HashMap<ShowId, Room>,
    /// What the engine said and has to be done in its order.
    pub(super) queue: VecDeque<ForShard>,
    pub(super) fan_out: Option<FanOut>,
    batches: Batches,
    replies: ReplyFrames,
    pub(super) snapshots: SnapshotFrames,
    dirty: Vec<ConnKey>,
    pub(super) counts: Counts,
    ticks: u64,
}

/// What the transport should do with a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Keep it.
    Keep,
    /// All is said: end our side, and read to the other's end without hearing it.
    Finish,
    /// Let go of it.
    Drop,
}

impl Shard {
    /// A shard without connections.
    pub fn new(number: u8, common: Arc<Common>) -> Self {
        let batches = Batches::new(common.gateway, common.settings.batch_of, common.settings.batch_after);
        Self {
            common,
            number,
            conns: Slab::new(),
            uses: 0,
            rooms: HashMap::new(),
            queue: VecDeque::new(),
            fan_out: None,
            batches,
            replies: ReplyFrames::default(),
            snapshots: SnapshotFrames::default(),
            dirty: Vec::new(),
            counts: Counts::default(),
            ticks: 0,
        }
    }

    /// A WebSocket handshake is done.
    pub fn opened(&mut self, codec: Codec, now: Moment) -> ConnKey {
        self.uses = self.uses.wrapping_add(1);
        let entry = self.conns.vacant_entry();
        let slot = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        debug_assert!(slot < 1 << 24, "a shard has fewer connections than slots in a key");
        let key = ConnKey { shard: self.number, slot, use_of_slot: self.uses };
        entry.insert(Conn::new(key, codec, now));
        self.counts.opened += 1;
        key
    }

    /// A message was read.
    pub fn message(&mut self, key: ConnKey, bytes: &[u8], now: Moment) {
        let Some(codec) = self.admits(key, now) else { return };
        let message = match codec.decode::<FromPlayer>(bytes, FROM_PLAYER_TYPES) {
            Ok(message) => message,
            Err(refusal) => {
                self.counts.bad_messages += 1;
                return self.refuse(key, &refusal, now.millis());
            }
        };
        let common = Arc::clone(&self.common);
        let Some(conn) = self.conn(key) else { return };
        match conn.session.hear(message, &common.doors, now.millis()) {
            Step::Refuse(refusal) => self.refuse(key, &refusal, now.millis()),
            Step::Ask(admitted) => self.ask(key, admitted),
            Step::Answer(show, seat, answer) => self.answer(key, show, seat, answer, now),
            Step::NotInPlay(question) => self.reply_not_in_play(key, question, now.millis()),
            Step::React(show, emoji) => {
                if let Some(room) = self.rooms.get(&show) {
                    room.figures.reacted(emoji);
                }
            }
            Step::Pong(pong) => {
                let bytes = frame::frame(codec, &ToPlayer::Pong(pong));
                self.send(key, bytes, Kind::CanBeMissed, now.millis());
            }
            Step::Leave => self.close(key, Close::Left, None, now.millis()),
            Step::Ignore => {}
        }
    }

    /// The client sent a WebSocket ping or pong; `pong` are the bytes that answer it, if any.
    pub fn pinged(&mut self, key: ConnKey, pong: Bytes, now: Moment) {
        if self.admits(key, now).is_some() {
            self.send(key, pong, Kind::CanBeMissed, now.millis());
        }
    }

    /// What the client sent is no message.
    pub fn failed(&mut self, key: ConnKey, fault: Fault, now: Moment) {
        let (close, code) = match fault {
            Fault::TooLarge => (Close::TooLarge, Some(ErrorCode::TooLarge)),
            Fault::NotText => (Close::NotText, Some(ErrorCode::BadMessage)),
            Fault::Protocol => (Close::Protocol, None),
        };
        self.counts.bad_messages += 1;
        self.close(key, close, code, now.millis());
    }

    /// The client closes; `reply` is the close frame that answers it.
    pub fn leaving(&mut self, key: ConnKey, reply: Bytes, now: Moment) {
        self.vacate(key);
        let Some(conn) = self.conn(key).filter(|conn| conn.leaving.is_none()) else { return };
        conn.outbox.drop_what_can_be_missed();
        conn.outbox.push(reply, false);
        conn.leave(now.millis());
        self.mark(key);
    }

    /// The socket is gone.
    pub fn closed(&mut self, key: ConnKey) {
        self.vacate(key);
        if self.conn(key).is_some() {
            self.conns.remove(key.slot as usize);
            self.counts.closed += 1;
        }
    }

    /// Hands all answers that were read to the engine.
    pub fn flush_answers(&mut self) {
        for batch in self.batches.take_all() {
            self.common.outside.engine(ToEngine::Answers(batch));
        }
    }

    /// Whether answers wait for [`Self::flush_answers`].
    pub fn has_answers(&self) -> bool {
        !self.batches.is_empty()
    }

    /// Hands the show's answers to the engine.
    pub(super) fn flush_show(&mut self, show: ShowId) {
        if let Some(batch) = self.batches.take(show) {
            self.common.outside.engine(ToEngine::Answers(batch));
        }
    }

    /// Time passed.
    pub fn tick(&mut self, now: Moment) {
        let now = now.millis();
        let settings = &self.common.settings;
        let (join_timeout, silence) = (settings.join_timeout, settings.heartbeat + settings.heartbeat);
        let mut due = Vec::new();
        for (_, conn) in &self.conns {
            let overdue = conn.session.overdue(now, join_timeout);
            if let Some(since) = conn.leaving {
                // The transport sees by its fate that its time is over.
                if now.since(since) >= LINGER {
                    due.push((conn.key, None));
                }
            } else if overdue.is_some() {
                due.push((conn.key, overdue));
            } else if now.since(conn.last_heard) >= silence {
                due.push((conn.key, Some(Close::Silent)));
            } else if conn.is_hopeless(now) {
                due.push((conn.key, Some(Close::TooSlow)));
            }
        }
        for (key, close) in due {
            match close {
                None => {
                    if let Some(conn) = self.conn(key) {
                        conn.outbox = Outbox::default();
                    }
                    self.mark(key);
                }
                Some(Close::TooSlow) => self.shed(key, now),
                Some(Close::TryLater) => self.close(key, Close::TryLater, Some(ErrorCode::Unavailable), now),
                Some(close) => self.close(key, close, None, now),
            }
        }
        self.ticks += 1;
        if self.ticks.is_multiple_of(50) {
            self.sweep_rooms();
        }
        self.counts.publish();
    }

    /// The connections that have bytes to write or another fate than before, each once.
    pub fn take_dirty(&mut self, into: &mut Vec<ConnKey>) {
        for &key in &self.dirty {
            if let Some(conn) = self.conns.get_mut(key.slot as usize)
                && conn.key == key
            {
                conn.dirty = false;
            }
        }
        into.append(&mut self.dirty);
    }

    /// What is to be written to a connection.
    pub fn outbox(&self, key: ConnKey) -> Option<&Outbox> {
        self.conns.get(key.slot as usize).filter(|conn| conn.key == key).map(|conn| &conn.outbox)
    }

    /// The socket took so many bytes of the outbox, maybe none.
    pub fn wrote(&mut self, key: ConnKey, count: usize) {
        let gateway = self.common.gateway;
        let Some(conn) = self.conn(key) else { return };
        conn.outbox.wrote(count);
        let place = conn.session.place();
        let wants_snapshot = conn.wants_snapshot();
        self.counts.bytes += count as u64;
        if wants_snapshot && let Some(place) = place {
            self.counts.resyncs += 1;
            let conn = ConnRef { gateway, conn: key.to_wire() };
            self.common.outside.engine(ToEngine::Resync { conn, show: place.show, seat: place.seat });
        }
    }

    /// What the transport should do with the socket now.
    pub fn fate(&self, key: ConnKey, now: Moment) -> Fate {
        match self.conns.get(key.slot as usize).filter(|conn| conn.key == key) {
            None => Fate::Drop,
            Some(conn) => match conn.leaving {
                None => Fate::Keep,
                Some(since) if now.millis().since(since) >= LINGER => Fate::Drop,
                Some(_) if conn.outbox.is_empty() => Fate::Finish,
                Some(_) => Fate::Keep,
            },
        }
    }

    /// Whether what the client sends is still heard.
    pub fn listens(&self, key: ConnKey) -> bool {
        self.conns.get(key.slot as usize).is_some_and(|conn| conn.key == key && conn.leaving.is_none())
    }

    /// Connections now.
    pub fn len(&self) -> usize {
        self.conns.len()
    }

    /// Answers that the engine has and has not replied to.
    pub fn unanswered(&self) -> usize {
        self.conns.iter().map(|(_, conn)| usize::from(conn.outstanding)).sum()
    }

    pub(super) fn conn(&mut self, key: ConnKey) -> Option<&mut Conn> {
        self.conns.get_mut(key.slot as usize).filter(|conn| conn.key == key)
    }

    /// The room that an event goes to, with all connections.
    pub(super) fn room_and_conns(&mut self, show: ShowId) -> Option<(&mut Room, &mut Slab<Conn>)> {
        Some((self.rooms.get_mut(&show)?, &mut self.conns))
    }

    pub(super) fn keys(&self) -> Vec<ConnKey> {
        self.conns.iter().map(|(_, conn)| conn.key).collect()
    }

    pub(super) fn conns(&self) -> &Slab<Conn> {
        &self.conns
    }

    /// The transport should look at this connection.
    pub(super) fn mark(&mut self, key: ConnKey) {
        if let Some(conn) = self.conns.get_mut(key.slot as usize)
            && conn.key == key
            && !std::mem::replace(&mut conn.dirty, true)
        {
            self.dirty.push(key);
        }
    }

    pub(super) fn send(&mut self, key: ConnKey, bytes: Bytes, kind: Kind, now: Millis) {
        let most = self.common.settings.outbox_bytes;
        let Some(conn) = self.conn(key) else { return };
        let sent = conn.send(bytes, kind, most, now);
        self.counts.frames += 1;
        match sent {
            Ok(()) => self.mark(key),
            Err(TooSlow) => self.shed(key, now),
        }
    }

    pub(super) fn refuse(&mut self, key: ConnKey, refusal: &Refusal, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        self.send(key, frame::refusal(codec, refusal), Kind::Reply, now);
    }

    /// Sends last words and the close frame.
    pub(super) fn close(&mut self, key: ConnKey, close: Close, code: Option<ErrorCode>, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        let words = code.map(|code| frame::refusal(codec, &Refusal::plain(code)));
        self.close_saying(key, close, words, now);
    }

    pub(super) fn close_saying(&mut self, key: ConnKey, close: Close, words: Option<Bytes>, now: Millis) {
        self.vacate(key);
        let most = self.common.settings.outbox_bytes;
        if let Some(conn) = self.conn(key)
            && conn.leaving.is_none()
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

    /// Counts something that the client sent; returns its codec if it may be acted on.
    fn admits(&mut self, key: ConnKey, now: Moment) -> Option<Codec> {
        let pace = self.common.pace;
        let conn = self.conn(key).filter(|conn| conn.leaving.is_none())?;
        conn.last_heard = now.millis();
        let codec = conn.codec;
        let allowance = conn.limiter.ask(now, pace);
        self.counts.messages += 1;
        match allowance {
            Allowance::Granted => return Some(codec),
            Allowance::Refused => self.refuse(key, &Refusal::plain(ErrorCode::RateLimited), now.millis()),
            Allowance::Flood => self.close(key, Close::Flooding, Some(ErrorCode::RateLimited), now.millis()),
        }
        self.counts.rate_limited += 1;
        None
    }

    fn ask(&self, key: ConnKey, admitted: Admitted) {
        let conn = ConnRef { gateway: self.common.gateway, conn: key.to_wire() };
        let Admitted { code, player, name, role } = admitted;
        self.common.outside.engine(ToEngine::Join(JoinRequest { conn, code, player, name, role }));
    }

    fn answer(&mut self, key: ConnKey, show: ShowId, seat: Seat, answer: Answer, now: Moment) {
        let most = self.common.settings.outstanding_answers;
        let Some(conn) = self.conn(key) else { return };
        if !conn.may_answer(now, most) {
            self.counts.rate_limited += 1;
            let refusal = Refusal::because(ErrorCode::RateLimited, "Answers of yours are still without a reply.");
            return self.refuse(key, &refusal, now.millis());
        }
        self.counts.answers += 1;
        let Answer { question, choice } = answer;
        let stamped = StampedAnswer { conn: key.to_wire(), seat, question, choice, at: now.millis() };
        if let Some(batch) = self.batches.push(show, stamped, now) {
            self.common.outside.engine(ToEngine::Answers(batch));
        }
    }

    pub(super) fn reply(&mut self, key: ConnKey, question: QuestionId, verdict: Verdict, now: Millis) {
        let Some(codec) = self.conn(key).map(|conn| conn.codec) else { return };
        let bytes = self.replies.get(question, verdict, codec);
        self.send(key, bytes, Kind::Reply, now);
    }

    fn reply_not_in_play(&mut self, key: ConnKey, question: QuestionId, now: Millis) {
        self.reply(key, question, Verdict::Refused(ErrorCode::NotInPlay), now);
    }

    /// Takes a connection out of its show; it stays open.
    fn vacate(&mut self, key: ConnKey) {
        let Some(place) = self.conn(key).and_then(|conn| conn.session.place()) else { return };
        if let Some(seat) = place.seat {
            self.common.players.leave(place.show, seat, key);
        }
        if let Some(room) = self.rooms.get(&place.show) {
            room.figures.disconnected();
        }
    }
}
