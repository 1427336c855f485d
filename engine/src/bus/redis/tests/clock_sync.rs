//! Machines whose clocks are wrong.

use super::fixture::Fixture;
use crate::bus::redis::ClockSync;
use crate::clock::Clock;

/// How far apart two clocks are, in microseconds.
fn apart(one: Clock, other: Clock) -> u64 {
    let (before, between, after) = (one.micros(), other.micros(), one.micros());
    // The time between the two readings is not an error.
    between.abs_diff(before).min(between.abs_diff(after))
}

#[tokio::test]
async fn stamps_agree_within_their_uncertainty_though_machines_are_two_seconds_apart() {
    let fixture = Fixture::start().await;
    let clocks = [-2_000_000, 0, 2_000_000].map(Clock::skewed);
    let mut syncs = Vec::new();
    for clock in clocks {
        syncs.push(ClockSync::start(&fixture.redis, clock).await.unwrap());
    }
    for (one, sync) in clocks.iter().zip(&syncs) {
        for (other, others) in clocks.iter().zip(&syncs) {
            let give_or_take = u64::from(sync.uncertainty()) + u64::from(others.uncertainty());
            let apart = apart(*one, *other);
            assert!(apart <= give_or_take, "{apart} us, give or take {give_or_take}");
            assert!(give_or_take < 1_000_000, "{give_or_take}");
        }
    }
    let worst = syncs.iter().map(ClockSync::uncertainty).max();
    println!("the clocks are known to {worst:?} microseconds at worst");
}

#[tokio::test]
async fn a_clock_that_is_wrong_later_is_slewed_back_and_its_uncertainty_grows_meanwhile() {
    let fixture = Fixture::start().await;
    let (clock, other) = (Clock::skewed(0), Clock::skewed(0));
    let sync = ClockSync::start(&fixture.redis, clock).await.unwrap();
    let _others = ClockSync::start(&fixture.redis, other).await.unwrap();
    // As if the machine's clock had been set.
    clock.set(clock.offset() + 30_000);
    fixture.until(async || sync.uncertainty() > 10_000).await;
    fixture.until(async || sync.uncertainty() < 10_000).await;
    assert!(apart(clock, other) < 30_000);
}

#[tokio::test]
async fn ends_know_how_wrong_their_clock_may_be() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(crate::bus::contract::ANN).await;
    assert!(ann.clock_uncertainty() < u32::MAX && fixture.engine.clock_uncertainty() < u32::MAX);
}
