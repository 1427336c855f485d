//! The show's view of its lease: the token under which everything is written, and whether the lease is still certain.

use std::sync::Arc;

use klaxon_protocol::ids::Fence;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::arbiter::TERM;
use crate::leases::{HeldLease, LeaseLoss};

/// A show's lease.
pub(super) struct ShowLease {
    fence: Fence,
    /// Shared with the task that renews leases.
    held: Arc<HeldLease>,
    losses: watch::Receiver<Option<LeaseLoss>>,
    /// When the show's task last ran.
    ran_at: Instant,
    /// Whether the task was stopped for longer than a term since the arbiter or the journal last confirmed the lease.
    stood_still: bool,
}

impl ShowLease {
    /// A lease that was just taken.
    pub fn new(held: Arc<HeldLease>, now: Instant) -> Self {
        Self { fence: held.fence(), losses: held.losses(), held, ran_at: now, stood_still: false }
    }

    /// The token.
    pub const fn fence(&self) -> Fence {
        self.fence
    }

    /// The lease as shared with the renewing task.
    pub fn held(&self) -> Arc<HeldLease> {
        Arc::clone(&self.held)
    }

    /// To be called whenever the show's task runs. A task that was stopped for longer than a term may have lost the
    /// show.
    pub fn note_running(&mut self, now: Instant) {
        let stopped = now.saturating_duration_since(std::mem::replace(&mut self.ran_at, now));
        // A renewal before the stop proves nothing about the time after it, so it is discarded.
        let renewed = self.held.take_renewed();
        self.stood_still = stopped > TERM.to_std() || (self.stood_still && !renewed);
    }

    /// Notes that the journal accepted a record under this lease.
    pub const fn confirm(&mut self) {
        self.stood_still = false;
    }

    /// Whether another engine may have held the show in between.
    pub const fn is_uncertain(&self) -> bool {
        self.stood_still
    }

    /// Sets the token after the lease was taken again.
    pub fn replace(&mut self, fence: Fence) {
        assert!(fence > self.fence, "token {fence} of a new lease is not larger than {} before it", self.fence);
        self.fence = fence;
        self.held.replace(fence);
    }

    /// Waits until a renewal of this lease fails. Failures of earlier tokens are ignored.
    pub async fn lost(&mut self) -> LeaseLoss {
        loop {
            // The sender is in `held`, so the channel can't be closed.
            let _ = self.losses.changed().await;
            let loss = *self.losses.borrow_and_update();
            if let Some(loss) = loss.filter(|loss| loss.fence() == self.fence) {
                return loss;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn lease() -> (ShowLease, Instant) {
        let now = Instant::now();
        (ShowLease::new(HeldLease::new(Fence(5)), now), now)
    }

    #[test]
    fn a_task_that_stood_still_for_longer_than_a_term_is_uncertain_until_the_journal_confirms() {
        let (mut lease, now) = lease();
        lease.note_running(now + TERM.to_std());
        assert!(!lease.is_uncertain(), "a term is not too long");
        let after = now + TERM.to_std() * 2 + Duration::from_millis(1);
        lease.note_running(after);
        assert!(lease.is_uncertain());
        lease.note_running(after + Duration::from_millis(10));
        assert!(lease.is_uncertain(), "time alone proves nothing");
        lease.confirm();
        assert!(!lease.is_uncertain());
    }

    #[tokio::test]
    async fn only_a_loss_of_the_newest_token_is_a_loss() {
        let (mut lease, _) = lease();
        let held = lease.held();
        lease.replace(Fence(9));
        assert_eq!((lease.fence(), held.fence()), (Fence(9), Fence(9)));
        held.lose(LeaseLoss::Taken(Fence(5)));
        let waited = tokio::time::timeout(Duration::from_millis(20), lease.lost()).await;
        assert!(waited.is_err(), "the earlier lease is not this one");
        held.lose(LeaseLoss::Forgotten(Fence(9)));
        assert_eq!(lease.lost().await, LeaseLoss::Forgotten(Fence(9)));
    }

    #[test]
    #[should_panic(expected = "is not larger than")]
    fn a_token_that_does_not_grow_is_a_fault() {
        lease().0.replace(Fence(5));
    }
}
