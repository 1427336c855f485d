//! How a show is played: what the host chooses when creating it.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::pack::OPEN_FOR;
use crate::binary::{Decode, Encode};
use crate::limits::{BARRIER, SEATS, USUAL_BARRIER, USUAL_SEATS};
use crate::time::Span;

/// The largest pot in minor units: 2^53 - 1, so that JavaScript can count it.
pub const LARGEST_POT: u64 = (1 << 53) - 1;
/// How many places a podium may have.
pub const PODIUM_PLACES: RangeInclusive<usize> = 1..=100;
/// The most lives a player can have.
pub const MOST_LIVES: u8 = 99;

/// From the moment a question is sent until it opens.
const LEAD: RangeInclusive<Span> = Span(0)..=Span(60_000);
/// How many extra lives a player can begin with.
const LIVES: RangeInclusive<u8> = 0..=MOST_LIVES;
/// How much can be won.
const POT: RangeInclusive<u64> = 0..=LARGEST_POT;
/// How large a place's part of the pot may be.
const WEIGHT: RangeInclusive<u32> = 1..=1_000_000;
/// The longest step of the script.
const LONGEST_STEP: Span = Span(3_600_000);

/// The table of settings: each with what it is, its type, its default and, if it is a number, what is allowed and in which unit.
///
/// `first` are those that bincode and old journals have without names ([`super::FirstSettings`]); it never changes. `newer` grows at its
/// end. The default of a newer one is how shows were played before there was that setting, and never changes either: what is at its
/// default is not written, so that a program without the setting can play the show.
macro_rules! settings {
    (
        first { $($(#[$first_told:meta])* $first:ident: $first_type:ty = $first_default:expr $(, $first_range:expr, $first_unit:literal)?;)* }
        newer { $($(#[$newer_told:meta])* $newer:ident: $newer_type:ty = $newer_default:expr $(, $newer_range:expr, $newer_unit:literal)?;)* }
    ) => {
        /// How a show is played. Whatever is left out has the default.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
        #[serde(default)]
        pub struct Settings {
            $(
                $(#[$first_told])*
                $(#[schemars(extend("minimum" = $first_range.start(), "maximum" = $first_range.end()))])?
                pub $first: $first_type,
            )*
            $(
                $(#[$newer_told])*
                $(#[schemars(extend("minimum" = $newer_range.start(), "maximum" = $newer_range.end()))])?
                pub $newer: $newer_type,
            )*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($first: $first_default,)* $($newer: $newer_default,)* }
            }
        }

        impl Settings {
            /// The settings that bincode's `create` does not have.
            pub const NEWER: &[&str] = &[$(stringify!($newer)),*];

            /// The numbers that are out of their range.
            fn out_of_range(&self) -> Vec<String> {
                let mut wrong = Vec::new();
                $($(out_of_range(&mut wrong, stringify!($first), $first_range, $first_unit, self.$first);)?)*
                $($(out_of_range(&mut wrong, stringify!($newer), $newer_range, $newer_unit, self.$newer);)?)*
                wrong
            }
        }

        impl<'de> Deserialize<'de> for Settings {
            /// What is left out is none at first, for some defaults follow from others.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(rename = "Settings")]
                struct Sent {
                    $($first: Option<$first_type>,)*
                    $($newer: Option<$newer_type>,)*
                }
                let sent = Sent::deserialize(deserializer)?;
                let usual = Self::of_mode(sent.mode.unwrap_or(Self::default().mode));
                Ok(Self {
                    $($first: sent.$first.unwrap_or(usual.$first),)*
                    $($newer: sent.$newer.unwrap_or(usual.$newer),)*
                })
            }
        }
    };
}

settings! {
    first {
        /// Elimination, points, or both.
        mode: Mode = Mode::Elimination;
        /// Extra lives that each player starts with, 0 to 99; they count in elimination only.
        lives: u8 = 0, LIVES, "";
        /// How long a question is open, unless the pack says otherwise: 500 ms to 10 min.
        open_for: Span = Span(10_000), OPEN_FOR, " (milliseconds)";
        /// From the moment a question is sent until it opens, so that it is on every phone by then: 0 to 60 s.
        lead: Span = Span(500), LEAD, " (milliseconds)";
        /// The longest wait at a close for gateways that have not handed in what they read in time: 10 ms to 10 s.
        barrier: Span = USUAL_BARRIER, BARRIER, " (milliseconds)";
        /// Mix each question's choices (by the show's recorded seed).
        shuffle: bool = true;
        /// What is won, in minor units of `currency` (cents), 0 to 2^53 - 1.
        pot: u64 = 0, POT, " (minor units)";
        /// ISO 4217 code of the pot, three capital letters.
        currency: String = "EUR".into();
        /// Who wins how much of the pot. In mode `points` the default is a podium with the weights 50, 30 and 20.
        prize: PrizeRule = PrizeRule::Split;
        /// What happens to the pot when an elimination leaves nobody.
        nobody_left: NobodyLeft = NobodyLeft::Rollover;
        /// The show's timed script, used while the autopilot is on.
        autopilot: Autopilot = Autopilot::default();
        /// How many players may have a seat, 1 to 10 million.
        seats: u32 = USUAL_SEATS, SEATS, "";
    }
    newer {
        /// Whether a right answer earns the more points the faster it was. If not, each earns 1000, and more for a streak.
        speed_points: bool = true;
        /// Whether right answers in a row earn more.
        streak_points: bool = true;
    }
}

/// A number that a setting can be.
trait Number: Copy + PartialOrd {
    /// As it stands in JSON.
    fn number(self) -> u64;
}

impl Number for u8 {
    fn number(self) -> u64 {
        self.into()
    }
}

impl Number for u32 {
    fn number(self) -> u64 {
        self.into()
    }
}

impl Number for u64 {
    fn number(self) -> u64 {
        self
    }
}

impl Number for Span {
    fn number(self) -> u64 {
        self.0.into()
    }
}

/// Notes a number that is not allowed.
fn out_of_range<T: Number>(wrong: &mut Vec<String>, name: &str, allowed: RangeInclusive<T>, unit: &str, value: T) {
    if !allowed.contains(&value) {
        let (least, most) = (allowed.start().number(), allowed.end().number());
        wrong.push(format!("{name}: {least} to {most}{unit}, not {}", value.number()));
    }
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

/// Who wins how much. docs/rules/trivia.md has the rule for remainders.
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

impl PrizeRule {
    /// The rule of a show whose host names none: survivors share, and where nobody leaves the first three places win.
    #[must_use]
    pub fn usual(mode: Mode) -> Self {
        if mode.eliminates() { Self::Split } else { Self::Podium { weights: vec![50, 30, 20] } }
    }
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
    #[schemars(extend("maximum" = LONGEST_STEP))]
    pub lobby: Span,
    /// From the tally to the reveal.
    #[schemars(extend("maximum" = LONGEST_STEP))]
    pub suspense: Span,
    /// From a reveal to the next question, or to the end of the show.
    #[schemars(extend("maximum" = LONGEST_STEP))]
    pub pause: Span,
}

impl Default for Autopilot {
    fn default() -> Self {
        Self { on: false, lobby: Span(30_000), suspense: Span(2_000), pause: Span(8_000) }
    }
}

impl Settings {
    /// The defaults of this mode.
    #[must_use]
    pub fn of_mode(mode: Mode) -> Self {
        Self { mode, prize: PrizeRule::usual(mode), ..Self::default() }
    }

    /// Everything that is wrong with the settings, each line naming the setting and what is allowed.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.out_of_range();
        let mut wrong = |problem: String| problems.push(problem);
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            wrong("currency: three capital letters of ISO 4217, such as EUR".into());
        }
        match &self.prize {
            PrizeRule::Split if !self.mode.eliminates() => {
                wrong("prize: `split` is for survivors and needs mode `elimination` or `both`".into());
            }
            PrizeRule::Split => {}
            PrizeRule::Podium { weights } => {
                if !PODIUM_PLACES.contains(&weights.len()) {
                    wrong(format!("prize.weights: 1 to 100 places, not {}", weights.len()));
                }
                if let Some(weight) = weights.iter().find(|weight| !WEIGHT.contains(weight)) {
                    wrong(format!("prize.weights: each from 1 to 1000000, not {weight}"));
                }
                if !weights.is_sorted_by(|a, b| a >= b) {
                    wrong("prize.weights: a better place never wins less".into());
                }
            }
        }
        let Autopilot { lobby, suspense, pause, .. } = self.autopilot;
        for (name, step) in [("autopilot.lobby", lobby), ("autopilot.suspense", suspense), ("autopilot.pause", pause)] {
            out_of_range(&mut problems, name, Span(0)..=LONGEST_STEP, " (milliseconds)", step);
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

    #[test]
    fn a_number_out_of_range_is_told_as_it_was_sent() {
        let wrong = Settings {
            lives: 100,
            open_for: Span(u32::MAX),
            barrier: Span(9),
            pot: u64::MAX,
            seats: 0,
            prize: PrizeRule::Podium { weights: vec![1_000_001] },
            ..Settings::default()
        };
        assert_eq!(
            wrong.problems(),
            [
                "lives: 0 to 99, not 100",
                "open_for: 500 to 600000 (milliseconds), not 4294967295",
                "barrier: 10 to 10000 (milliseconds), not 9",
                "pot: 0 to 9007199254740991 (minor units), not 18446744073709551615",
                "seats: 1 to 10000000, not 0",
                "prize.weights: each from 1 to 1000000, not 1000001",
            ]
        );
    }

    #[test]
    fn a_prize_that_is_left_out_follows_the_mode() {
        for (json, mode) in [
            ("{}", Mode::Elimination),
            (r#"{"mode":"elimination"}"#, Mode::Elimination),
            (r#"{"mode":"points"}"#, Mode::Points),
            (r#"{"mode":"points","prize":null}"#, Mode::Points),
            (r#"{"mode":"both"}"#, Mode::Both),
        ] {
            let settings: Settings = serde_json::from_str(json).unwrap();
            assert_eq!(settings, Settings::of_mode(mode), "{json}");
            assert_eq!(settings.problems(), Vec::<String>::new(), "{json}");
        }
        let given: Settings = serde_json::from_str(r#"{"mode":"points","prize":{"rule":"split"}}"#).unwrap();
        assert_eq!(given.prize, PrizeRule::Split, "what a host asks for is refused, not changed");
        assert_eq!(given.problems().len(), 1);
    }
}
