//! What answers are worth, by kind: pure functions of the values that were claimed. docs/rules/quiz.md has the rules.
//!
//! Nothing here depends on the order in which answers were counted: between seats only the time at which an answer was read decides, then the
//! number of the seat.

pub mod best;
pub mod buzzer;
pub mod choices;
pub mod cloud;
pub mod majority;
pub mod number;
pub mod order;
pub mod points;
pub mod race;
pub mod wager;

#[cfg(test)]
mod tests;

/// The share of an answer that is right, in parts of ten thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

impl Share {
    /// Nothing of it is right.
    pub const NONE: Self = Self(0);
    /// All of it is right.
    pub const WHOLE: Self = Self(10_000);

    /// This part of a whole, rounded down; what is more than the whole is the whole.
    pub fn of(part: u64, whole: u64) -> Self {
        let parts = u128::from(part) * u128::from(Self::WHOLE.0) / u128::from(whole.max(1));
        u16::try_from(parts).map_or(Self::WHOLE, |parts| Self(parts).min(Self::WHOLE))
    }

    /// All or nothing.
    pub const fn all_if(right: bool) -> Self {
        if right { Self::WHOLE } else { Self::NONE }
    }

    /// This share of an amount, rounded down.
    pub fn take(self, amount: u32) -> u32 {
        let taken = u64::from(amount) * u64::from(self.0) / u64::from(Self::WHOLE.0);
        u32::try_from(taken).expect("a share is no more than the whole")
    }
}

/// What became of a seat's answer to a question that has a right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// There is no answer.
    Silent,
    /// It is wrong.
    Wrong,
    /// This share of it is right: neither nothing nor all.
    Partly(Share),
    /// It is right.
    Right,
    /// It is right, at this place of those that are paid by place, from 1.
    Placed(u32),
}

impl Mark {
    /// The mark of an answer of which this share is right.
    pub fn of(share: Share) -> Self {
        match share {
            Share::NONE => Self::Wrong,
            Share::WHOLE => Self::Right,
            part => Self::Partly(part),
        }
    }

    /// Whether all of it is right.
    pub const fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::Placed(_))
    }
}
