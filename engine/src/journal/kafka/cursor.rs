//! How far one show has come on its way from the spool to Kafka.

use std::time::Instant;

use klaxon_protocol::ids::Fence;

use super::Mark;
use super::producer::Sent;

/// A place in a show's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The number of the next record.
    pub(super) next: u64,
    /// Where it begins, in bytes.
    pub(super) at: u64,
    /// The fence of the record before it.
    pub(super) fence: Fence,
}

impl Place {
    /// Where a file begins.
    pub(super) const START: Self = Self { next: 0, at: 0, fence: Fence(0) };
}

/// How far one show has come.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Of which writing of the file the places are.
    pub(super) generation: u64,
    /// How often it went back. What was sent before the last time does not count.
    pub(super) turn: u64,
    /// What is sent next.
    pub(super) sending: Place,
    /// Before it, Kafka has all.
    pub(super) sure: Place,
    /// What Redis knows of it.
    pub(super) told: Option<u64>,
    /// Whether the show is over.
    pub(super) over: bool,
    /// Whether there may be more in the file.
    pub(super) more: bool,
    /// Nothing is sent before.
    pub(super) paused_until: Option<Instant>,
}

impl Cursor {
    pub(super) const fn at(generation: u64, place: Place, told: Option<u64>, over: bool) -> Self {
        Self { generation, turn: 0, sending: place, sure: place, told, over, more: true, paused_until: None }
    }

    /// Sends everything again that Kafka is not known to have.
    pub(super) fn go_back(&mut self) {
        self.turn += 1;
        self.sending = self.sure;
        self.more = true;
    }

    /// Kafka has this record.
    pub(super) fn arrived(&mut self, sent: &Sent) {
        if sent.turn == self.turn && sent.number == self.sure.next {
            self.sure = Place { next: sent.number + 1, at: sent.end, fence: sent.fence };
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { next: self.sure.next, fence: self.sure.fence }
    }

    /// Whether Redis does not know yet how far it is.
    pub(super) fn has_to_tell(&self) -> bool {
        self.sure.next > 0 && self.told != Some(self.sure.next)
    }

    /// Whether Kafka has all that was found in the file.
    pub(super) fn is_idle(&self) -> bool {
        !self.more && self.sending.next == self.sure.next && !self.has_to_tell()
    }

    pub(super) fn may_send(&self, now: Instant) -> bool {
        self.more && self.paused_until.is_none_or(|until| until <= now)
    }
}
