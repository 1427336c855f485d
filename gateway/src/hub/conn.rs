//! One connection as its shard keeps it, and what happens when it does not keep up.

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::Seq;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::time::{Millis, Span};

use super::EncodedEvent;
use super::liveness::{Liveness, PING};
use super::timer_wheel::Bucket;
use super::unreplied::Unreplied;
use crate::intake::RateLimiter;
use crate::session::{Close, Session};
use crate::transport::{ConnKey, Outbox, Timestamp};

/// A connection that missed events has to take its snapshot within this time.
pub(super) const RESYNC_TIMEOUT: Span = Span(10_000);

/// A snapshot is requested again after this time.
pub(super) const SNAPSHOT_TIMEOUT: Span = Span(3_000);

/// Microseconds after which a reply may never come: the engine that had the answer may be gone.
const REPLY_TIMEOUT: u64 = 5_000_000;

/// All that an idle player costs a shard, beside an entry in its room and one on the timer wheel.
const _: () = assert!(size_of::<Conn>() <= 192, "a million players have a Conn each");

pub(super) struct Conn {
    pub key: ConnKey,
    pub codec: Codec,
    pub session: Session,
    pub outbox: Outbox,
    pub limiter: RateLimiter,
    /// The last event that it was sent, or that its snapshot includes.
    pub last_seq: Seq,
    pub delivery: Delivery,
    /// Whether it gets the events; not if the player has a newer connection.
    pub display: bool,
    /// Whether it is in the list of connections that the reactor has to look at.
    pub dirty: bool,
    pub unreplied: Unreplied,
    /// When the last answer was read.
    pub asked: Timestamp,
    /// Whether that answer exceeded the limit, to find out whether replies come again.
    pub probing: bool,
    pub liveness: Liveness,
    /// When it was sent a `goodbye`.
    pub goodbye_sent: Option<Millis>,
    /// When its deadlines are looked at next; [`Timers`](super::timers::Timers) maintains it.
    pub bucket: Bucket,
}

/// Whether a connection is sent the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    InSync,
    /// It missed events since then, and gets a snapshot when its outbox is empty.
    Behind {
        since: Millis,
    },
    /// The engine was asked for that snapshot.
    AwaitingSnapshot {
        since: Millis,
    },
}

/// The client could not keep up, and has to be closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

impl Conn {
    pub fn new(key: ConnKey, codec: Codec, origin: Origin, now: Timestamp) -> Self {
        Self {
            key,
            codec,
            session: Session::new(now.millis(), origin),
            outbox: Outbox::default(),
            limiter: RateLimiter::default(),
            last_seq: Seq(0),
            delivery: Delivery::InSync,
            display: true,
            dirty: false,
            unreplied: Unreplied::default(),
            asked: now,
            probing: false,
            liveness: Liveness::Active { at: now.millis() },
            goodbye_sent: None,
            bucket: Bucket::default(),
        }
    }

    /// Sends a frame that must not be lost. `most` is the memory that the outbox may take, in bytes.
    pub fn send(&mut self, bytes: Bytes, most: usize) -> Result<(), TooSlow> {
        if self.session.is_leaving() {
            return Ok(());
        }
        if !self.has_room(bytes.len(), most) {
            return Err(TooSlow);
        }
        self.outbox.push(bytes, false);
        Ok(())
    }

    /// Sends a frame that the next of its kind supersedes, if there is room.
    pub fn send_droppable(&mut self, bytes: Bytes, most: usize) {
        if !self.session.is_leaving() && self.delivery == Delivery::InSync && self.has_room(bytes.len(), most) {
            self.outbox.push(bytes, true);
        }
    }

    /// Sends a ping, behind what is queued and even if there is no room: only one ping is ever unanswered.
    pub fn ping(&mut self, now: Millis) {
        self.outbox.push(PING, false);
        self.liveness = Liveness::Pinged { at: now };
    }

    /// Sends an event of the show, if this connection has not been sent it. If there is no room, or a hole before it, the connection
    /// gets a snapshot later.
    pub fn send_event(&mut self, event: &EncodedEvent, most: usize, now: Millis) {
        if self.session.is_leaving() || self.delivery != Delivery::InSync {
            return;
        }
        let seat = self.session.place().and_then(|place| place.seat).map(|held| held.seat);
        let Some(seq) = event.seq() else {
            let bytes = event.bytes(self.codec, seat);
            if !bytes.is_empty() {
                self.send_droppable(bytes, most);
            }
            return;
        };
        if seq <= self.last_seq {
            return;
        }
        let bytes = event.bytes(self.codec, seat);
        if seq == self.last_seq.next() && self.has_room(bytes.len(), most) {
            self.outbox.push(bytes, false);
            self.last_seq = seq;
        } else {
            self.delivery = Delivery::Behind { since: now };
        }
    }

