//! Redis goes away, comes back, and forgets.

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::ids::{Fence, RoundId, ShowId};
use klaxon_servers::{Persistence, RedisCluster};

use super::house::{Q1, SHOW, before, claim, engine, round, shared_redis, way};
use crate::arbiter::{Arbiter, ArbiterError, ClaimOutcome, RedisArbiter};
use crate::round::SeatClaim;

/// Claims until the outcome is known.
async fn claim_surely(
    arbiter: &RedisArbiter,
    fence: Fence,
    claims: &[SeatClaim],
) -> Result<Vec<ClaimOutcome>, ArbiterError> {
    loop {
        match arbiter.claim(SHOW, fence, Q1, claims).await {
            Err(ArbiterError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            known => return known,
        }
    }
}

#[tokio::test]
async fn a_redis_that_forgot_all_is_told_again_what_the_journal_holds() {
    let mut server = klaxon_servers::Redis::start(Persistence::None).await.unwrap();
    let arbiter = engine(&way(&[server.url()]), "engine").await;
    let fence = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
    let counted = [claim(1, 1), claim(2, 2)];
    arbiter.claim(SHOW, fence, Q1, &counted).await.unwrap();

    server.process().kill();
    assert!(matches!(arbiter.claim(SHOW, fence, Q1, &counted).await, Err(ArbiterError::Unavailable(_))));
    server.start_again().await.unwrap();
    assert_eq!(claim_surely(&arbiter, fence, &[claim(1, 3)]).await, Err(ArbiterError::NoLease));
    assert_eq!(arbiter.free().await.unwrap(), []);

    let again = arbiter.lease(SHOW, fence).await.unwrap();
    assert!(again.fence > fence);
    assert_eq!(again.idle, None);
    arbiter.restore(SHOW, again.fence, Q1, &counted).await.unwrap();
    let outcomes = arbiter.claim(SHOW, again.fence, Q1, &[claim(1, 3), claim(2, 2), claim(3, 0)]).await.unwrap();
    assert_eq!(outcomes, [before(1), before(2), ClaimOutcome::First]);
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &counted).await, Err(ArbiterError::Fenced { newest: again.fence }));
}

#[tokio::test]
async fn a_redis_that_forgot_all_gives_no_token_again_even_to_those_who_know_none() {
    let mut server = klaxon_servers::Redis::start(Persistence::None).await.unwrap();
    let way = way(&[server.url()]);
    let given = engine(&way, "one").await.lease(SHOW, Fence(0)).await.unwrap().fence;
    server.process().kill();
    server.start_again().await.unwrap();
    assert!(engine(&way, "two").await.lease(SHOW, Fence(0)).await.unwrap().fence > given);
}

#[tokio::test]
async fn a_redis_that_wrote_all_down_knows_it_again() {
    let mut server = klaxon_servers::Redis::start(Persistence::AppendOnly).await.unwrap();
    let arbiter = engine(&way(&[server.url()]), "engine").await;
    let fence = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
    arbiter.claim(SHOW, fence, Q1, &[claim(1, 1), claim(1, 2)]).await.unwrap();
    arbiter.restore(SHOW, fence, Q1, &[claim(2, 2)]).await.unwrap();
    arbiter.close(SHOW, fence, Q1.id).await.unwrap();
    server.process().kill();
    server.start_again().await.unwrap();
    let outcomes = claim_surely(&arbiter, fence, &[claim(1, 3), claim(2, 3), claim(3, 3)]).await.unwrap();
    assert_eq!(outcomes, [before(1), before(2), ClaimOutcome::TooLate]);
}

#[tokio::test]
async fn a_claim_that_redis_did_not_answer_is_asked_again_and_answered_right() {
    let mut server = klaxon_servers::Redis::start(Persistence::None).await.unwrap();
    let arbiter = Arc::new(engine(&way(&[server.url()]), "engine").await);
    let fence = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
    server.process().pause();
    // It is on its way and will be counted, but nobody hears of it.
    let unheard = arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await;
    assert!(matches!(unheard, Err(ArbiterError::Unavailable(_))), "{unheard:?}");
    server.process().resume();
    let outcomes = claim_surely(&arbiter, fence, &[claim(1, 1), claim(1, 2), claim(2, 2)]).await.unwrap();
    assert_eq!(outcomes[1..], [before(1), ClaimOutcome::First]);
    assert!([ClaimOutcome::First, before(1)].contains(&outcomes[0]), "{outcomes:?}");
}

