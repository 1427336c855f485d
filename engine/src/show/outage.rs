//! How a show handles outages of the arbiter or the journal, and a loss of the arbiter's data.

use klaxon_protocol::host::AlertKind;
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::time::{Millis, Span};
use tokio::time::Instant;

use super::Show;
use super::stopping::StopReason;
use crate::arbiter::ArbiterError;
use crate::bus::{Address, BusError};

/// The pause before the next attempt to take a lease again.
const RETRY_PAUSE: Span = Span(50);
/// A call to the arbiter or the journal that takes longer counts as an outage. If a round reaches players later than
/// this, the round gets the lost time back.
pub(super) const STORE_TIMEOUT: Span = Span(250);

/// The last outage of the arbiter or the journal.
#[derive(Debug, Default)]
pub(super) struct Outage {
    last_failure: Option<Millis>,
}

/// A delayed write of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delay {
    /// The length of the delay.
    pub by: Span,
    /// Whether a write failed; then the host was alerted.
    pub failed: bool,
}

impl Outage {
    /// Notes that the arbiter or the journal did not answer, or not in time.
    pub const fn note_failure(&mut self, at: Millis) {
        self.last_failure = Some(at);
    }

    /// Whether one of them failed at this time or later.
    pub fn failed_since(&self, time: Millis) -> bool {
        self.last_failure.is_some_and(|failed| failed >= time)
    }
}

impl Delay {
    /// The delay of a write that took `took`; none if it was in time.
    pub fn of(took: Span, failed: bool) -> Option<Self> {
        (failed || took > STORE_TIMEOUT).then_some(Self { by: took, failed })
    }
}

impl Show {
    /// Notes that this task runs, to detect when it was stopped.
    pub(super) fn note_running(&mut self) {
        self.lease.note_running(Instant::now());
    }

    /// Pauses after the arbiter or the journal did not answer, before the caller retries.
    pub(super) async fn wait_for_the_store(&mut self, pause: Span) {
        self.outage.note_failure(self.ports.clock.now());
        tokio::time::sleep(pause.to_std()).await;
        self.note_running();
    }

    /// Handles a loss of the arbiter's data: takes the show's lease again, and restores the claims.
    ///
    /// # Errors
    /// If another engine has the show, or may have had it, or if the bus takes nothing more of the show.
    pub(super) async fn retake_lease(&mut self) -> Result<(), StopReason> {
        self.note_running();
        if self.lease.is_uncertain() {
            return Err(StopReason::StoodStill);
        }
        tracing::warn!("the arbiter lost its memory; the lease is taken again and the claims are restored");
        self.outage.note_failure(self.ports.clock.now());
        while !self.try_to_retake_lease().await? {
            self.wait_for_the_store(RETRY_PAUSE).await;
        }
        metrics::counter!("klaxon_shows_regained_total").increment(1);
        self.ports.bus.update_directory(self.line());
        // Gateways may have missed the last messages.
        self.publish_at_once(Address::All, ToGateway::Said { show: self.id, seq: self.game.seq() })?;
        Ok(())
    }

    /// Returns false if the arbiter or the bus did not answer.
    async fn try_to_retake_lease(&mut self) -> Result<bool, StopReason> {
        let fence = match self.ports.arbiter.lease(self.id, self.lease.fence()).await {
            Ok(lease) => lease.fence,
            Err(ArbiterError::Unavailable(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.lease.replace(fence);
        self.records.move_to_lease(fence);
        match self.ports.bus.take_over(self.id, fence).await {
            Ok(takeover) => self.audience.add_gateways(takeover.gateways),
            Err(BusError::Unavailable(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if let Some(round) = self.game.round() {
            match self.ports.arbiter.restore(self.id, fence, round, &self.game.counted()).await {
                Ok(()) => {}
                Err(ArbiterError::Unavailable(_) | ArbiterError::NoLease) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Called when the journal is writable again. If a message about an open round was delayed, the round gets the lost
    /// time back.
    pub(super) fn make_up_for(&mut self, Delay { by: away, failed }: Delay) {
        if failed {
            self.alert(AlertKind::JournalBack);
        }
        if self.outbox.sets_a_clock() && away > STORE_TIMEOUT && self.game.phase().is_open() {
            self.now = self.now.max(self.ports.clock.now());
            self.apply(Command::Recovered { away });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_before_a_close_is_not_one_since_the_close() {
        let mut outage = Outage::default();
        assert!(!outage.failed_since(Millis(0)));
        outage.note_failure(Millis(100));
        assert!(outage.failed_since(Millis(100)) && !outage.failed_since(Millis(101)));
        outage.note_failure(Millis(200));
        assert!(outage.failed_since(Millis(101)));
    }

    #[test]
    fn a_write_is_late_if_it_failed_or_took_longer_than_a_store_may() {
        assert_eq!(Delay::of(STORE_TIMEOUT, false), None);
        let late = STORE_TIMEOUT + Span(1);
        assert_eq!(Delay::of(late, false), Some(Delay { by: late, failed: false }));
        assert_eq!(Delay::of(Span(1), true), Some(Delay { by: Span(1), failed: true }));
    }
}
