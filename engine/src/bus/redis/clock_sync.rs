//! Clock sync: every process slews its clock to the clock of one Redis, and knows its uncertainty.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use redis::RedisResult;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::{Task, pause};
use crate::clock::Clock;
use crate::redis::scripts::BUS_TIME;
use crate::redis::{Connection, Redis};

/// How often the offset to Redis' clock is measured.
const INTERVAL: Duration = Duration::from_millis(250);
/// Samples that are taken before the clock is used.
const FIRST_SAMPLES: usize = 8;
/// Samples that are kept; the best of them counts.
const MAX_SAMPLES: usize = 40;
/// Assumed drift between two machines' clocks: one part in 5,000, far more than that of a quartz.
const DRIFT: u64 = 5_000;
/// A change of Redis' clock by more than this, in microseconds, is logged and counted.
const JUMP: u64 = 20_000;

/// Keeps a clock in sync until it is dropped.
#[derive(Debug)]
pub struct ClockSync {
    uncertainty: Arc<AtomicU32>,
    _task: Task,
}

impl ClockSync {
    /// Measures the offset and sets the clock, then slews it from there on.
    ///
    /// # Errors
    /// If Redis does not answer now.
    pub async fn start(redis: &Redis, clock: Clock) -> RedisResult<Self> {
        let connection = redis.connect().await?;
        let mut samples = Samples::new(clock);
        for _ in 0..FIRST_SAMPLES {
            let sample = measure(&connection, redis, clock).await?;
            samples.add(sample, Instant::now());
        }
        samples.set();
        let uncertainty = Arc::new(AtomicU32::new(samples.record()));
        let shared = Arc::clone(&uncertainty);
        let task = Task::spawn(keep_in_sync(redis.clone(), connection, samples, shared));
        Ok(Self { uncertainty, _task: task })
    }

    /// The value that [`Self::uncertainty`] reads.
    pub(super) fn shared_uncertainty(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.uncertainty)
    }

    /// The clock's uncertainty, in microseconds either way.
    #[must_use]
    pub fn uncertainty(&self) -> u32 {
        self.uncertainty.load(Relaxed)
    }
}

async fn keep_in_sync(redis: Redis, connection: Connection, mut samples: Samples, uncertainty: Arc<AtomicU32>) {
    let mut measurements = interval(INTERVAL);
    measurements.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = 0;
    loop {
        measurements.tick().await;
        match measure(&connection, &redis, samples.clock).await {
            Ok(sample) => {
                samples.add(sample, Instant::now());
                samples.slew();
                failures = 0;
            }
            Err(error) => {
                tracing::debug!(%error, "the offset to Redis' clock can't be measured");
                failures += 1;
                sleep(pause(failures)).await;
            }
        }
        uncertainty.store(samples.record(), Relaxed);
    }
}

/// One measurement of the offset from this process's clock, slew excluded, to Redis' clock, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Sample {
    offset: i64,
    /// How much the offset may be wrong, either way.
    uncertainty: u64,
}

async fn measure(connection: &Connection, redis: &Redis, clock: Clock) -> RedisResult<Sample> {
    let local = || i64::try_from(clock.micros()).unwrap_or(i64::MAX).saturating_sub(clock.offset());
    let (begun, before) = (Instant::now(), local());
    let (seconds, micros): (i64, i64) = BUS_TIME.run(connection, &[redis.keys().gateway_registry()], &[""; 0]).await?;
    let round_trip = begun.elapsed().as_micros();
    let theirs = seconds.saturating_mul(1_000_000).saturating_add(micros);
    let half = i64::try_from(round_trip / 2).unwrap_or(i64::MAX);
    let ours = before.saturating_add(half);
    Ok(Sample { offset: theirs.saturating_sub(ours), uncertainty: half.unsigned_abs() + 1 })
}

/// The last samples.
#[derive(Debug)]
struct Samples {
    clock: Clock,
    recent: VecDeque<(Instant, Sample)>,
    /// The offset that the clock is slewed to.
    target: i64,
}

impl Samples {
    fn new(clock: Clock) -> Self {
        Self { clock, recent: VecDeque::with_capacity(MAX_SAMPLES), target: 0 }
    }

    fn add(&mut self, sample: Sample, now: Instant) {
        if let Some(best) = self.best(now)
            && best.offset.abs_diff(sample.offset) > best.uncertainty + sample.uncertainty
        {
            // Redis' clock was set, or this is another Redis: earlier samples are invalid.
            self.recent.clear();
            if best.offset.abs_diff(sample.offset) > JUMP {
                let jump = sample.offset.saturating_sub(best.offset);
                tracing::warn!(micros = jump, "Redis' clock jumped; this process's clock is slewed there");
                metrics::counter!("klaxon_clock_jumps_total").increment(1);
            }
        }
        if self.recent.len() == MAX_SAMPLES {
            self.recent.pop_front();
        }
        self.recent.push_back((now, sample));
    }

    /// The sample with the smallest uncertainty now: uncertainty grows with age.
    fn best(&self, now: Instant) -> Option<Sample> {
        let drift = |then: Instant| u64::try_from(now.duration_since(then).as_micros()).unwrap_or(u64::MAX) / DRIFT;
        let aged = |&(then, sample): &(Instant, Sample)| Sample {
            uncertainty: sample.uncertainty.saturating_add(drift(then)),
            ..sample
        };
        self.recent.iter().map(aged).min_by_key(|sample| sample.uncertainty)
    }

    fn set(&mut self) {
        if let Some(best) = self.best(Instant::now()) {
            // Another bus end in this process may have set the offset already, and the clock may be in use.
            if self.clock.offset() == 0 {
                self.clock.set(best.offset);
            }
            self.target = best.offset;
            self.clock.slew(best.offset);
        }
    }

    fn slew(&mut self) {
        if let Some(best) = self.best(Instant::now())
            && best.offset != self.target
        {
            self.target = best.offset;
            self.clock.slew(best.offset);
        }
    }

    /// Records the metrics. Returns how wrong the clock may be, in microseconds.
    fn record(&self) -> u32 {
        let Some(best) = self.best(Instant::now()) else { return u32::MAX };
        let uncertainty = best.uncertainty.saturating_add(best.offset.abs_diff(self.clock.offset()));
        #[expect(clippy::cast_precision_loss, reason = "a metric")]
        {
            metrics::gauge!("klaxon_clock_offset_seconds").set(best.offset as f64 / 1e6);
            metrics::gauge!("klaxon_clock_uncertainty_seconds").set(uncertainty as f64 / 1e6);
        }
        u32::try_from(uncertainty).unwrap_or(u32::MAX)
    }
}
