//! The evidence as messages: every distinct frame decoded once, in the direction in which it went.

use klaxon_protocol::player::{FromPlayer, ToPlayer};

use crate::evidence::{ConnectionLog, Direction, Entry, Evidence};

/// A message that was seen.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// From a player.
    Said(&'a FromPlayer),
    /// To a player.
    Heard(&'a ToPlayer),
    /// Bytes that are no message.
    Unreadable,
}

/// The evidence with its frames decoded.
pub struct Reading<'a> {
    evidence: &'a Evidence,
    said: Vec<Option<FromPlayer>>,
    heard: Vec<Option<ToPlayer>>,
}

impl<'a> Reading<'a> {
    /// Decodes what was seen.
    pub fn new(evidence: &'a Evidence) -> Self {
        let frames = evidence.frames.iter().count();
        let (mut was_said, mut was_heard) = (vec![false; frames], vec![false; frames]);
        for entry in evidence.connections.iter().flat_map(|log| &log.entries) {
            let seen = match entry.direction {
                Direction::Sent => &mut was_said,
                Direction::Received => &mut was_heard,
            };
            seen[entry.frame.0 as usize] = true;
        }
        let all = || evidence.frames.iter().map(|(id, codec, bytes)| (id.0 as usize, codec, bytes));
        let said = all().map(|(id, codec, bytes)| was_said[id].then(|| codec.decode(bytes, &[]).ok()).flatten());
        let said = said.collect();
        let heard = all().map(|(id, codec, bytes)| was_heard[id].then(|| codec.decode(bytes, &[]).ok()).flatten());
        Self { evidence, said, heard: heard.collect() }
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
            Direction::Sent => self.said[index].as_ref().map(Message::Said),
            Direction::Received => self.heard[index].as_ref().map(Message::Heard),
        };
        (entry, self.evidence.frames.get(entry.frame).1.len(), message.unwrap_or(Message::Unreadable))
    }
}
