//! Rounds and claims, as the rules and the arbiter share them.
//!
//! A **round** is a part of a show in which seats make claims: a question, a draw, a guess. A **claim** is a value for
//! (show, round, seat, key); the first claim for a key counts. The order between seats is decided by the game, by the
//! times at which claims were read.

use klaxon_protocol::binary::Encode;
use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};

/// Upper bound (exclusive) of the seats that can claim.
pub const SEATS: u32 = 10_000_000;

/// A round, with the claims that are possible in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// The round's number.
    pub id: RoundId,
    /// The claims that are possible.
    pub space: ClaimSpace,
}

/// The possible claims of a round. It never changes during the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct ClaimSpace {
    /// Upper bound (exclusive) of the keys.
    pub keys: u16,
    /// The possible values.
    pub values: ClaimValues,
}

/// The possible values of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
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
    /// The key of this claim among the seat's claims.
    pub key: ClaimKey,
    /// The claimed value.
    pub value: ClaimValue,
}

impl ClaimSpace {
    /// A space with one claim per seat, whose value is below `values`.
    #[must_use]
    pub const fn one_below(values: u64) -> Self {
        Self { keys: 1, values: ClaimValues::Below(values) }
    }

    /// Whether this claim is possible.
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
