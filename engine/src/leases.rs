//! The leases of this engine's shows, renewed beside whatever else the engine does; and the shows that wait for an engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use klaxon_protocol::ids::{Fence, ShowId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::arbiter::{Arbiter, ArbiterError, TERM};

/// The leases of an engine's shows.
pub type Held = Arc<DashMap<ShowId, Arc<HeldLease>>>;

/// A show's lease, as its show and whoever renews it share it.
#[derive(Debug)]
pub struct HeldLease {
    fence: AtomicU64,
    /// Whether it was renewed since the show last looked.
    renewed: AtomicBool,
}

impl HeldLease {
    /// A lease that was just taken.
    #[must_use]
    pub fn new(fence: Fence) -> Arc<Self> {
        Arc::new(Self { fence: AtomicU64::new(fence.0), renewed: AtomicBool::new(false) })
    }

    /// Its token.
    #[must_use]
    pub fn fence(&self) -> Fence {
        Fence(self.fence.load(Relaxed))
    }

    /// It was taken anew.
    pub fn replace(&self, fence: Fence) {
        self.fence.store(fence.0, Relaxed);
    }

    /// Whether it was renewed since this was asked last.
    pub fn take_renewed(&self) -> bool {
        self.renewed.swap(false, Relaxed)
    }
}

/// What became of leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseNews {
    /// Another engine has the show; this lease of it is over.
    Taken(ShowId, Fence),
    /// The arbiter does not know this lease any more.
    Forgotten(ShowId, Fence),
    /// No engine has this show.
    Free(ShowId),
}

/// Renews the leases in `held`, four times a term, and looks for shows that no engine has, until nobody hears of it any more.
pub fn keep(arbiter: Arc<dyn Arbiter>, held: Held) -> (mpsc::UnboundedReceiver<LeaseNews>, JoinHandle<()>) {
    let (tell, news) = mpsc::unbounded_channel();
    let keeper = tokio::spawn(async move {
        let mut turns = tokio::time::interval(Duration::from_millis(u64::from(TERM.0 / 4)));
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !tell.is_closed() {
            turns.tick().await;
            for news in look(&*arbiter, &held).await {
                // Whoever hears no more has no leases to lose.
                let _ = tell.send(news);
            }
        }
    });
    (news, keeper)
}

async fn look(arbiter: &dyn Arbiter, held: &Held) -> Vec<LeaseNews> {
    let held_now: Vec<(ShowId, Arc<HeldLease>)> =
        held.iter().map(|lease| (*lease.key(), Arc::clone(lease.value()))).collect();
    let leases: Vec<(ShowId, Fence)> = held_now.iter().map(|(show, lease)| (*show, lease.fence())).collect();
    let mut news = Vec::new();
    let asked = Instant::now();
    match arbiter.renew(&leases).await {
        Ok(outcomes) => {
            // An answer that this process slept over says nothing of now.
            let is_fresh = asked.elapsed() < TERM.to_std();
            for (((show, fence), (_, lease)), outcome) in leases.into_iter().zip(&held_now).zip(outcomes) {
                match outcome {
                    Ok(()) => lease.renewed.store(is_fresh, Relaxed),
                    Err(ArbiterError::Unavailable(_)) => {}
                    Err(ArbiterError::NoLease) => news.push(LeaseNews::Forgotten(show, fence)),
                    Err(_) => news.push(LeaseNews::Taken(show, fence)),
                }
            }
        }
        Err(error) => tracing::warn!(%error, "the leases could not be renewed"),
    }
    match arbiter.free().await {
        Ok(free) => news.extend(free.into_iter().filter(|show| !held.contains_key(show)).map(LeaseNews::Free)),
        Err(error) => tracing::warn!(%error, "it can't be seen which shows have no engine"),
    }
    news
}
