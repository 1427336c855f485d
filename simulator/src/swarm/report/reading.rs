//! The evidence as messages: every distinct frame decoded once, in the direction in which it went.

use klaxon_protocol::player::{FromPlayer, ToPlayer};

use crate::evidence::{ConnectionLog, Direction, Entry, Evidence};

/// A message that was seen.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// From a player.
    Sent(&'a FromPlayer),
    /// To a player.
    Received(&'a ToPlayer),
    /// Bytes that are no message.
    Unreadable,
}

/// The evidence with its frames decoded.
pub struct Reading<'a> {
    evidence: &'a Evidence,
    sent: Vec<Option<FromPlayer>>,
    received: Vec<Option<ToPlayer>>,
}

impl<'a> Reading<'a> {
    /// Decodes what was seen.
    pub fn new(evidence: &'a Evidence) -> Self {
        let frames = evidence.frames.iter().count();
        let (mut was_sent, mut was_received) = (vec![false; frames], vec![false; frames]);
        for entry in evidence.connections.iter().flat_map(|log| &log.entries) {
            let seen = match entry.direction {
                Direction::Sent => &mut was_sent,
                Direction::Received => &mut was_received,
            };
            seen[entry.frame.0 as usize] = true;
        }
        let all = || evidence.frames.iter().map(|(id, codec, bytes)| (id.0 as usize, codec, bytes));
        let sent = all().map(|(id, codec, bytes)| was_sent[id].then(|| codec.decode(bytes, &[]).ok()).flatten());
        let sent = sent.collect();
        let received =
            all().map(|(id, codec, bytes)| was_received[id].then(|| codec.decode(bytes, &[]).ok()).flatten());
        Self { evidence, sent, received: received.collect() }
    }

    /// Every connection with its messages: when and which way, how many bytes, and what.
    pub fn connections(
        &self,
    ) -> impl Iterator<Item = (&'a ConnectionLog, impl Iterator<Item = (&'a Entry, usize, Message<'_>)>)> {
        self.evidence.connections.iter().map(|log| (log, log.entries.iter().map(|entry| self.read(entry))))
    }

    fn read(&self, entry: &'a Entry) -> (&'a Entry, usize, Message<'_>) {
        let index = entry.frame.0 as usize;
        let message = match entry.direction {
            Direction::Sent => self.sent[index].as_ref().map(Message::Sent),
            Direction::Received => self.received[index].as_ref().map(Message::Received),
        };
        (entry, self.evidence.frames.get(entry.frame).1.len(), message.unwrap_or(Message::Unreadable))
    }
}
