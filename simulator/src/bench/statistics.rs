//! The arithmetic of rounds: how they spread, and how well a ratio is known from them.
//!
//! A ratio is estimated from the ratios of single rounds, in which both sides were measured one right after the other: what slows the
//! machine for minutes slows both, and cancels out. The estimate is that of Hodges and Lehmann (1963) for the logarithms, the median
//! of the means of all pairs of rounds; its 95 % interval is Wilcoxon's signed-rank interval (Hollander and Wolfe, Nonparametric
//! Statistical Methods, 3.2 and 3.3). It takes no shape of the noise for granted but that it strikes both sides alike, and up to a
//! quarter of the rounds may be spoilt.

use serde::Serialize;

use crate::report::words::quantile;

/// How near an interval's ends must be to the estimate, as a part of it, for the estimate to be precise.
pub const PRECISE: f64 = 0.05;
/// With fewer rounds there is no 95 % interval: even all of them on one side are no surprise.
pub const LEAST_FOR_AN_INTERVAL: usize = 6;
/// Standard errors to either side of a normal estimate that make up 95 %.
const NORMAL_95: f64 = 1.96;

/// What was measured in several rounds, from the lowest to the highest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// How many rounds there were.
    pub rounds: usize,
    /// A quarter of the rounds were lower.
    pub p25: f64,
    /// Half of them were.
    pub median: f64,
    /// Three quarters were.
    pub p75: f64,
}

impl Sample {
    /// The sample of these rounds; none if there are none.
    #[must_use]
    pub fn of(rounds: &[f64]) -> Option<Self> {
        let mut sorted = rounds.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            rounds: sorted.len(),
            p25: quantile(&sorted, 0.25)?,
            median: quantile(&sorted, 0.5)?,
            p75: quantile(&sorted, 0.75)?,
        })
    }
}

/// How well an estimate is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It was measured once, over a long time: it stands for itself.
    Once,
    /// The rounds were too few for an interval.
    TooFewRounds,
    /// The 95 % interval.
    Interval {
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
}

/// An estimate from several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The rounds it stands on.
    pub rounds: usize,
    /// The estimate.
    pub value: f64,
    /// How well it is known.
    pub known: Known,
}

/// Where an estimate is, seen from a limit that it should not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Surely at or below it.
    Within,
    /// Surely above it.
    Beyond,
    /// Nobody knows.
    Undecided,
}

impl Estimate {
    /// What was measured once.
    #[must_use]
    pub const fn once(value: f64) -> Self {
        Self { rounds: 1, value, known: Known::Once }
    }

    /// The estimate from these rounds, all of them positive: what is not is left out. None if nothing is left.
    #[must_use]
    pub fn of(rounds: &[f64]) -> Option<Self> {
        let usable = rounds.iter().filter(|value| value.is_finite() && **value > 0.0);
        let logs: Vec<f64> = usable.map(|value| value.ln()).collect();
        let rounds = logs.len();
        let mut means = Vec::with_capacity(rounds * (rounds + 1) / 2);
        for (place, one) in logs.iter().enumerate() {
            means.extend(logs[place..].iter().map(|other| f64::midpoint(*one, *other)));
        }
        means.sort_by(f64::total_cmp);
        let value = quantile(&means, 0.5)?.exp();
        let known = match rank_of_the_ends(rounds) {
            Some(rank) => Known::Interval { low: means[rank - 1].exp(), high: means[means.len() - rank].exp() },
            None => Known::TooFewRounds,
        };
        Some(Self { rounds, value, known })
    }

    /// By how much `rounds` are above those of the floor, round by round.
    #[must_use]
    pub fn of_ratio(rounds: &[f64], floor: &[f64]) -> Option<Self> {
        Self::of(&ratios(rounds, floor))
    }

    /// Whether both ends of the interval are near enough.
    #[must_use]
    pub fn is_precise(&self) -> bool {
        match self.known {
            Known::Once => true,
            Known::TooFewRounds => false,
            Known::Interval { low, high } => {
                self.value - low <= PRECISE * self.value && high - self.value <= PRECISE * self.value
            }
        }
    }

    /// Where it is, seen from `limit`.
    #[must_use]
    pub fn side(&self, limit: f64) -> Side {
        let (low, high) = match self.known {
            Known::Once => (self.value, self.value),
            Known::TooFewRounds => return Side::Undecided,
            Known::Interval { low, high } => (low, high),
        };
        if high <= limit {
            Side::Within
        } else if low > limit {
            Side::Beyond
        } else {
            Side::Undecided
        }
    }
}

/// Of each round the ratio to the floor's of the same round.
#[must_use]
pub fn ratios(rounds: &[f64], floor: &[f64]) -> Vec<f64> {
    rounds.iter().zip(floor).filter(|(_, floor)| **floor > 0.0).map(|(one, floor)| one / floor).collect()
}

/// Which of the sorted means of pairs, counted from either end, is the end of the 95 % interval. Wilcoxon's statistic is taken as
/// normal and the rank rounded outwards, which for few rounds makes the interval wider than it need be.
fn rank_of_the_ends(rounds: usize) -> Option<usize> {
    if rounds < LEAST_FOR_AN_INTERVAL {
        return None;
    }
    let n = rounds as f64;
    let (mean, variance) = (n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0);
    Some(((mean - NORMAL_95 * variance.sqrt()) as usize).max(1))
}

#[cfg(test)]
pub(super) mod tests;
