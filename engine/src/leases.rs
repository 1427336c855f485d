//! The leases of this engine's shows, renewed beside whatever else the engine does; and the shows that wait for an engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use dashmap::DashMap;
use klaxon_protocol::ids::{Fence, ShowId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::arbiter::{Arbiter, ArbiterError, TERM};

/// The token of each show's lease, as its show has it.
pub type Held = Arc<DashMap<ShowId, Arc<AtomicU64>>>;

/// What became of leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseNews {
    /// Another engine has the show.
    Taken(ShowId),
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
    let leases: Vec<(ShowId, Fence)> =
        held.iter().map(|lease| (*lease.key(), Fence(lease.value().load(Relaxed)))).collect();
    let mut news = Vec::new();
    match arbiter.renew(&leases).await {
        Ok(outcomes) => {
            for ((show, fence), outcome) in leases.into_iter().zip(outcomes) {
                match outcome {
                    Ok(()) | Err(ArbiterError::Unavailable(_)) => {}
                    Err(ArbiterError::NoLease) => news.push(LeaseNews::Forgotten(show, fence)),
                    Err(_) => news.push(LeaseNews::Taken(show)),
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
