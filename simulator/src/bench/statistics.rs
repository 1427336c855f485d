//! The arithmetic of rounds: medians, their spread, and when the floor is too unsteady to be a measure.

use serde::Serialize;

/// The most that the middle half of the floor's rounds may spread, as a part of their median, for a ratio to it to mean anything.
pub const STEADY: f64 = 0.15;

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

    /// From the lower to the upper quartile, as a part of the median: 0 for rounds that are all alike.
    #[must_use]
    pub fn spread(&self) -> f64 {
        let range = self.p75 - self.p25;
        if range == 0.0 { 0.0 } else { range / self.median }
    }

    /// Whether it is steady enough to be a measure for others.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        // A spread that is no number is not steady either.
        self.rounds > 0 && self.median > 0.0 && self.spread() <= STEADY
    }
}

/// By how much `rounds` are above the floor's: of each round the ratio to the floor's of the same round, so that what slows the
/// machine for a while slows both; then the sample of these.
#[must_use]
pub fn ratio(rounds: &[f64], floor: &[f64]) -> Option<Sample> {
    let ratios: Vec<f64> = rounds.iter().zip(floor).filter(|(_, floor)| **floor > 0.0).map(|(a, b)| a / b).collect();
    Sample::of(&ratios)
}

/// The value below which this part of the sorted values lies, between neighbours in proportion.
#[must_use]
pub fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let at = part * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(low + (high - low) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_does_not_care_for_one_bad_round() {
        let sample = Sample::of(&[3.0, 1.0, 2.0, 900.0, 4.0]).unwrap();
        assert_eq!((sample.rounds, sample.p25, sample.median, sample.p75), (5, 2.0, 3.0, 4.0));
        assert_eq!(Sample::of(&[1.0, 2.0]).unwrap().median, 1.5);
        assert_eq!(Sample::of(&[]), None);
    }

    #[test]
    fn the_spread_is_a_part_of_the_median() {
        assert_eq!(Sample::of(&[8.0, 10.0, 12.0]).unwrap().spread(), 0.2);
        assert_eq!(Sample::of(&[0.0, 0.0]).unwrap().spread(), 0.0);
    }

    #[test]
    fn a_floor_that_wobbles_is_no_measure() {
        assert!(Sample::of(&[9.5, 10.0, 10.5]).unwrap().is_steady());
        assert!(!Sample::of(&[8.0, 10.0, 12.0]).unwrap().is_steady());
        assert!(!Sample::of(&[0.0, 0.0, 0.0]).unwrap().is_steady());
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        // The machine was half as fast in the second round, for both.
        let sample = ratio(&[12.0, 24.0, 12.0], &[10.0, 20.0, 10.0]).unwrap();
        assert_eq!((sample.median, sample.spread()), (1.2, 0.0));
        assert_eq!(ratio(&[1.0], &[]), None);
    }
}
