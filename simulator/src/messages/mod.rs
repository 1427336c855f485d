//! The evidence in decoded form: each distinct frame is decoded once for each direction in which it was sent.

mod rounds;

use klaxon_protocol::player::{FROM_PLAYER_TYPES, FromPlayer, ToPlayer};

use crate::evidence::{Direction, Entry, Evidence, FrameId};

pub use rounds::{RoundNews, RoundTimes, time_of};

/// A frame of a connection, decoded.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'m> {
    /// The player sent this.
    Sent(&'m FromPlayer),
    /// The player sent something that can't be decoded.
    SentUnreadable,
    /// The player received this.
    Received(&'m ToPlayer),
    /// The player received something that can't be decoded.
    ReceivedUnreadable,
}

/// The messages in the frames of the evidence.
#[derive(Debug)]
pub struct Messages {
    sent: Vec<Option<FromPlayer>>,
    received: Vec<Option<ToPlayer>>,
}

impl Messages {
    /// Decodes the sent frames as messages of players, and the received ones as messages to players.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Self {
        let mut ways = vec![(false, false); evidence.frames.iter().count()];
        for entry in evidence.connections.iter().flat_map(|log| &log.entries) {
            if let Some(way) = ways.get_mut(entry.frame.0 as usize) {
                match entry.direction {
                    Direction::Sent => way.0 = true,
                    Direction::Received => way.1 = true,
                }
            }
        }
        let frames = evidence.frames.iter().zip(ways);
        let decoded = frames.map(|((_, codec, bytes), (sent, received))| {
            let sent = sent.then(|| codec.decode(bytes, FROM_PLAYER_TYPES).ok()).flatten();
            let received = received.then(|| codec.decode(bytes, &[]).ok()).flatten();
            (sent, received)
        });
        let (sent, received) = decoded.unzip();
        Self { sent, received }
    }

    /// The decoded content of a frame.
    #[must_use]
    pub fn seen(&self, entry: &Entry) -> Seen<'_> {
        match entry.direction {
            Direction::Sent => self.sent(entry.frame).map_or(Seen::SentUnreadable, Seen::Sent),
            Direction::Received => self.received(entry.frame).map_or(Seen::ReceivedUnreadable, Seen::Received),
        }
    }

    /// The message in the frame; none if no player received it or it can't be decoded.
    #[must_use]
    pub fn received(&self, frame: FrameId) -> Option<&ToPlayer> {
        self.received.get(frame.0 as usize).and_then(Option::as_ref)
    }

    fn sent(&self, frame: FrameId) -> Option<&FromPlayer> {
        self.sent.get(frame.0 as usize).and_then(Option::as_ref)
    }
}
