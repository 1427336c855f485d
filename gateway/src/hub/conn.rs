//! One connection as its shard keeps it, and what happens when it does not keep up.

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::Seq;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::time::{Millis, Span};

use super::Event;
use super::liveness::{Liveness, PING};
use super::unreplied::Unreplied;
use super::wheel::Turn;
use crate::intake::Limiter;
use crate::session::{Close, Session};
use crate::transport::{ConnKey, Moment, Outbox};

/// A connection that missed events must have caught up after this.
pub(super) const CATCH_UP: Span = Span(10_000);

/// A snapshot that has not come after this is asked for again.
pub(super) const SNAPSHOT_LATE: Span = Span(3_000);

/// After so many microseconds without a reply it may never come: the engine that had the answer may be gone.
const REPLY_LATE: u64 = 5_000_000;

/// An idle player costs a shard this, its place in the room and on the wheel, and nothing else.
const _: () = assert!(size_of::<Conn>() <= 192, "a million players have a Conn each");

pub(super) struct Conn {
    pub key: ConnKey,
    pub codec: Codec,
    pub session: Session,
    pub outbox: Outbox,
    pub limiter: Limiter,
    /// The last event that it was sent, or that its snapshot includes.
    pub seen: Seq,
    pub pace: KeepsUp,
    /// Whether it is shown the events; not if the player has a newer connection.
    pub display: bool,
    /// Whether the transport was told of bytes to write.
    pub dirty: bool,
    pub unreplied: Unreplied,
    /// When the last answer was read.
    pub asked: Moment,
    /// Whether that one was let through because the replies before it stay away.
    pub probing: bool,
    pub liveness: Liveness,
    /// When it was told to come back elsewhere.
    pub told_to_go: Option<Millis>,
    /// When it is looked at next; [`Agenda`](super::agenda::Agenda) sees to it.
    pub turn: Turn,
}

/// Whether a connection takes what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeepsUp {
    Yes,
    /// It missed events since then, and gets a snapshot when its outbox is empty.
    Behind {
        since: Millis,
    },
    /// The engine was asked for that snapshot.
    Resyncing {
        since: Millis,
    },
}

/// The client could not keep up, and has to be closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

impl Conn {
    pub fn new(key: ConnKey, codec: Codec, origin: Origin, now: Moment) -> Self {
        Self {
            key,
            codec,
            session: Session::new(now.millis(), origin),
            outbox: Outbox::default(),
            limiter: Limiter::default(),
            seen: Seq(0),
            pace: KeepsUp::Yes,
            display: true,
            dirty: false,
            unreplied: Unreplied::default(),
            asked: now,
            probing: false,
            liveness: Liveness::Spoke { at: now.millis() },
            told_to_go: None,
            turn: Turn::default(),
        }
    }

    /// Sends what the client asked for. `most` is the memory that its outbox may take, in bytes.
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

    /// Sends what the next of its sort supersedes, if there is room.
    pub fn offer(&mut self, bytes: Bytes, most: usize) {
        if !self.session.is_leaving() && self.pace == KeepsUp::Yes && self.has_room(bytes.len(), most) {
            self.outbox.push(bytes, true);
        }
    }

    /// Asks whether the client is there. Behind all that waits, and even if there is no room: one ping at a time.
    pub fn ping(&mut self, now: Millis) {
        self.outbox.push(PING, false);
        self.liveness = Liveness::Pinged { at: now };
    }

    /// Sends an event of the show, if this connection has not seen it. If there is no room, or a hole before it, the connection
    /// gets a snapshot later.
    pub fn send_event(&mut self, event: &Event, most: usize, now: Millis) {
        if self.session.is_leaving() || self.pace != KeepsUp::Yes {
            return;
        }
        let seat = self.session.place().and_then(|place| place.seat).map(|held| held.seat);
        let Some(seq) = event.seq() else {
            let bytes = event.bytes(self.codec, seat);
            if !bytes.is_empty() {
                self.offer(bytes, most);
            }
            return;
        };
        if seq <= self.seen {
            return;
        }
        let bytes = event.bytes(self.codec, seat);
        if seq == self.seen.next() && self.has_room(bytes.len(), most) {
            self.outbox.push(bytes, false);
            self.seen = seq;
        } else {
            self.pace = KeepsUp::Behind { since: now };
        }
    }

