//! What can be won in a quiz.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::games::trivia::NobodyLeft;
use crate::ids::Seat;

/// What can be won in a quiz, in minor units of the show's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum QuizPrizes {
    /// Those who are in play at the end of the quiz share a pot evenly. Needs elimination.
    Survivors {
        /// What they share, from 1.
        #[schemars(range(min = 1))]
        pot: u64,
        /// What happens to it when an elimination leaves nobody.
        #[serde(default = "rollover")]
        nobody_left: NobodyLeft,
    },
    /// Those in play with the most points win an amount each. Needs points.
    Places {
        /// What the first, second, ... place wins.
        #[schemars(inner(range(min = 1)))]
        amounts: Vec<u64>,
    },
}

impl QuizPrizes {
    /// What can be won; none if that is more than a number can hold.
    #[must_use]
    pub fn pot(&self) -> Option<u64> {
        match self {
            Self::Survivors { pot, .. } => Some(*pot),
            Self::Places { amounts } => amounts.iter().try_fold(0_u64, |sum, amount| sum.checked_add(*amount)),
        }
    }
}

/// The prizes at the end of a quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrizesPaid {
    /// What could be won.
    pub pot: u64,
    /// What was won.
    pub paid: u64,
    /// How many won something.
    pub count: u32,
    /// The first of them, best first: 100 at most.
    pub winners: Vec<PrizeWinner>,
}

/// A player who won something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrizeWinner {
    /// The place by points, from 1; equals share one.
    pub place: u32,
    /// The player's seat.
    pub seat: Seat,
    /// What the player won.
    pub amount: u64,
}

const fn rollover() -> NobodyLeft {
    NobodyLeft::Rollover
}
