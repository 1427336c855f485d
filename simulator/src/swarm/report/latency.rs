//! Durations and their distribution.

use hdrhistogram::Histogram;
use serde::Serialize;

/// A histogram of durations from microseconds to minutes, with three significant digits.
#[derive(Debug, Clone)]
pub struct Times(Histogram<u64>);

/// The longest duration that is distinguished, in microseconds: 10 minutes.
const LONGEST: u64 = 600_000_000;
/// The number of bars of a histogram.
const BARS: u32 = 24;

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST, 3).expect("1 to 10 minutes in 3 digits is a histogram"))
    }
}

impl Times {
    /// Adds a duration in microseconds.
    pub fn add(&mut self, micros: u64) {
        self.0.saturating_record(micros.clamp(1, LONGEST));
    }

    /// The summary of the durations.
    pub fn latency(&self) -> Latency {
        let times = &self.0;
        let ms = |micros: u64| micros as f64 / 1000.0;
        if times.is_empty() {
            return Latency::default();
        }
        let at = |part: f64| ms(times.value_at_quantile(part));
        Latency {
            count: times.len(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            max_ms: ms(times.max()),
            bars: self.bars(),
        }
    }

    /// Bars whose widths grow by a constant factor, from the fastest to the slowest.
    fn bars(&self) -> Vec<Bucket> {
        let (low, high) = (self.0.min().max(1) as f64, self.0.max().max(2) as f64);
        let factor = (high / low).max(1.001).powf(1.0 / f64::from(BARS));
        let mut from = low as u64;
        let mut bars = Vec::new();
        for bar in 1..=BARS {
            let exact = low * factor.powf(f64::from(bar));
            let to = if bar == BARS { self.0.max() } else { exact as u64 };
            if to < from {
                continue;
            }
            bars.push(Bucket {
                from_ms: from as f64 / 1000.0,
                to_ms: to as f64 / 1000.0,
                count: self.0.count_between(from, to),
            });
            // Values that the histogram can't distinguish are counted in one bar only.
            from = self.0.next_non_equivalent(to);
        }
        bars
    }
}

/// A distribution of durations, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Latency {
    /// The number of measurements.
    pub count: u64,
    /// The median.
    pub p50_ms: f64,
    /// The 90th percentile.
    pub p90_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
    /// The maximum.
    pub max_ms: f64,
    /// The histogram.
    pub bars: Vec<Bucket>,
}

/// One bar of a histogram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bucket {
    /// The lower limit in milliseconds.
    pub from_ms: f64,
    /// The upper limit in milliseconds.
    pub to_ms: f64,
    /// The number of measurements.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_hold_every_time_once() {
        let mut times = Times::default();
        for micros in 1..5000 {
            times.add(micros * 7);
        }
        let latency = times.latency();
        assert_eq!(latency.count, 4999);
        assert_eq!(latency.bars.iter().map(|bar| bar.count).sum::<u64>(), 4999);
        assert!((latency.p50_ms - 17.5).abs() < 0.1, "{}", latency.p50_ms);
        assert!(latency.p99_ms <= latency.max_ms);
    }

    #[test]
    fn nothing_and_one_thing_are_latencies_too() {
        assert_eq!(Times::default().latency(), Latency::default());
        let mut times = Times::default();
        times.add(1500);
        let latency = times.latency();
        assert_eq!((latency.count, latency.p50_ms, latency.max_ms), (1, 1.5, 1.5));
        assert_eq!(latency.bars.iter().map(|bar| bar.count).sum::<u64>(), 1);
    }
}
