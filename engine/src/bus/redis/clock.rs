//! One clock for all: every process leads its own to that of one Redis, and knows how wrong it may be.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use redis::RedisResult;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{Task, pause};
use crate::clock::Clock;
use crate::redis::scripts::BUS_TIME;
use crate::redis::{Connection, Redis};

/// How often the clock is compared.
const COMPARE: Duration = Duration::from_millis(250);
/// So many comparisons are made before the clock is used.
const AT_FIRST: usize = 8;
/// Of so many comparisons the best is believed.
const RECENT: usize = 40;
/// Two machines' clocks may drift apart by one part in so many: far more than quartz does.
const DRIFT: u64 = 5_000;
/// A change of Redis' clock by more than this, in microseconds, is logged and counted.
const SUDDEN: u64 = 20_000;

/// Leads a clock until it is dropped.
#[derive(Debug)]
pub struct Steering {
    uncertainty: Arc<AtomicU32>,
    _task: Task,
}

impl Steering {
    /// Compares the clock and sets it, then leads it from there on.
    ///
    /// # Errors
    /// If Redis does not answer now.
    pub async fn start(redis: &Redis, clock: Clock) -> RedisResult<Self> {
        let connection = redis.connect().await?;
        let mut comparisons = Comparisons::new(clock);
        for _ in 0..AT_FIRST {
            let compared = compare(&connection, redis, clock).await?;
            comparisons.take(compared, Instant::now());
        }
        comparisons.set();
        let uncertainty = Arc::new(AtomicU32::new(comparisons.tell()));
        let told = Arc::clone(&uncertainty);
        let task = Task::spawn(steer(redis.clone(), connection, comparisons, told));
        Ok(Self { uncertainty, _task: task })
    }

    /// The same as [`Self::uncertainty`], for those who look at it later.
    pub(super) fn told(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.uncertainty)
    }

    /// How wrong the clock may be, in microseconds either way.
    #[must_use]
    pub fn uncertainty(&self) -> u32 {
        self.uncertainty.load(Relaxed)
    }
}

async fn steer(redis: Redis, connection: Connection, mut comparisons: Comparisons, told: Arc<AtomicU32>) {
    let mut turns = interval(COMPARE);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = 0;
    loop {
        turns.tick().await;
        match compare(&connection, &redis, comparisons.clock).await {
            Ok(compared) => {
                comparisons.take(compared, Instant::now());
                comparisons.lead();
                failures = 0;
            }
            Err(error) => {
                tracing::debug!(%error, "the clock can't be compared");
                failures += 1;
                sleep(pause(failures)).await;
            }
        }
        told.store(comparisons.tell(), Relaxed);
    }
}

/// What one look at Redis' clock told: what this process's clock would have to show more, give or take.
#[derive(Debug, Clone, Copy)]
struct Compared {
    by: i64,
    give_or_take: u64,
}

async fn compare(connection: &Connection, redis: &Redis, clock: Clock) -> RedisResult<Compared> {
    let unled = || i64::try_from(clock.micros()).unwrap_or(i64::MAX).saturating_sub(clock.led_by());
    let (begun, before) = (Instant::now(), unled());
    let (seconds, micros): (i64, i64) = BUS_TIME.run(connection, &[redis.keys().gateways()], &[""; 0]).await?;
    let took = begun.elapsed().as_micros();
    let theirs = seconds.saturating_mul(1_000_000).saturating_add(micros);
    let half = i64::try_from(took / 2).unwrap_or(i64::MAX);
    let ours = before.saturating_add(half);
    Ok(Compared { by: theirs.saturating_sub(ours), give_or_take: half.unsigned_abs() + 1 })
}

/// The last comparisons.
#[derive(Debug)]
struct Comparisons {
    clock: Clock,
    recent: VecDeque<(Instant, Compared)>,
    /// What the clock is led by.
    led: i64,
}

impl Comparisons {
    fn new(clock: Clock) -> Self {
        Self { clock, recent: VecDeque::with_capacity(RECENT), led: 0 }
    }

    fn take(&mut self, compared: Compared, now: Instant) {
        if let Some((best, uncertainty)) = self.best(now)
            && best.abs_diff(compared.by) > uncertainty + compared.give_or_take
        {
            // It is another clock now: what was measured before is worth nothing.
            self.recent.clear();
            if best.abs_diff(compared.by) > SUDDEN {
                let jump = compared.by.saturating_sub(best);
                tracing::warn!(micros = jump, "the clock that all agree on jumped; ours is led there slowly");
                metrics::counter!("klaxon_clock_jumps_total").increment(1);
            }
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((now, compared));
    }

    /// What the clock should show more, give or take.
    fn best(&self, now: Instant) -> Option<(i64, u64)> {
        let drift = |then: Instant| u64::try_from(now.duration_since(then).as_micros()).unwrap_or(u64::MAX) / DRIFT;
        let worth =
            |&(then, compared): &(Instant, Compared)| (compared.by, compared.give_or_take.saturating_add(drift(then)));
        self.recent.iter().map(worth).min_by_key(|(_, uncertainty)| *uncertainty)
    }

    fn set(&mut self) {
        if let Some((by, _)) = self.best(Instant::now()) {
            // Another end in this process may have set it, and it may be in use.
            if self.clock.led_by() == 0 {
                self.clock.set(by);
            }
            self.led = by;
            self.clock.lead(by);
        }
    }

    fn lead(&mut self) {
        if let Some((by, _)) = self.best(Instant::now())
            && by != self.led
        {
            self.led = by;
            self.clock.lead(by);
        }
    }

    /// Publishes how wrong the clock may be, in microseconds.
    fn tell(&self) -> u32 {
        let Some((by, uncertainty)) = self.best(Instant::now()) else { return u32::MAX };
        let uncertainty = uncertainty.saturating_add(by.abs_diff(self.clock.led_by()));
        #[expect(clippy::cast_precision_loss, reason = "these are for people to look at")]
        {
            metrics::gauge!("klaxon_clock_offset_seconds").set(by as f64 / 1e6);
            metrics::gauge!("klaxon_clock_uncertainty_seconds").set(uncertainty as f64 / 1e6);
        }
        u32::try_from(uncertainty).unwrap_or(u32::MAX)
    }
}
