//! Simulated machines, made from a seed, with a known true ratio.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, StandardNormal};

use super::*;

/// A machine with a varying speed and other work.
pub struct Machine {
    random: ChaCha8Rng,
    /// The spread of a round's time.
    noise: f64,
    /// The change of the machine's speed from one round to the next, for both sides.
    drift: f64,
    /// The fraction of measurements that other work slows down, for one side only.
    stalls: f64,
    speed: f64,
}

impl Machine {
    pub fn new(seed: u64, noise: f64, drift: f64, stalls: f64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), noise, drift, stalls, speed: 0.0 }
    }

    /// The measured time of a round that would take `cost` on an undisturbed machine.
    fn measure(&mut self, cost: f64) -> f64 {
        let noise: f64 = LogNormal::new(0.0, self.noise).unwrap().sample(&mut self.random);
        let stall = if self.random.random_bool(self.stalls) { self.random.random_range(1.5..10.0) } else { 1.0 };
        cost * self.speed.exp() * noise * stall
    }

    /// The times of a round that costs `ratio` times the floor, and of the floor.
    pub fn round(&mut self, ratio: f64) -> (f64, f64) {
        let change: f64 = StandardNormal.sample(&mut self.random);
        self.speed += self.drift * change;
        (self.measure(ratio * 8.0), self.measure(8.0))
    }

    fn rounds(&mut self, ratio: f64, count: usize) -> (Vec<f64>, Vec<f64>) {
        (0..count).map(|_| self.round(ratio)).unzip()
    }
}

/// The fraction of 1,000 machines whose interval contains the true ratio.
fn coverage(count: usize, machine: impl Fn(u64) -> Machine) -> f64 {
    let holds = (0..1000).filter(|&seed| {
        let (one, floor) = machine(seed).rounds(0.9, count);
        let estimate = Estimate::of_ratio(&one, &floor).unwrap();
        matches!(estimate.known, Known::Interval { low, high } if low <= 0.9 && 0.9 <= high)
    });
    holds.count() as f64 / 1000.0
}

#[test]
fn a_median_does_not_care_for_one_bad_round() {
    let sample = Sample::of(&[3.0, 1.0, 2.0, 900.0, 4.0]).unwrap();
    assert_eq!((sample.rounds, sample.p25, sample.median, sample.p75), (5, 2.0, 3.0, 4.0));
    assert_eq!(Sample::of(&[1.0, 2.0]).unwrap().median, 1.5);
    assert_eq!(Sample::of(&[]), None);
}

#[test]
fn a_ratio_is_taken_round_by_round() {
    // In every second round the machine was half as fast, for both.
    let (one, floor) = ([12.0, 24.0, 12.0, 24.0, 12.0, 24.0], [10.0, 20.0, 10.0, 20.0, 10.0, 20.0]);
    let estimate = Estimate::of_ratio(&one, &floor).unwrap();
    assert!((estimate.value - 1.2).abs() < 1e-9 && estimate.is_precise(), "{estimate:?}");
    assert_eq!(Estimate::of_ratio(&[1.0], &[]), None);
    assert_eq!(Estimate::of_ratio(&[1.0], &[0.0]), None);
}

#[test]
fn the_interval_is_wilcoxon_s() {
    // The exact values for 95 % (Hollander and Wolfe, table A.4), such as the 9th mean of pairs for 10 rounds; the
    // approximation is one further out at most.
    let exact = [(6, 1), (7, 3), (8, 4), (9, 6), (10, 9), (12, 14), (15, 26), (20, 53), (25, 90)];
    for (rounds, exact) in exact {
        let rank = rank_of_the_ends(rounds).unwrap();
        assert!(rank <= exact && rank + 1 >= exact, "{rounds} rounds: {rank}, exactly {exact}");
    }
    assert_eq!(rank_of_the_ends(5), None);
}

#[test]
fn few_rounds_have_no_interval_and_decide_nothing() {
    let estimate = Estimate::of(&[1.0; 5]).unwrap();
    assert_eq!(
        (estimate.known, estimate.side(50.0), estimate.is_precise()),
        (Known::TooFewRounds, Side::Undecided, false)
    );
    assert_eq!(Estimate::of(&[1.0; 6]).unwrap().side(1.01), Side::Within);
    assert_eq!(Estimate::once(3.0).side(2.0), Side::Beyond);
}

#[test]
fn the_interval_holds_the_true_ratio_19_times_of_20_however_the_machine_drifts_and_stalls() {
    for count in [8, 15, 40] {
        let quiet = coverage(count, |seed| Machine::new(seed, 0.02, 0.0, 0.0));
        let noisy = coverage(count, |seed| Machine::new(seed, 0.4, 0.0, 0.0));
        let drifting = coverage(count, |seed| Machine::new(seed, 0.1, 0.3, 0.0));
        let stalling = coverage(count, |seed| Machine::new(seed, 0.1, 0.1, 0.1));
        for covered in [quiet, noisy, drifting, stalling] {
            assert!((0.93..=0.995).contains(&covered), "{count} rounds: {quiet} {noisy} {drifting} {stalling}");
        }
    }
}

#[test]
fn a_floor_that_spreads_by_38_percent_is_still_a_measure() {
    // A regression: a run printed nothing when the quartiles of the floor's rounds were 38 % of their median apart.
    let mut machine = Machine::new(1, 0.03, 0.25, 0.05);
    let (one, floor) = machine.rounds(0.9, 40);
    let spread = Sample::of(&floor).map(|sample| (sample.p75 - sample.p25) / sample.median).unwrap();
    assert!(spread > 0.38, "{spread}");
    let estimate = Estimate::of_ratio(&one, &floor).unwrap();
    assert!(estimate.is_precise() && (estimate.value - 0.9).abs() < 0.045, "{estimate:?}");
    assert_eq!((estimate.side(0.95), estimate.side(0.8)), (Side::Within, Side::Beyond));
}