    /// Whether there is room for a frame of this size, in bytes, if need be in place of what can be missed. One alone always has room.
    fn has_room(&mut self, frame: usize, most: usize) -> bool {
        let fits = |outbox: &Outbox| outbox.is_empty() || outbox.memory() + Outbox::memory_of(frame) <= most;
        if !fits(&self.outbox) {
            self.outbox.drop_droppable();
        }
        fits(&self.outbox)
    }

    /// Whether it is time to ask the engine for a snapshot. True once.
    pub fn wants_snapshot(&mut self) -> bool {
        match self.delivery {
            Delivery::Behind { since } if self.outbox.is_empty() && !self.session.is_leaving() => {
                self.delivery = Delivery::AwaitingSnapshot { since };
                true
            }
            _ => false,
        }
    }

    /// Has the snapshot requested again: the engine that was asked may be gone.
    pub fn ask_again(&mut self, now: Millis) {
        self.delivery = Delivery::Behind { since: now };
    }

    /// Whether its only deadline is that for silence.
    pub const fn is_settled(&self) -> bool {
        matches!((&self.session, self.delivery, self.goodbye_sent), (Session::In(_), Delivery::InSync, None))
    }

    /// The number of a new answer, if fewer than `most` are outstanding. While replies stay away, one more may go now and then, to find
    /// out whether they come again.
    pub fn next_answer(&mut self, now: Timestamp, most: u8) -> Option<u16> {
        let probing = self.unreplied.outstanding() >= u32::from(most.max(1));
        if probing && now.0.saturating_sub(self.asked.0) < REPLY_TIMEOUT {
            return None;
        }
        (self.probing, self.asked) = (probing, now);
        Some(self.unreplied.ask())
    }

    /// Replies that did not come by now will not: what carries them lost its memory, or the next round has begun, and messages of
    /// a show come in order.
    pub fn expect_no_replies(&mut self) {
        self.unreplied.expect_none();
        self.probing = false;
    }

    /// The show's last event was this one. A connection that was not sent it missed it; one that waits for a snapshot requests it again.
    pub fn has_missed(&mut self, last: Seq, now: Millis) {
        match self.delivery {
            Delivery::InSync if self.last_seq < last => self.delivery = Delivery::Behind { since: now },
            Delivery::AwaitingSnapshot { .. } => self.delivery = Delivery::Behind { since: now },
            Delivery::InSync | Delivery::Behind { .. } => {}
        }
    }

    /// An answer, read at that time, is replied to; gives how many microseconds that took, or none if it has been replied to before.
    pub fn answered(&mut self, number: u16, read_at: Millis, now: Timestamp) -> Option<u64> {
        if !self.unreplied.reply(number) {
            return None;
        }
        if self.unreplied.last() != number {
            return Some(now.0.saturating_sub(read_at.0.saturating_mul(1000)));
        }
        // What was asked long before this and has no reply by now was lost with its engine.
        if std::mem::take(&mut self.probing) {
            self.unreplied.expect_none();
        }
        // The protocol carries milliseconds; the last answer's reading is known better.
        Some(now.0.saturating_sub(self.asked.0))
    }

    /// Sends an error and the close frame; nothing more is sent or processed. For a client that is too slow they replace all that waits:
    /// it gets a snapshot when it comes back.
    pub fn close(&mut self, close: Close, error: Option<Bytes>, most: usize, now: Millis) {
        let error = error.unwrap_or_default();
        self.outbox.drop_droppable();
        if close == Close::TooSlow || self.outbox.memory() + Outbox::memory_of(error.len()) > most {
            self.outbox.drop_all();
        }
        self.outbox.push(error, false);
        self.outbox.push(close.frame(), false);
        self.leave(now);
    }

    /// Nothing more is sent or processed, but what waits is still written.
    pub fn leave(&mut self, now: Millis) {
        if !self.session.is_leaving() {
            self.session = Session::Leaving { since: now };
        }
    }
}
