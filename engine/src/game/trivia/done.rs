//! Which of the host's commands were done, to know one that is sent again.

use std::collections::VecDeque;

use bincode::Encode;
use bincode::enc::Encoder;
use bincode::error::EncodeError;
use klaxon_protocol::ids::CommandId;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How many are remembered.
const REMEMBERED: usize = 1000;

/// The last commands that were done.
#[derive(Debug, Clone, Default)]
pub struct Done {
    last: VecDeque<CommandId>,
    /// A hash over all that were ever done, so that the state's hash need not go through the remembered ones at every step.
    digest: u64,
}

impl Done {
    pub fn contains(&self, id: &CommandId) -> bool {
        self.last.contains(id)
    }

    pub fn add(&mut self, id: CommandId) {
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.digest = xxh3_64_with_seed(id.as_str().as_bytes(), self.digest);
        self.last.push_back(id);
    }
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
            forward.add(id(number));
            backward.add(id(REMEMBERED - number));
        }
        assert!(!forward.contains(&id(0)));
        assert!((1..=REMEMBERED).all(|number| forward.contains(&id(number))));
        assert_ne!(forward.digest, backward.digest);
    }
}