    /// Whether a frame of so many bytes can wait, if need be instead of what can be missed. One alone always can.
    fn has_room(&mut self, frame: usize, most: usize) -> bool {
        let fits = |outbox: &Outbox| outbox.is_empty() || outbox.memory() + Outbox::memory_of(frame) <= most;
        if !fits(&self.outbox) {
            self.outbox.drop_what_can_be_missed();
        }
        fits(&self.outbox)
    }

    /// Whether it is time to ask the engine for a snapshot. True once.
    pub fn wants_snapshot(&mut self) -> bool {
        match self.pace {
            KeepsUp::Behind { since } if self.outbox.is_empty() && !self.session.is_leaving() => {
                self.pace = KeepsUp::Resyncing { since };
                true
            }
            _ => false,
        }
    }

    /// Lets the snapshot be asked for again, if the engine that was asked is gone or did not hear it.
    pub fn ask_again(&mut self, now: Millis) {
        self.pace = KeepsUp::Behind { since: now };
    }

    /// Whether there is nothing to wait for but that it says something.
    pub const fn is_settled(&self) -> bool {
        matches!((&self.session, self.pace, self.told_to_go), (Session::In(_), KeepsUp::Yes, None))
    }

    /// The number of a new answer, if fewer than `most` are outstanding. While replies stay away, one more may go now and then, to find
    /// out whether they come again.
    pub fn next_answer(&mut self, now: Moment, most: u8) -> Option<u16> {
        let probing = self.unreplied.outstanding() >= u32::from(most.max(1));
        if probing && now.0.saturating_sub(self.asked.0) < REPLY_LATE {
            return None;
        }
        (self.probing, self.asked) = (probing, now);
        Some(self.unreplied.ask())
    }

    /// Replies that did not come by now will not: what carries them lost its memory, or the next question is out, and what is
    /// said of a show comes in its order.
    pub fn expect_no_replies(&mut self) {
        self.unreplied.expect_none();
        self.probing = false;
    }

    /// The show has come this far. One who has not seen so much missed it, and one who waits for a snapshot asks for it again.
    pub fn has_missed(&mut self, said: Seq, now: Millis) {
        match self.pace {
            KeepsUp::Yes if self.seen < said => self.pace = KeepsUp::Behind { since: now },
            KeepsUp::Resyncing { .. } => self.pace = KeepsUp::Behind { since: now },
            KeepsUp::Yes | KeepsUp::Behind { .. } => {}
        }
    }

    /// An answer, read at that time, is replied to; gives how many microseconds that took, or none if it has been replied to before.
    pub fn answered(&mut self, number: u16, read_at: Millis, now: Moment) -> Option<u64> {
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

    /// Sends last words and the close frame; nothing more is sent or heard. To one who is too slow in place of all that waits: it
    /// gets a snapshot when it comes back.
    pub fn close(&mut self, close: Close, last_words: Option<Bytes>, most: usize, now: Millis) {
        let words = last_words.unwrap_or_default();
        self.outbox.drop_what_can_be_missed();
        if close == Close::TooSlow || self.outbox.memory() + Outbox::memory_of(words.len()) > most {
            self.outbox.drop_all();
        }
        self.outbox.push(words, false);
        self.outbox.push(close.frame(), false);
        self.leave(now);
    }

    /// Nothing more is sent or heard, but what waits is still written.
    pub fn leave(&mut self, now: Millis) {
        if !self.session.is_leaving() {
            self.session = Session::Leaving { since: now };
        }
    }
}
