//! What every arbiter must do with leases.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::ids::{Fence, ShowId};
use tokio::time::Instant;

use super::{OTHER, Q1, SHOW, before, claim, leased};
use crate::arbiter::{Arbiter, ArbiterError, ClaimOutcome};

pub async fn each_lease_is_larger_and_refuses_those_before_it(arbiter: impl Arbiter) {
    let old = arbiter.lease(SHOW, Fence(40)).await.unwrap().fence;
    assert!(old > Fence(40));
    arbiter.claim(SHOW, old, Q1, &[claim(1, 1)]).await.unwrap();
    let newest = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
    assert!(newest > old);

    let fenced = ArbiterError::Fenced { newest };
    assert_eq!(arbiter.claim(SHOW, old, Q1, &[claim(2, 2)]).await, Err(fenced.clone()));
    assert_eq!(arbiter.restore(SHOW, old, Q1, &[claim(1, 3)]).await, Err(fenced.clone()));
    assert_eq!(arbiter.close(SHOW, old, Q1.id).await, Err(fenced.clone()));
    assert_eq!(arbiter.forget(SHOW, old).await, Err(fenced));

    let outcomes = arbiter.claim(SHOW, newest, Q1, &[claim(2, 0), claim(1, 0)]).await.unwrap();
    assert_eq!(
        outcomes,
        [ClaimOutcome::First, before(1)],
        "the refused calls changed nothing, the earlier claim stands"
    );
    let far = arbiter.lease(SHOW, Fence(1000)).await.unwrap().fence;
    assert!(far > Fence(1000));
}

pub async fn a_token_that_was_never_given_opens_nothing(arbiter: impl Arbiter) {
    let nothing = Err(ArbiterError::NoLease);
    assert_eq!(arbiter.claim(SHOW, Fence(1), Q1, &[claim(1, 1)]).await, Err(ArbiterError::NoLease));
    assert_eq!(arbiter.close(SHOW, Fence(1), Q1.id).await, nothing);
    assert_eq!(arbiter.restore(SHOW, Fence(1), Q1, &[claim(1, 1)]).await, nothing);
    assert_eq!(arbiter.forget(SHOW, Fence(1)).await, Ok(()));
    let fence = leased(&arbiter).await;
    let forged = Fence(fence.0 + 1);
    assert_eq!(arbiter.claim(SHOW, forged, Q1, &[claim(1, 1)]).await, Err(ArbiterError::NoLease));
    assert_eq!(arbiter.close(SHOW, forged, Q1.id).await, nothing);
    assert_eq!(arbiter.restore(SHOW, forged, Q1, &[claim(1, 1)]).await, nothing);
    assert_eq!(arbiter.forget(SHOW, forged).await, nothing);
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 2)]).await.unwrap(), [ClaimOutcome::First]);
}

pub async fn leases_taken_at_once_are_all_different(arbiter: impl Arbiter) {
    let arbiter = Arc::new(arbiter);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let arbiter = Arc::clone(&arbiter);
            tokio::spawn(async move { arbiter.lease(SHOW, Fence(0)).await.unwrap().fence })
        })
        .collect();
    let mut tokens = BTreeSet::new();
    for task in tasks {
        tokens.insert(task.await.unwrap());
    }
    assert_eq!(tokens.len(), 32);
    let newest = *tokens.last().unwrap();
    for &token in &tokens {
        let heard = arbiter.close(SHOW, token, Q1.id).await;
        assert_eq!(heard, if token == newest { Ok(()) } else { Err(ArbiterError::Fenced { newest }) });
    }
}

pub async fn a_lease_that_is_given_back_goes_on_until_another_is_taken(arbiter: impl Arbiter) {
    let fence = leased(&arbiter).await;
    assert_eq!(arbiter.free().await.unwrap(), []);
    arbiter.release(SHOW, fence).await.unwrap();
    arbiter.release(SHOW, fence).await.unwrap();
    assert_eq!(arbiter.free().await.unwrap(), [SHOW]);
    assert_eq!(arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await.unwrap(), [ClaimOutcome::First]);

    let next = leased(&arbiter).await;
    assert_eq!(arbiter.free().await.unwrap(), []);
    assert_eq!(arbiter.release(SHOW, fence).await, Err(ArbiterError::Fenced { newest: next }));
    assert_eq!(arbiter.release(SHOW, Fence(next.0 + 1)).await, Err(ArbiterError::NoLease));
    assert_eq!(arbiter.release(OTHER, next).await, Err(ArbiterError::NoLease));
    assert_eq!(arbiter.claim(SHOW, next, Q1, &[claim(1, 2)]).await.unwrap(), [before(1)]);

    arbiter.release(SHOW, next).await.unwrap();
    arbiter.forget(SHOW, next).await.unwrap();
    assert_eq!(arbiter.free().await.unwrap(), [], "a forgotten show is offered to no engine");
}

pub async fn each_lease_is_renewed_or_told_why_not(arbiter: impl Arbiter) {
    assert_eq!(arbiter.renew(&[]).await.unwrap(), []);
    let old = leased(&arbiter).await;
    let newest = leased(&arbiter).await;
    let other = arbiter.lease(OTHER, Fence(0)).await.unwrap().fence;
    let unknown = ShowId(8);
    let leases = [(OTHER, other), (SHOW, old), (unknown, old), (SHOW, newest), (OTHER, Fence(other.0 + 1))];
    let nothing = Err(ArbiterError::NoLease);
    let heard = arbiter.renew(&leases).await.unwrap();
    assert_eq!(heard, [Ok(()), Err(ArbiterError::Fenced { newest }), nothing.clone(), Ok(()), nothing]);

    arbiter.release(OTHER, other).await.unwrap();
    assert_eq!(arbiter.renew(&[(OTHER, other)]).await.unwrap(), [Ok(())]);
    assert_eq!(arbiter.free().await.unwrap(), [], "a lease that is renewed was not given back");
}

pub async fn a_lease_says_for_how_long_nobody_had_the_show(arbiter: impl Arbiter) {
    let first = arbiter.lease(SHOW, Fence(0)).await.unwrap();
    assert_eq!(first.idle, None, "nothing is known of a show's first lease");
    let begun = Instant::now();
    arbiter.release(SHOW, first.fence).await.unwrap();
    let given_back = Instant::now();
    while given_back.elapsed() < Duration::from_millis(5) {
        tokio::task::yield_now().await;
    }
    let next = arbiter.lease(SHOW, Fence(0)).await.unwrap();
    let idle = next.idle.expect("the first lease is known");
    // Two clocks, and each rounds.
    assert!((4..=begun.elapsed().as_millis() + 1).contains(&u128::from(idle.0)), "{idle:?}");
    arbiter.forget(SHOW, next.fence).await.unwrap();
    assert_eq!(arbiter.lease(SHOW, next.fence).await.unwrap().idle, None);
}
