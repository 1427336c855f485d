//! Questions and their choices.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::binary::{Decode, Encode};
use crate::claim::ClaimValue;
/// A question is a round: its number in its show, from 1, in the order in which they are asked.
pub use crate::ids::RoundId as QuestionId;
use crate::ids::number_type;

number_type!(
    /// A choice's position in the question as it was sent, from 0.
    Choice(u8)
);

impl Choice {
    /// The choice that this value is, if it can be one.
    #[must_use]
    pub fn claimed(value: &ClaimValue) -> Option<Self> {
        match value {
            ClaimValue::Bits(bits) => u8::try_from(*bits).ok().map(Self),
            ClaimValue::Text(_) => None,
        }
    }

    /// The choice as an index into the question's choices.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// What people call it: A for the first.
    #[must_use]
    pub fn letter(self) -> char {
        char::from(b'A'.saturating_add(self.0.min(25)))
    }
}

impl From<Choice> for ClaimValue {
    fn from(choice: Choice) -> Self {
        Self::Bits(choice.0.into())
    }
}
