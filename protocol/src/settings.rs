//! How a show is played: what the host chooses when creating it.

use bincode::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pack::OPEN_FOR;
use crate::time::Span;

/// The largest pot in minor units: 2^53 - 1, so that JavaScript can count it.
pub const LARGEST_POT: u64 = (1 << 53) - 1;
/// How many places a podium may have.
pub const PODIUM_PLACES: std::ops::RangeInclusive<usize> = 1..=100;
/// The most lives a player can have.
pub const MOST_LIVES: u8 = 99;

/// How a show is played. Whatever is left out has the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(default)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Settings {
    /// Elimination, points, or both.
    pub mode: Mode,
    /// Extra lives that each player starts with, 0 to 99; they count in elimination only.
    pub lives: u8,
    /// How long a question is open, unless the pack says otherwise: 500 ms to 10 min.
    pub open_for: Span,
    /// From the moment a question is sent until it opens, so that it is on every phone by then: 0 to 60 s.
    pub lead: Span,
    /// The longest wait at a close for gateways that have not handed in what they read in time: 10 ms to 10 s.
    pub barrier: Span,
    /// Mix each question's choices (by the show's recorded seed).
    pub shuffle: bool,
    /// What is won, in minor units of `currency` (cents), 0 to 2^53 - 1.
    pub pot: u64,
    /// ISO 4217 code of the pot, three capital letters.
    pub currency: String,
    /// Who wins how much of the pot.
    pub prize: PrizeRule,
    /// What happens to the pot when an elimination leaves nobody.
    pub nobody_left: NobodyLeft,
    /// The show's timed script, used while the autopilot is on.
    pub autopilot: Autopilot,
    /// How many players may have a seat, 1 to 10 million.
    pub seats: u32,
}

/// What a right or wrong answer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum Mode {
    /// Wrong or silent costs a life or, without one, the place in the show.
    Elimination,
    /// Right and fast earns points; nobody leaves.
    Points,
    /// Elimination, and points rank the survivors.
    Both,
}

impl Mode {
    /// Whether wrong or silent players leave.
    #[must_use]
    pub const fn eliminates(self) -> bool {
        matches!(self, Self::Elimination | Self::Both)
    }

    /// Whether right answers earn points.
    #[must_use]
    pub const fn scores(self) -> bool {
        matches!(self, Self::Points | Self::Both)
    }
}

/// Who wins how much. docs/rules.md has the rule for remainders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum PrizeRule {
    /// The survivors share the pot evenly. Needs elimination.
    Split,
    /// The first places win parts of the pot.
    Podium {
        /// The parts of the first, second, ... place, as weights: [50, 30, 20] halves the pot for the winner.
        weights: Vec<u32>,
    },
}

/// What happens to the pot when nobody is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub enum NobodyLeft {
    /// It is kept for another show.
    Rollover,
    /// Those who were last to leave share it.
    LastStanding,
}

/// The timed script of a show without a host's hand: lobby, then question, reveal, question, ..., podium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, JsonSchema)]
#[serde(default)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Autopilot {
    /// Whether the script runs from the start.
    pub on: bool,
    /// From the opening of the lobby to the first question.
    pub lobby: Span,
    /// From the tally to the reveal.
    pub suspense: Span,
    /// From a reveal to the next question, or to the end of the show.
    pub pause: Span,
}

impl Default for Autopilot {
    fn default() -> Self {
        Self { on: false, lobby: Span(30_000), suspense: Span(2_000), pause: Span(8_000) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Elimination,
            lives: 0,
            open_for: Span(10_000),
            lead: Span(500),
            barrier: Span(500),
            shuffle: true,
            pot: 0,
            currency: "EUR".into(),
            prize: PrizeRule::Split,
            nobody_left: NobodyLeft::Rollover,
            autopilot: Autopilot::default(),
            seats: 1_000_000,
        }
    }
}

impl Settings {
    /// Everything that is wrong with the settings, each line naming the setting and what is allowed.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |fine: bool, problem: &str| {
            if !fine {
                problems.push(problem.to_owned());
            }
        };
        check(self.lives <= MOST_LIVES, "lives: 0 to 99");
        check(OPEN_FOR.contains(&self.open_for), "open_for: 500 to 600000 (milliseconds)");
        check(self.lead.0 <= 60_000, "lead: 0 to 60000 (milliseconds)");
        check((10..=10_000).contains(&self.barrier.0), "barrier: 10 to 10000 (milliseconds)");
        check(self.pot <= LARGEST_POT, "pot: 0 to 9007199254740991 (minor units)");
        check(
            self.currency.len() == 3 && self.currency.bytes().all(|b| b.is_ascii_uppercase()),
            "currency: three capital letters of ISO 4217, such as EUR",
        );
        check((1..=10_000_000).contains(&self.seats), "seats: 1 to 10000000");
        match &self.prize {
            PrizeRule::Split => {
                check(self.mode.eliminates(), "prize: `split` is for survivors and needs mode `elimination` or `both`");
            }
            PrizeRule::Podium { weights } => {
                check(PODIUM_PLACES.contains(&weights.len()), "prize.weights: 1 to 100 places");
                check(
                    weights.iter().all(|&weight| (1..=1_000_000).contains(&weight)),
                    "prize.weights: each from 1 to 1000000",
                );
                check(weights.is_sorted_by(|a, b| a >= b), "prize.weights: a better place never wins less");
            }
        }
        for (name, span) in [
            ("autopilot.lobby", self.autopilot.lobby),
            ("autopilot.suspense", self.autopilot.suspense),
            ("autopilot.pause", self.autopilot.pause),
        ] {
            check(span.0 <= 3_600_000, &format!("{name}: 0 to 3600000 (milliseconds)"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_a_show() {
        assert_eq!(Settings::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn wrong_settings_are_all_named() {
        let wrong = Settings { mode: Mode::Points, currency: "euro".into(), open_for: Span(1), ..Settings::default() };
        let problems = wrong.problems();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems.iter().any(|line| line.starts_with("prize:")));
    }
}
