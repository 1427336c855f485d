//! Two engines that want the same show.

use std::time::Duration;

use klaxon_protocol::ids::{Fence, ShowId};
use tokio::time::Instant;

use super::house::{Q1, SHOW, before, claim, engine, shared_cluster, shared_redis};
use crate::arbiter::{Arbiter, ArbiterError, ClaimOutcome, Lease, RedisArbiter, TERM};
use crate::redis::Redis;

const TURN: Duration = Duration::from_millis(10);

/// Asks for the lease until it is given.
pub async fn take(arbiter: &RedisArbiter, above: Fence) -> Lease {
    loop {
        match arbiter.lease(SHOW, above).await {
            Err(ArbiterError::Held) => tokio::time::sleep(TURN).await,
            given => return given.unwrap(),
        }
    }
}

/// Waits until these are the free shows.
async fn until_free(arbiter: &RedisArbiter, shows: &[ShowId]) {
    while arbiter.free().await.unwrap() != shows {
        tokio::time::sleep(TURN).await;
    }
}

async fn all_that_a_late_engine_says_is_refused(way: &Redis) {
    let (one, two) = (engine(way, "one").await, engine(way, "two").await);
    let late = one.lease(SHOW, Fence(0)).await.unwrap().fence;
    let begun = Instant::now();
    assert_eq!(one.claim(SHOW, late, Q1, &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::First]);
    assert_eq!(two.lease(SHOW, Fence(0)).await, Err(ArbiterError::Held));
    assert_eq!(two.free().await.unwrap(), []);
    // Still its own, for whoever holds it.
    assert!(one.lease(SHOW, Fence(0)).await.unwrap().fence > late);
    let late = one.lease(SHOW, Fence(0)).await.unwrap().fence;

    let Lease { fence: newest, idle } = take(&two, late).await;
    let term = Duration::from_millis(u64::from(TERM.0));
    assert!(begun.elapsed() >= term, "taken before the term was over");
    assert!(idle.is_some_and(|idle| idle >= TERM), "{idle:?}");
    assert!(newest > late);

    let fenced = Err(ArbiterError::Fenced { newest });
    assert_eq!(one.claim(SHOW, late, Q1, &[claim(2, 2)]).await, Err(ArbiterError::Fenced { newest }));
    assert_eq!(one.close(SHOW, late, Q1.id).await, fenced);
    assert_eq!(one.restore(SHOW, late, Q1, &[claim(1, 3)]).await, fenced);
    assert_eq!(one.renew(&[(SHOW, late)]).await.unwrap(), std::slice::from_ref(&fenced));
    assert_eq!(one.release(SHOW, late).await, fenced);
    assert_eq!(one.forget(SHOW, late).await, fenced);
    assert_eq!(one.lease(SHOW, late).await, Err(ArbiterError::Held));
    let outcomes = two.claim(SHOW, newest, Q1, &[claim(1, 0), claim(2, 0)]).await.unwrap();
    assert_eq!(outcomes, [before(1), ClaimOutcome::First], "what was refused changed nothing");
}

#[tokio::test]
async fn all_that_a_late_engine_says_is_refused_by_one_redis() {
    let (way, _server) = shared_redis().await;
    all_that_a_late_engine_says_is_refused(&way).await;
}

#[tokio::test]
async fn all_that_a_late_engine_says_is_refused_by_a_cluster() {
    let (way, _cluster) = shared_cluster().await;
    all_that_a_late_engine_says_is_refused(&way).await;
}

#[tokio::test]
async fn a_lease_that_is_given_back_is_taken_at_once() {
    let (way, _server) = shared_redis().await;
    let (one, two) = (engine(&way, "one").await, engine(&way, "two").await);
    let first = one.lease(SHOW, Fence(0)).await.unwrap().fence;
    one.release(SHOW, first).await.unwrap();
    assert_eq!(two.free().await.unwrap(), [SHOW]);
    assert!(two.lease(SHOW, Fence(0)).await.unwrap().fence > first);
    assert_eq!(one.free().await.unwrap(), []);
}

#[tokio::test]
async fn a_lease_that_is_renewed_does_not_run_out() {
    let (way, _server) = shared_redis().await;
    let (one, two) = (engine(&way, "one").await, engine(&way, "two").await);
    let fence = one.lease(SHOW, Fence(0)).await.unwrap().fence;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(u64::from(TERM.0)) * 3 / 2 {
        assert_eq!(one.renew(&[(SHOW, fence)]).await.unwrap(), [Ok(())]);
        assert_eq!(two.lease(SHOW, Fence(0)).await, Err(ArbiterError::Held));
        tokio::time::sleep(TURN).await;
    }
    until_free(&two, &[SHOW]).await;
    assert_eq!(one.renew(&[(SHOW, fence)]).await.unwrap(), [Ok(())], "nobody took it meanwhile");
    assert_eq!(two.lease(SHOW, Fence(0)).await, Err(ArbiterError::Held));
}

#[tokio::test]
async fn a_show_whose_lease_is_lost_is_free_when_it_stays_so_for_a_term() {
    let (way, _cluster) = shared_cluster().await;
    let (one, two) = (engine(&way, "one").await, engine(&way, "two").await);
    let fence = one.lease(SHOW, Fence(0)).await.unwrap().fence;
    let mut connection = way.connect().await.unwrap();
    let lose = async || {
        let mut connection = connection.clone();
        let _: () = ::redis::cmd("DEL").arg(way.keys().lease(SHOW)).query_async(&mut connection).await.unwrap();
    };
    lose().await;
    assert_eq!(two.free().await.unwrap(), []);
    assert_eq!(one.renew(&[(SHOW, fence)]).await.unwrap(), [Err(ArbiterError::NoLease)]);
    let again = one.lease(SHOW, fence).await.unwrap().fence;
    assert_eq!(two.free().await.unwrap(), []);
    lose().await;
    let begun = Instant::now();
    until_free(&two, &[SHOW]).await;
    assert!(begun.elapsed() >= Duration::from_millis(u64::from(TERM.0)), "its engine had no time to take it again");

    // A member of the list that no engine takes again is gone when it is forgotten, with whatever token.
    two.forget(SHOW, again).await.unwrap();
    assert_eq!(two.free().await.unwrap(), []);

    // And one whose node kept the lease while the list was lost is back in the list as soon as it is renewed.
    let fence = one.lease(SHOW, again).await.unwrap().fence;
    let _: () = ::redis::cmd("DEL").arg(way.keys().shows()).query_async(&mut connection).await.unwrap();
    assert_eq!(one.renew(&[(SHOW, fence)]).await.unwrap(), [Ok(())]);
    one.release(SHOW, fence).await.unwrap();
    assert_eq!(two.free().await.unwrap(), [SHOW]);
}
