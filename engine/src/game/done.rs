//! The host's commands that were executed, so that a repeated one is recognised.

use std::collections::VecDeque;

use klaxon_protocol::binary::{self, Encode, EncodeError, Encoder};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::CommandId;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// How many commands are kept.
const REMEMBERED: usize = 1000;

/// The last executed commands.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// Each command with the hash of its action; none for the command that created the show.
    last: VecDeque<(CommandId, Option<u64>)>,
    /// A hash over the ids of all executed commands, so that the state hash need not cover the kept ones at every step.
    digest: u64,
}

impl Done {
    /// Whether the command with this id had this action; none if no such command is kept.
    pub fn did(&self, id: &CommandId, action: &Action) -> Option<bool> {
        let (_, did) = self.last.iter().rev().find(|(known, _)| known == id)?;
        Some(*did == Some(hash(action)))
    }

    /// The show was created.
    pub fn add_create(&mut self, id: CommandId) {
        self.remember(id, None);
    }

    /// An action was done.
    pub fn add(&mut self, id: CommandId, action: &Action) {
        self.remember(id, Some(hash(action)));
    }

    fn remember(&mut self, id: CommandId, did: Option<u64>) {
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.digest = xxh3_64_with_seed(id.as_str().as_bytes(), self.digest);
        self.last.push_back((id, did));
    }
}

fn hash(action: &Action) -> u64 {
    xxh3_64(&binary::encode(action))
}

impl Encode for Done {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.digest.encode(encoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thousand_are_known_and_their_order_tells() {
        let id = |number: usize| CommandId::parse(&number.to_string()).unwrap();
        let (mut forward, mut backward) = (Done::default(), Done::default());
        for number in 0..=REMEMBERED {
            forward.add(id(number), &Action::Next);
            backward.add(id(REMEMBERED - number), &Action::Next);
        }
        assert_eq!(forward.did(&id(0), &Action::Next), None);
        assert!((1..=REMEMBERED).all(|number| forward.did(&id(number), &Action::Next) == Some(true)));
        assert_eq!(forward.did(&id(1), &Action::Reveal), Some(false));
        assert_ne!(forward.digest, backward.digest);
    }
}
