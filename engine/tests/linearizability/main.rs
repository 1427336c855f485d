//! Claims are linearizable: over all engines, gateways, retries and lost replies, each behaves as if all had been made one after the
//! other, each at some moment between its call and its reply.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod broken;
mod history;
mod stage;

use klaxon_protocol::games::trivia::QuestionId;

use history::{Heard, check};
use stage::{Q1, Q2, Stage};

/// Gateways that the claims come from, and calls that each has under way.
const GATEWAYS: u64 = 3;
const CALLS: u64 = 4;
/// Claims until the second engine wants the show, and claims that it takes at least.
const BEFORE: usize = 40_000;
const AFTER: usize = 60_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_claims_over_three_gateways_and_two_engines_are_each_counted_once() {
    let mut stage = Stage::open().await;
    stage.first_leases().await;
    let workers: Vec<_> = (0..GATEWAYS * CALLS).map(|seed| tokio::spawn(stage.play(seed, AFTER))).collect();
    stage.until_claimed(BEFORE / 2).await;
    stage.lose_replies().await;
    stage.until_claimed(BEFORE).await;
    // The first does not renew its lease and knows nothing of its end.
    stage.second_leases().await;
    stage.until_second_claimed(AFTER / 2).await;
    stage.close(Q1).await;
    stage.lose_replies().await;
    for worker in workers {
        worker.await.unwrap();
    }
    stage.close(Q2).await;
    stage.ask_for_all_seats().await;

    let unavailable = stage.unavailable();
    let history = stage.end();
    let claims: usize = history.calls.iter().map(|call| call.claims.len()).sum();
    let of = |wanted: fn(&Heard) -> bool| history.calls.iter().filter(|call| wanted(&call.heard)).count();
    let (refused, unknown) = (of(|heard| *heard == Heard::Refused), of(|heard| *heard == Heard::Unknown));
    println!("{claims} claims in {} calls: {refused} refused, {unknown} without a reply", history.calls.len());
    check(&history).unwrap();
    assert!(claims >= 100_000);
    assert!(refused > 0, "the first engine went on");
    assert!(unavailable > 0, "Redis stood still twice");
    assert!(unknown > unavailable, "some callers gave up");
}

/// A question's number and a seat: what has one counted claim.
pub type Place = (QuestionId, u32);
