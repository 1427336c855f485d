//! One connection as its shard keeps it, and what happens when it does not keep up.

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::Seq;
use klaxon_protocol::time::{Millis, Span};

use super::{Event, Outbox};
use crate::intake::Limiter;
use crate::session::{Close, Session};
use crate::transport::{ConnKey, Moment};

/// A connection that missed events must have caught up after this.
pub(super) const CATCH_UP: Span = Span(10_000);

/// An answer without a reply after this no longer counts as outstanding: the engine that had it is gone.
const REPLY_LOST: u64 = 5_000_000;

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
    /// Answers without a reply yet.
    pub outstanding: u8,
    /// When the last answer was read.
    pub asked: Moment,
    pub last_heard: Millis,
    /// Since when it is being closed.
    pub leaving: Option<Millis>,
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

/// What a frame is to the show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An event in order: who misses one needs a snapshot.
    InOrder,
    /// Superseded by the next of its sort.
    CanBeMissed,
    /// An answer to what the client said.
    Reply,
}

/// The client could not keep up, and has to be closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

impl Conn {
    pub fn new(key: ConnKey, codec: Codec, now: Moment) -> Self {
        Self {
            key,
            codec,
            session: Session::new(now.millis()),
            outbox: Outbox::default(),
            limiter: Limiter::default(),
            seen: Seq(0),
            pace: KeepsUp::Yes,
            display: true,
            dirty: false,
            outstanding: 0,
            asked: now,
            last_heard: now.millis(),
            leaving: None,
        }
    }

    /// Sends a frame, within `most` bytes of outbox.
    pub fn send(&mut self, bytes: Bytes, kind: Kind, most: usize, now: Millis) -> Result<(), TooSlow> {
        if self.leaving.is_some() || (self.pace != KeepsUp::Yes && kind != Kind::Reply) {
            return Ok(());
        }
        let fits = |outbox: &Outbox| outbox.is_empty() || outbox.bytes() + bytes.len() <= most;
        if !fits(&self.outbox) {
            self.outbox.drop_what_can_be_missed();
        }
        if fits(&self.outbox) {
            self.outbox.push(bytes, kind == Kind::CanBeMissed);
            return Ok(());
        }
        match kind {
            Kind::CanBeMissed => Ok(()),
            Kind::InOrder => {
                self.pace = KeepsUp::Behind { since: now };
                Ok(())
            }
            Kind::Reply => Err(TooSlow),
        }
    }

    /// Sends an event of the show, if this connection has not seen it.
    pub fn send_event(&mut self, event: &Event, most: usize, now: Millis) -> Result<(), TooSlow> {
        let seat = self.session.place().and_then(|place| place.seat);
        let Some(seq) = event.seq() else {
            return self.send(event.bytes(self.codec, seat), Kind::CanBeMissed, most, now);
        };
        if seq <= self.seen || self.pace != KeepsUp::Yes {
            return Ok(());
        }
        if seq != self.seen.next() {
            // The bus lost something: better a snapshot than a hole.
            self.pace = KeepsUp::Behind { since: now };
            return Ok(());
        }
        self.send(event.bytes(self.codec, seat), Kind::InOrder, most, now)?;
        if self.pace == KeepsUp::Yes {
            self.seen = seq;
        }
        Ok(())
    }

    /// Whether it is time to ask the engine for a snapshot. True once.
    pub fn wants_snapshot(&mut self) -> bool {
        match self.pace {
            KeepsUp::Behind { since } if self.outbox.is_empty() && self.leaving.is_none() => {
                self.pace = KeepsUp::Resyncing { since };
                true
            }
            _ => false,
        }
    }

    /// Whether it had its time to catch up.
    pub fn is_hopeless(&self, now: Millis) -> bool {
        match self.pace {
            KeepsUp::Yes => false,
            KeepsUp::Behind { since } | KeepsUp::Resyncing { since } => now.since(since) >= CATCH_UP,
        }
    }

    /// Counts an answer as outstanding, if no more than `most` are.
    pub fn may_answer(&mut self, now: Moment, most: u8) -> bool {
        if self.outstanding >= most.max(1) && now.0.saturating_sub(self.asked.0) < REPLY_LOST {
            return false;
        }
        if self.outstanding >= most.max(1) {
            self.outstanding = 0;
        }
        self.outstanding += 1;
        self.asked = now;
        true
    }

    /// An answer, read at that time, is replied to; returns how many microseconds that took.
    pub fn answered(&mut self, read_at: Millis, now: Moment) -> u64 {
        self.outstanding = self.outstanding.saturating_sub(1);
        // The protocol carries milliseconds; the last answer's reading is known better.
        let read = if self.asked.millis() == read_at { self.asked.0 } else { read_at.0.saturating_mul(1000) };
        now.0.saturating_sub(read)
    }

    /// Sends last words and the close frame; nothing more is sent or heard.
    pub fn close(&mut self, close: Close, last_words: Option<Bytes>, most: usize, now: Millis) {
        let words = last_words.unwrap_or_default();
        self.outbox.drop_what_can_be_missed();
        if self.outbox.bytes() + words.len() > most {
            self.outbox.drop_all();
        }
        self.outbox.push(words, false);
        self.outbox.push(close.frame(), false);
        self.leave(now);
    }

    /// Nothing more is sent or heard, but what waits is still written.
    pub fn leave(&mut self, now: Millis) {
        self.session = Session::Leaving;
        self.leaving.get_or_insert(now);
    }
}
