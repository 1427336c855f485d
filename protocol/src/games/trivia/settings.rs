//! How a show is played: what the host chooses when creating it.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::pack::OPEN_FOR;
use crate::binary::{Decode, Encode};
use crate::limits::{BARRIER, SEATS, USUAL_BARRIER, USUAL_SEATS};
use crate::time::Span;

/// The largest pot in minor units: 2^53 - 1, so that JavaScript can count it.
pub const LARGEST_POT: u64 = (1 << 53) - 1;
/// How many places a podium may have.
pub const PODIUM_PLACES: std::ops::RangeInclusive<usize> = 1..=100;
/// The most lives a player can have.
pub const MOST_LIVES: u8 = 99;

/// From the moment a question is sent until it opens, at most.
const LONGEST_LEAD: Span = Span(60_000);

/// How large a place's part of the pot may be.
const WEIGHT: std::ops::RangeInclusive<u32> = 1..=1_000_000;
/// The longest step of the script.
const LONGEST_STEP: Span = Span(3_600_000);

/// How a show is played. Whatever is left out has the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode, JsonSchema)]
#[serde(default)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Settings {
    /// Elimination, points, or both.
    pub mode: Mode,
    /// Extra lives that each player starts with, 0 to 99; they count in elimination only.
    #[schemars(extend("maximum" = MOST_LIVES))]
    pub lives: u8,
    /// How long a question is open, unless the pack says otherwise: 500 ms to 10 min.
    #[schemars(extend("minimum" = OPEN_FOR.start(), "maximum" = OPEN_FOR.end()))]
    pub open_for: Span,
    /// From the moment a question is sent until it opens, so that it is on every phone by then: 0 to 60 s.
    #[schemars(extend("maximum" = LONGEST_LEAD))]
    pub lead: Span,
    /// The longest wait at a close for gateways that have not handed in what they read in time: 10 ms to 10 s.
    #[schemars(extend("minimum" = BARRIER.start(), "maximum" = BARRIER.end()))]
    pub barrier: Span,
    /// Mix each question's choices (by the show's recorded seed).
    pub shuffle: bool,
    /// What is won, in minor units of `currency` (cents), 0 to 2^53 - 1.
    #[schemars(extend("maximum" = LARGEST_POT))]
    pub pot: u64,
    /// ISO 4217 code of the pot, three capital letters.
    pub currency: String,
    /// Who wins how much of the pot. In mode `points` the default is a podium with the weights 50, 30 and 20.
    pub prize: PrizeRule,
    /// What happens to the pot when an elimination leaves nobody.
    pub nobody_left: NobodyLeft,
    /// The show's timed script, used while the autopilot is on.
    pub autopilot: Autopilot,
    /// How many players may have a seat, 1 to 10 million.
    #[schemars(extend("minimum" = SEATS.start(), "maximum" = SEATS.end()))]
    pub seats: u32,
}

/// Settings as JSON has them: what is left out is none, for some defaults follow from others.
macro_rules! read_settings {
    ($($field:ident: $type:ty,)*) => {
        impl<'de> Deserialize<'de> for Settings {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(rename = "Settings")]
                struct Sent {
                    $($field: Option<$type>,)*
                }
                let sent = Sent::deserialize(deserializer)?;
                let usual = Self::of_mode(sent.mode.unwrap_or(Self::default().mode));
                Ok(Self { $($field: sent.$field.unwrap_or(usual.$field),)* })
            }
        }
    };
}

read_settings! {
    mode: Mode,
    lives: u8,
    open_for: Span,
    lead: Span,
    barrier: Span,
    shuffle: bool,
    pot: u64,
    currency: String,
    prize: PrizeRule,
    nobody_left: NobodyLeft,
    autopilot: Autopilot,
    seats: u32,
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

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Elimination,
            lives: 0,
            open_for: Span(10_000),
            lead: Span(500),
            barrier: USUAL_BARRIER,
            shuffle: true,
            pot: 0,
            currency: "EUR".into(),
            prize: PrizeRule::Split,
            nobody_left: NobodyLeft::Rollover,
            autopilot: Autopilot::default(),
            seats: USUAL_SEATS,
        }
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
        let mut problems = Vec::new();
        let mut wrong = |problem: String| problems.push(problem);
        fn check<T: PartialOrd + std::fmt::Display>(
            wrong: &mut dyn FnMut(String),
            name: &str,
            allowed: std::ops::RangeInclusive<T>,
            unit: &str,
            value: T,
        ) {
            if !allowed.contains(&value) {
                wrong(format!("{name}: {} to {}{unit}, not {value}", allowed.start(), allowed.end()));
            }
        }
        let millis = " (milliseconds)";
        check(&mut wrong, "lives", 0..=MOST_LIVES, "", self.lives);
        check(&mut wrong, "open_for", OPEN_FOR.start().0..=OPEN_FOR.end().0, millis, self.open_for.0);
        check(&mut wrong, "lead", 0..=LONGEST_LEAD.0, millis, self.lead.0);
        check(&mut wrong, "barrier", BARRIER.start().0..=BARRIER.end().0, millis, self.barrier.0);
        check(&mut wrong, "pot", 0..=LARGEST_POT, " (minor units)", self.pot);
        check(&mut wrong, "seats", SEATS, "", self.seats);
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
        for (name, step) in [
            ("autopilot.lobby", self.autopilot.lobby),
            ("autopilot.suspense", self.autopilot.suspense),
            ("autopilot.pause", self.autopilot.pause),
        ] {
            check(&mut wrong, name, 0..=LONGEST_STEP.0, millis, step.0);
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
