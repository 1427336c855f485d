//! The leases of this engine's shows, which a task renews; and the search for shows that no engine holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use dashmap::DashMap;
use klaxon_protocol::ids::{Fence, ShowId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::arbiter::{Arbiter, ArbiterError, TERM};

/// The leases of an engine's shows.
pub type HeldLeases = Arc<DashMap<ShowId, Arc<HeldLease>>>;

/// A show's lease, shared by its show and the task that renews it.
#[derive(Debug)]
pub struct HeldLease {
    fence: AtomicU64,
    /// Whether it was renewed since the last [`Self::take_renewed`].
    renewed: AtomicBool,
    /// The reason of the last failed renewal. A watch channel keeps only the newest, so nothing piles up if the show is
    /// slow.
    loss: watch::Sender<Option<LeaseLoss>>,
}

/// Why a lease could not be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseLoss {
    /// Another engine holds the show; the lease with this token is over.
    Taken(Fence),
    /// The arbiter no longer has the lease with this token.
    Forgotten(Fence),
}

impl LeaseLoss {
    /// The token of the lease that could not be renewed.
    #[must_use]
    pub const fn fence(self) -> Fence {
        match self {
            Self::Taken(fence) | Self::Forgotten(fence) => fence,
        }
    }
}

impl HeldLease {
    /// A lease that was just taken.
    #[must_use]
    pub fn new(fence: Fence) -> Arc<Self> {
        let (fence, renewed) = (AtomicU64::new(fence.0), AtomicBool::new(false));
        Arc::new(Self { fence, renewed, loss: watch::Sender::new(None) })
    }

    /// Its token.
    #[must_use]
    pub fn fence(&self) -> Fence {
        Fence(self.fence.load(Relaxed))
    }

    /// Sets the token after the lease was taken again.
    pub fn replace(&self, fence: Fence) {
        self.fence.store(fence.0, Relaxed);
    }

    /// Whether it was renewed since the last call.
    pub fn take_renewed(&self) -> bool {
        self.renewed.swap(false, Relaxed)
    }

    /// Subscribes to failed renewals. The first value is the last failure so far, if there was one.
    pub fn losses(&self) -> watch::Receiver<Option<LeaseLoss>> {
        let mut losses = self.loss.subscribe();
        losses.mark_changed();
        losses
    }

    /// Reports a failed renewal to the show.
    pub fn lose(&self, loss: LeaseLoss) {
        self.loss.send_replace(Some(loss));
    }
}

/// Renews the leases in `held` four times per term, and publishes the shows that no engine holds, until the receiver is
/// dropped. A list that was not read yet is replaced by the next one: shows that are still free are in that one too.
pub fn keep_renewed(arbiter: Arc<dyn Arbiter>, held: HeldLeases) -> (watch::Receiver<Vec<ShowId>>, JoinHandle<()>) {
    let (publish, free) = watch::channel(Vec::new());
    let renewing = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(u64::from(TERM.0 / 4)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !publish.is_closed() {
            ticks.tick().await;
            renew(&*arbiter, &held).await;
            let free = free_shows(&*arbiter, &held).await;
            if !free.is_empty() {
                publish.send_replace(free);
            }
        }
    });
    (free, renewing)
}

async fn renew(arbiter: &dyn Arbiter, held: &HeldLeases) {
    let held: Vec<(ShowId, Arc<HeldLease>)> =
        held.iter().map(|lease| (*lease.key(), Arc::clone(lease.value()))).collect();
    let leases: Vec<(ShowId, Fence)> = held.iter().map(|(show, lease)| (*show, lease.fence())).collect();
    let asked = Instant::now();
    let outcomes = match arbiter.renew(&leases).await {
        Ok(outcomes) => outcomes,
        Err(error) => return tracing::warn!(%error, "the leases could not be renewed"),
    };
    assert_eq!(outcomes.len(), leases.len(), "an arbiter gives one outcome for each lease");
    // If this process was stopped while it waited for the reply, the reply does not prove that the leases are still
    // held.
    let is_fresh = asked.elapsed() < TERM.to_std();
    for (((_, fence), (_, lease)), outcome) in leases.into_iter().zip(&held).zip(outcomes) {
        match outcome {
            Ok(()) => lease.renewed.store(is_fresh, Relaxed),
            Err(ArbiterError::Unavailable(_)) => {}
            Err(ArbiterError::NoLease) => lease.lose(LeaseLoss::Forgotten(fence)),
            Err(_) => lease.lose(LeaseLoss::Taken(fence)),
        }
    }
}

async fn free_shows(arbiter: &dyn Arbiter, held: &HeldLeases) -> Vec<ShowId> {
    match arbiter.free().await {
        Ok(free) => free.into_iter().filter(|show| !held.contains_key(show)).collect(),
        Err(error) => {
            tracing::warn!(%error, "the shows without an engine could not be listed");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbiter::MemoryArbiter;

    const SHOW: ShowId = ShowId(1);

    #[tokio::test]
    async fn a_lease_is_renewed_until_another_engine_takes_it_or_the_arbiter_forgets_it() {
        let arbiter = MemoryArbiter::new();
        let fence = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
        let (lease, held) = (HeldLease::new(fence), HeldLeases::default());
        held.insert(SHOW, Arc::clone(&lease));
        let losses = lease.losses();
        renew(&arbiter, &held).await;
        assert!(lease.take_renewed() && !lease.take_renewed());
        assert_eq!(*losses.borrow(), None);
        let newer = arbiter.lease(SHOW, fence).await.unwrap().fence;
        renew(&arbiter, &held).await;
        assert_eq!(*losses.borrow(), Some(LeaseLoss::Taken(fence)));
        assert!(!lease.take_renewed());
        lease.replace(newer);
        renew(&arbiter, &held).await;
        assert!(lease.take_renewed());
        arbiter.forget(SHOW, newer).await.unwrap();
        renew(&arbiter, &held).await;
        assert_eq!(*losses.borrow(), Some(LeaseLoss::Forgotten(newer)));
    }

    #[tokio::test]
    async fn losses_and_free_shows_that_nobody_reads_take_the_place_of_one() {
        let lease = HeldLease::new(Fence(1));
        for fence in 1..=10_000 {
            lease.lose(LeaseLoss::Taken(Fence(fence)));
        }
        let mut losses = lease.losses();
        assert!(losses.has_changed().unwrap(), "a loss from before it was read counts");
        assert_eq!(*losses.borrow_and_update(), Some(LeaseLoss::Taken(Fence(10_000))));
        assert!(!losses.has_changed().unwrap());
    }

    #[tokio::test]
    async fn a_show_that_was_released_is_published_until_it_is_held() {
        let (arbiter, held) = (Arc::new(MemoryArbiter::new()), HeldLeases::default());
        let fence = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
        arbiter.release(SHOW, fence).await.unwrap();
        let (mut free, renewing) = keep_renewed(Arc::<MemoryArbiter>::clone(&arbiter), held.clone());
        for _ in 0..3 {
            free.changed().await.unwrap();
            assert_eq!(*free.borrow_and_update(), [SHOW], "again, in case it could not be taken over");
        }
        held.insert(SHOW, HeldLease::new(fence));
        // What was listed before it was held may still come.
        let ticks = TERM.to_std() / 2;
        tokio::time::sleep(ticks).await;
        free.borrow_and_update();
        assert!(tokio::time::timeout(ticks, free.changed()).await.is_err());
        drop(free);
        tokio::time::timeout(TERM.to_std(), renewing).await.expect("it ends when nobody reads").unwrap();
    }
}
