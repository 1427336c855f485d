//! One connection in its shard, and how it falls behind and catches up.

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

/// A connection that missed events is closed if its outbox does not become empty within this time.
pub(super) const RESYNC_TIMEOUT: Span = Span(10_000);

/// A snapshot is requested again if it has not arrived after this time.
pub(super) const SNAPSHOT_TIMEOUT: Span = Span(3_000);

/// Microseconds after which a reply may have been lost with its engine, so that another answer is let through.
const REPLY_TIMEOUT: u64 = 5_000_000;

/// The memory of an idle player in a shard, beside an entry in its room and one on the timer wheel.
const _: () = assert!(size_of::<Conn>() <= 192, "a million players have a Conn each");

pub(super) struct Conn {
    pub key: ConnKey,
    pub codec: Codec,
    pub session: Session,
    pub outbox: Outbox,
    pub limiter: RateLimiter,
    /// The last event that was sent to it or is included in its snapshot.
    pub last_seq: Seq,
    pub delivery: Delivery,
    /// Whether it is sent the events; false if the player has a newer connection.
    pub display: bool,
    /// Whether it is in the list of connections that the reactor has to look at.
    pub dirty: bool,
    pub unreplied: Unreplied,
    /// When its last answer was read.
    pub asked: Timestamp,
    /// Whether that answer was let through above the limit, to find out whether replies arrive again.
    pub probing: bool,
    pub liveness: Liveness,
    /// When `goodbye` was sent to it.
    pub goodbye_sent: Option<Millis>,
    /// The timer wheel's bucket in which its deadlines are checked next; maintained by
    /// [`Timers`](super::timers::Timers).
    pub bucket: Bucket,
}

/// Whether a connection is up to date with the show's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    InSync,
    /// It missed an event at `since`, and is sent a snapshot once its outbox is empty.
    Behind {
        since: Millis,
    },
    /// The snapshot was requested from the engine.
    AwaitingSnapshot {
        since: Millis,
    },
}

/// The client reads too slowly: the connection has to be closed.
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

    /// Sends a frame that a later one replaces; dropped if there is no room.
    pub fn send_droppable(&mut self, bytes: Bytes, most: usize) {
        if !self.session.is_leaving() && self.delivery == Delivery::InSync && self.has_room(bytes.len(), most) {
            self.outbox.push(bytes, true);
        }
    }

    /// Sends a ping, after queued frames and even without room: a connection has one unanswered ping at most.
    pub fn ping(&mut self, now: Millis) {
        self.outbox.push(PING, false);
        self.liveness = Liveness::Pinged { at: now };
    }

    /// Sends an event of the show, unless it was sent before. Without room, or if an earlier event is missing, the
    /// connection is sent a snapshot later.
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

    /// Whether a frame of this size, in bytes, fits; drops droppable frames if it does not. An empty outbox takes any
    /// frame.
    fn has_room(&mut self, frame: usize, most: usize) -> bool {
        let fits = |outbox: &Outbox| outbox.is_empty() || outbox.memory() + Outbox::memory_of(frame) <= most;
        if !fits(&self.outbox) {
            self.outbox.drop_droppable();
        }
        fits(&self.outbox)
    }

    /// Returns true, once, when a snapshot has to be requested from the engine.
    pub fn take_snapshot_request(&mut self) -> bool {
        match self.delivery {
            Delivery::Behind { since } if self.outbox.is_empty() && !self.session.is_leaving() => {
                self.delivery = Delivery::AwaitingSnapshot { since };
                true
            }
            _ => false,
        }
    }

    /// Lets the snapshot be requested again, as the engine that was asked may have died.
    pub fn ask_again(&mut self, now: Millis) {
        self.delivery = Delivery::Behind { since: now };
    }

    /// Whether the silence deadline is its only one.
    pub const fn is_settled(&self) -> bool {
        matches!((&self.session, self.delivery, self.goodbye_sent), (Session::In(_), Delivery::InSync, None))
    }

    /// The number of a new answer, if fewer than `most` are outstanding. At the limit one more is let through after
    /// [`REPLY_TIMEOUT`], to find out whether replies arrive again.
    pub fn next_answer(&mut self, now: Timestamp, most: u8) -> Option<u16> {
        let probing = self.unreplied.outstanding() >= u32::from(most.max(1));
        if probing && now.0.saturating_sub(self.asked.0) < REPLY_TIMEOUT {
            return None;
        }
        (self.probing, self.asked) = (probing, now);
        Some(self.unreplied.ask())
    }

    /// Stops waiting for outstanding replies: either the bus or the engine lost its state, or the next round has begun,
    /// whose event comes after all replies to the round before.
    pub fn expect_no_replies(&mut self) {
        self.unreplied.expect_none();
        self.probing = false;
    }

    /// Compares the connection with the show's last event: if it missed that, or waits for a snapshot, a snapshot is
    /// requested.
    pub fn has_missed(&mut self, last: Seq, now: Millis) {
        match self.delivery {
            Delivery::InSync if self.last_seq < last => self.delivery = Delivery::Behind { since: now },
            Delivery::AwaitingSnapshot { .. } => self.delivery = Delivery::Behind { since: now },
            Delivery::InSync | Delivery::Behind { .. } => {}
        }
    }

    /// Processes the reply to an answer that was read at `read_at`. Returns the latency in microseconds; none if the
    /// answer had a reply already.
    pub fn answered(&mut self, number: u16, read_at: Millis, now: Timestamp) -> Option<u64> {
        if !self.unreplied.reply(number) {
            return None;
        }
        if self.unreplied.last() != number {
            return Some(now.0.saturating_sub(read_at.0.saturating_mul(1000)));
        }
        // Replies to much older answers were lost with their engine.
        if std::mem::take(&mut self.probing) {
            self.unreplied.expect_none();
        }
        // The protocol carries milliseconds; for the last answer the time of reading is known in microseconds.
        Some(now.0.saturating_sub(self.asked.0))
    }

    /// Sends an error and the close frame; after that nothing is sent or processed. For a client that is too slow they
    /// replace all queued frames: it gets a snapshot when it reconnects.
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

    /// Stops sending and processing; queued frames are still written.
    pub fn leave(&mut self, now: Millis) {
        if !self.session.is_leaving() {
            self.session = Session::Leaving { since: now };
        }
    }
}