#[tokio::test]
async fn a_cluster_that_loses_a_node_loses_its_shows_alone_until_they_are_told_again() {
    let mut cluster = RedisCluster::start().await.unwrap();
    let arbiter = engine(&way(&cluster.urls()), "engine").await;
    let node = cluster.node_of(&SHOW.to_string()).await.unwrap();
    let mut elsewhere = ShowId(0);
    while cluster.node_of(&elsewhere.to_string()).await.unwrap() == node {
        elsewhere.0 += 1;
    }
    let fence = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
    let other = arbiter.lease(elsewhere, Fence(0)).await.unwrap().fence;

    cluster.process(node).pause();
    let unheard = arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await;
    assert!(matches!(unheard, Err(ArbiterError::Unavailable(_))), "{unheard:?}");
    assert_eq!(arbiter.claim(elsewhere, other, Q1, &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::First]);
    cluster.process(node).resume();
    let outcomes = claim_surely(&arbiter, fence, &[claim(1, 1), claim(1, 2)]).await.unwrap();
    assert_eq!(outcomes[1], before(1));

    cluster.process(node).kill();
    let unheard = arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await;
    assert!(matches!(unheard, Err(ArbiterError::Unavailable(_))), "{unheard:?}");
    assert_eq!(arbiter.claim(elsewhere, other, Q1, &[claim(1, 2)]).await.unwrap(), [before(1)]);
    cluster.start_again(node).await.unwrap();
    assert_eq!(claim_surely(&arbiter, fence, &[claim(1, 1)]).await, Err(ArbiterError::NoLease));
    let again = arbiter.lease(SHOW, fence).await.unwrap().fence;
    assert!(again > fence);
    arbiter.restore(SHOW, again, Q1, &[claim(1, 1)]).await.unwrap();
    assert_eq!(arbiter.claim(SHOW, again, Q1, &[claim(1, 2)]).await.unwrap(), [before(1)]);
}

#[tokio::test]
async fn only_two_questions_take_memory_and_nothing_of_a_show_is_without_an_end() {
    let (way, _server) = shared_redis().await;
    let arbiter = engine(&way, "engine").await;
    let mut connection = way.connect().await.unwrap();
    let fence = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
    let pattern = way.keys().lease(SHOW).replace("lease", "*");
    for question in 1..=20 {
        let claims = [claim(1_000, 0), claim(9_999_999, 1)];
        arbiter.claim(SHOW, fence, round(question), &claims).await.unwrap();
        arbiter.restore(SHOW, fence, round(question), &[claim(5_000_000, 1)]).await.unwrap();
        arbiter.close(SHOW, fence, RoundId(question)).await.unwrap();
        let keys: Vec<String> = ::redis::cmd("KEYS").arg(&pattern).query_async(&mut connection).await.unwrap();
        assert_eq!(keys.len(), 1 + 3 * usize::from(question.min(2)), "{keys:?}");
        for key in keys {
            let ends: i64 = ::redis::cmd("TTL").arg(&key).query_async(&mut connection).await.unwrap();
            assert!(ends > 2 * 24 * 60 * 60, "{key} ends in {ends} s");
        }
    }
    let lease: Vec<String> =
        ::redis::cmd("HKEYS").arg(way.keys().lease(SHOW)).query_async(&mut connection).await.unwrap();
    assert_eq!(lease.len(), 7, "the lease has four fields and its questions three: {lease:?}");
    arbiter.forget(SHOW, fence).await.unwrap();
    let keys: Vec<String> = ::redis::cmd("KEYS").arg(&pattern).query_async(&mut connection).await.unwrap();
    assert_eq!(keys, [""; 0]);
    let shows: Vec<u64> = ::redis::cmd("SMEMBERS").arg(way.keys().shows()).query_async(&mut connection).await.unwrap();
    assert_eq!(shows, [0; 0]);
}

#[tokio::test]
async fn when_no_token_is_left_none_is_given() {
    let (way, _server) = shared_redis().await;
    let arbiter = engine(&way, "engine").await;
    for above in [Fence((1 << 53) - 1), Fence(u64::MAX)] {
        let refused = arbiter.lease(SHOW, above).await;
        assert!(matches!(refused, Err(ArbiterError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(arbiter.lease(SHOW, Fence((1 << 53) - 2)).await.unwrap().fence, Fence((1 << 53) - 1));
}
