//! The edition of the rules under which a show is played.
//!
//! A corrected rule applies to new shows only: code that differs between editions checks [`Trivia`](super::Trivia)'s
//! `rules`, so that old journals replay to the states and prizes that they recorded. docs/rules/trivia.md lists the
//! differences.

use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::journal::RulesVersion;

/// An edition of the rules, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rules {
    /// The edition of journals that name none.
    First,
    /// Whose journals name players.
    Second,
    /// Of new shows: nothing that it does or hashes depends on who a player is or what they are called.
    Third,
}

impl Rules {
    /// The edition with this number.
    ///
    /// # Errors
    /// `unavailable` if this program does not have it.
    pub fn of(version: RulesVersion) -> Result<Self, Refusal> {
        match version {
            RulesVersion(1) => Ok(Self::First),
            RulesVersion(2) => Ok(Self::Second),
            RulesVersion(3) => Ok(Self::Third),
            RulesVersion(other) => Err(Refusal::because(
                ErrorCode::Unavailable,
                format!(
                    "The show is played by edition {other} of the rules; this program has 1 to {}. Use the program that wrote it, or a newer one.",
                    RulesVersion::NEWEST.0
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_shows_are_played_by_an_edition_that_there_is_and_unknown_ones_are_refused_by_number() {
        assert_eq!(Rules::of(RulesVersion::NEWEST).unwrap(), Rules::Third);
        assert_eq!(Rules::of(RulesVersion::WITH_NAMES).unwrap(), Rules::Second);
        assert_eq!(Rules::of(RulesVersion::FIRST).unwrap(), Rules::First);
        for unknown in [0, RulesVersion::NEWEST.0 + 1, u16::MAX] {
            let refusal = Rules::of(RulesVersion(unknown)).unwrap_err();
            assert!(refusal.to_string().contains(&format!("edition {unknown} ")), "{refusal}");
        }
    }
}
