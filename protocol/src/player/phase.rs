//! Where a show is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binary::{Decode, Encode};

/// Where a show is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Phase {
    /// Created; nobody can join yet.
    Created,
    /// Players join.
    Lobby,
    /// A question is sent; it opens at its `opens_at` and takes answers until its `closes_at`.
    Question,
    /// Time is up; answers that were read in time are still being counted.
    Closing,
    /// Counted, not yet revealed.
    Closed,
    /// The right choice is known.
    Revealed,
    /// Over.
    Ended,
}

impl Phase {
    /// Whether no round was begun yet.
    #[must_use]
    pub const fn is_lobby(self) -> bool {
        matches!(self, Self::Created | Self::Lobby)
    }

    /// Whether seats can claim.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Question)
    }
}
