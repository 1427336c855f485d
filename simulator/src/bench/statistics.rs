//! Statistics of rounds: their distribution, and how precisely a ratio is known from them.
//!
//! A ratio is estimated from the ratios of single rounds, in which both sides were measured directly one after the
//! other: what slows the machine for minutes slows both sides, and cancels out. The estimate is that of Hodges and
//! Lehmann (1963) for the logarithms, the median of the means of all pairs of rounds; its 95 % interval is Wilcoxon's
//! signed-rank interval (Hollander and Wolfe, Nonparametric Statistical Methods, 3.2 and 3.3). It assumes nothing about
//! the distribution of the noise except that it affects both sides alike, and tolerates that up to a quarter of the
//! rounds are spoilt.

use serde::Serialize;

use crate::report::words::quantile;

/// The largest distance of an interval's ends from a precise estimate, as a part of it.
pub const PRECISE: f64 = 0.05;
/// With fewer rounds there is no 95 % interval: even if all are on one side, that is not significant.
pub const LEAST_FOR_AN_INTERVAL: usize = 6;
/// The half-width of a normal distribution's 95 % interval, in standard errors.
const NORMAL_95: f64 = 1.96;

/// The distribution of several rounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// The number of rounds.
    pub rounds: usize,
    /// The lower quartile.
    pub p25: f64,
    /// The median.
    pub median: f64,
    /// The upper quartile.
    pub p75: f64,
}

impl Sample {
    /// The distribution of these rounds; none if there are none.
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

/// How precisely an estimate is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It is a single measurement over a long time, without an interval.
    Once,
    /// There were too few rounds for an interval.
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
    /// The number of rounds.
    pub rounds: usize,
    /// The estimate.
    pub value: f64,
    /// Its precision.
    pub known: Known,
}

/// The position of an estimate relative to an upper limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Certainly at or below the limit.
    Within,
    /// Certainly above the limit.
    Beyond,
    /// The interval contains the limit, or there is no interval.
    Undecided,
}

impl Estimate {
    /// The estimate from a single measurement.
    #[must_use]
    pub const fn once(value: f64) -> Self {
        Self { rounds: 1, value, known: Known::Once }
    }

    /// The estimate from these rounds. Values that are not positive and finite are ignored; none if none remain.
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

    /// The estimate of the ratio of `rounds` to the floor's, round by round.
    #[must_use]
    pub fn of_ratio(rounds: &[f64], floor: &[f64]) -> Option<Self> {
        Self::of(&ratios(rounds, floor))
    }

    /// Whether both ends of the interval are close enough.
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

    /// The position relative to `limit`.
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

/// Each round's ratio to the floor's same round.
#[must_use]
pub fn ratios(rounds: &[f64], floor: &[f64]) -> Vec<f64> {
    rounds.iter().zip(floor).filter(|(_, floor)| **floor > 0.0).map(|(one, floor)| one / floor).collect()
}

/// The rank, counted from either end, of the sorted means of pairs that is the end of the 95 % interval. Wilcoxon's
/// statistic is approximated as normal and the rank rounded outwards, which makes the interval slightly wider than
/// necessary for few rounds.
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
