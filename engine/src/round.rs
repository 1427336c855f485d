//! A round and its claims, as the rules and the arbiter know them.
//!
//! A **round** is a stretch of a show in which seats claim: a question, a draw, a guess. A **claim** is (show, round, seat, key) with a
//! value, and of those with one key the first stands. The order between seats is the game's, by the time at which a claim was read.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};

/// Seats that can claim are below this.
pub const SEATS: u32 = 10_000_000;

/// A round that is claimed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Which.
    pub id: RoundId,
    /// What its claims can be.
    pub space: ClaimSpace,
}

/// What the claims of a round can be. It is the same for as long as the round is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimSpace {
    /// Keys are below this.
    pub keys: u16,
    /// What a claim says.
    pub values: ClaimValues,
}

/// What claims say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimValues {
    /// Numbers below this.
    Below(u64),
    /// Any number or text.
    Any,
}

/// A seat's claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatClaim {
    /// Below [`SEATS`].
    pub seat: Seat,
    /// Which of the seat's claims.
    pub key: ClaimKey,
    /// What it says.
    pub value: ClaimValue,
}

impl ClaimSpace {
    /// One claim of a seat, below `values`.
    #[must_use]
    pub const fn one_below(values: u64) -> Self {
        Self { keys: 1, values: ClaimValues::Below(values) }
    }

    /// Whether it holds this claim.
    #[must_use]
    pub fn holds(&self, claim: &SeatClaim) -> bool {
        let fits = match (self.values, &claim.value) {
            (ClaimValues::Below(limit), ClaimValue::Bits(bits)) => *bits < limit,
            (ClaimValues::Below(_), ClaimValue::Text(_)) => false,
            (ClaimValues::Any, _) => true,
        };
        claim.seat.0 < SEATS && claim.key.0 < self.keys && fits
    }
}
