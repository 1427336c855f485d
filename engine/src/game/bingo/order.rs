//! In which order the balls come. It follows from the seed, from the roster at the close of dealing, and from the public value if one was
//! announced. So neither who knows the seed can know the order before the roster is complete, nor who chooses the public value.

use sha2::{Digest, Sha256};

use super::dealer::TicketKind;
use super::draws::{Draws, Purpose, Seed};

impl TicketKind {
    /// How many balls are drawn from.
    #[must_use]
    pub const fn balls(self) -> u8 {
        match self {
            Self::Balls75 => 75,
            Self::Balls90 => 90,
        }
    }
}

/// The SHA-256 over all seats with tickets: which they are, since when, and how many tickets each has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RosterHash(pub [u8; 32]);

/// Hashes a roster seat by seat.
#[derive(Debug, Default)]
pub struct RosterHasher {
    hash: Sha256,
    /// The least number that the next seat can have.
    next: u64,
}

impl RosterHasher {
    /// Adds a seat that sat down at this time, in milliseconds since 1970. Seats are added in the order of their numbers, each once.
    ///
    /// # Panics
    /// If it is added out of order: the hash would depend on more than the roster.
    pub fn add(&mut self, seat: u32, sat_at: u64, tickets: u8) {
        assert!(u64::from(seat) >= self.next, "seat {seat} comes after seat {}", self.next.saturating_sub(1));
        self.next = u64::from(seat) + 1;
        self.hash.update(seat.to_be_bytes());
        self.hash.update(sat_at.to_be_bytes());
        self.hash.update([tickets]);
    }

    /// The hash of all seats that were added.
    #[must_use]
    pub fn hash(self) -> RosterHash {
        RosterHash(self.hash.finalize().into())
    }
}

/// All balls in the order in which they come, each order as probable as every other: the numbers from 1 on are put in their order, and
/// from the last place down each is exchanged with one at a random place up to its own.
#[must_use]
pub fn order(kind: TicketKind, seed: &Seed, roster: RosterHash, public_value: Option<&str>) -> Vec<u8> {
    let public_value = Sha256::digest(public_value.unwrap_or_default()).into();
    let purpose = Purpose::Balls { balls: kind.balls(), roster: roster.0, public_value };
    let mut draws = Draws::new(seed, purpose);
    let mut balls: Vec<u8> = (1..=kind.balls()).collect();
    shuffle(&mut balls, &mut draws);
    balls
}

pub(super) fn shuffle(balls: &mut [u8], draws: &mut Draws) {
    for place in (1..balls.len()).rev() {
        let other = draws.below(place as u128 + 1);
        balls.swap(place, usize::try_from(other).expect("it is below a place"));
    }
}
