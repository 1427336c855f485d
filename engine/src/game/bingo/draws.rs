//! Numbers that follow from a show's seed, and from nothing else: anybody who knows the seed can compute them again.

use sha2::{Digest, Sha256};

/// Bytes of a block of SHA-256.
const BLOCK: usize = 32;

/// From which all that is random in a show follows. It is secret until the show is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

/// Written as its commitment: a seed in a log would tell the balls before they are drawn.
impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seed(committed to by ")?;
        self.commitment().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}

impl Seed {
    /// The seed's SHA-256, which is published before the first ticket is dealt.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

/// What numbers are drawn for. Each purpose has numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A single ticket with 75 numbers, or 90; or a strip of six with 90.
    Ticket {
        /// Its kind: 75, 90, or 6 for a strip.
        kind: u8,
        /// The seat that it is dealt to.
        seat: u32,
        /// Which of the seat's tickets, or strips, from 0 on.
        number: u32,
        /// How often it was dealt again, because a ticket like it had been dealt before.
        again: u32,
    },
    /// The order of the balls.
    Balls {
        /// How many there are.
        balls: u8,
        /// The hash of the roster at the close of dealing.
        roster: [u8; 32],
        /// The SHA-256 of the public value, of no bytes if there is none.
        public_value: [u8; 32],
    },
}

impl Purpose {
    /// A hash that begins with the seed and with what sets this purpose apart: a letter, then fields of fixed lengths.
    fn begin(self, seed: &Seed) -> Sha256 {
        let hash = Sha256::new().chain_update(seed.0);
        match self {
            Self::Ticket { kind, seat, number, again } => {
                let mut bytes = [b't', kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                bytes[2..6].copy_from_slice(&seat.to_be_bytes());
                bytes[6..10].copy_from_slice(&number.to_be_bytes());
                bytes[10..].copy_from_slice(&again.to_be_bytes());
                hash.chain_update(bytes)
            }
            Self::Balls { balls, roster, public_value } => {
                hash.chain_update([b'b', balls]).chain_update(roster).chain_update(public_value)
            }
        }
    }
}

/// Uniform random numbers. The bytes that they are made of are the SHA-256 of the seed, the purpose and the number of the block, one block
/// after another.
#[derive(Debug)]
pub struct Draws {
    /// The hash of what is the same in all blocks.
    prefix: Sha256,
    blocks: u32,
    block: [u8; BLOCK],
    used: usize,
}

impl Draws {
    /// The numbers for a purpose.
    #[must_use]
    pub fn new(seed: &Seed, purpose: Purpose) -> Self {
        Self { prefix: purpose.begin(seed), blocks: 0, block: [0; BLOCK], used: BLOCK }
    }

    fn byte(&mut self) -> u8 {
        if self.used == BLOCK {
            self.block = self.prefix.clone().chain_update(self.blocks.to_be_bytes()).finalize().into();
            self.blocks += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// A number from 0 to `bound` - 1, each as probable as every other: as many bits are taken as the largest has, and taken anew
    /// while they make a number that is too large, which they do less than half of the time.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u128) -> u128 {
        assert!(bound > 0, "there is no number below 0");
        let bits = u128::BITS - (bound - 1).leading_zeros();
        let mask = 1_u128.checked_shl(bits).map_or(u128::MAX, |power| power - 1);
        loop {
            let bytes = bits.div_ceil(8);
            let number = (0..bytes).fold(0, |number, _| number << 8 | u128::from(self.byte())) & mask;
            if number < bound {
                return number;
            }
        }
    }
}
