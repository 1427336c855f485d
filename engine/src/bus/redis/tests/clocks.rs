//! Machines whose clocks are wrong.

use super::house::House;
use crate::bus::redis::Steering;
use crate::clock::Clock;

/// How far apart two clocks are, in microseconds.
fn apart(one: Clock, other: Clock) -> u64 {
    let (before, between, after) = (one.micros(), other.micros(), one.micros());
    // What passed between the looks is nobody's error.
    between.abs_diff(before).min(between.abs_diff(after))
}

#[tokio::test]
async fn stamps_agree_within_their_uncertainty_though_machines_are_two_seconds_apart() {
    let house = House::start().await;
    let clocks = [-2_000_000, 0, 2_000_000].map(Clock::skewed);
    let mut steerings = Vec::new();
    for clock in clocks {
        steerings.push(Steering::start(&house.redis, clock).await.unwrap());
    }
    for (one, steering) in clocks.iter().zip(&steerings) {
        for (other, others) in clocks.iter().zip(&steerings) {
            let give_or_take = u64::from(steering.uncertainty()) + u64::from(others.uncertainty());
            let apart = apart(*one, *other);
            assert!(apart <= give_or_take, "{apart} us, give or take {give_or_take}");
            assert!(give_or_take < 1_000_000, "{give_or_take}");
        }
    }
    let worst = steerings.iter().map(Steering::uncertainty).max();
    println!("the clocks are known to {worst:?} microseconds at worst");
}

#[tokio::test]
async fn a_clock_that_is_wrong_later_is_led_back_and_its_error_is_told_meanwhile() {
    let house = House::start().await;
    let (clock, other) = (Clock::skewed(0), Clock::skewed(0));
    let steering = Steering::start(&house.redis, clock).await.unwrap();
    let _others = Steering::start(&house.redis, other).await.unwrap();
    // As if the machine's clock had been set.
    clock.set(clock.led_by() + 30_000);
    house.until(async || steering.uncertainty() > 10_000).await;
    house.until(async || steering.uncertainty() < 10_000).await;
    assert!(apart(clock, other) < 30_000);
}

#[tokio::test]
async fn ends_know_how_wrong_their_clock_may_be() {
    let house = House::start().await;
    let ann = house.gateway(crate::bus::contract::ANN).await;
    assert!(ann.clock_uncertainty() < u32::MAX && house.engine.clock_uncertainty() < u32::MAX);
}
