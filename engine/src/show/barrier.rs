//! The close barrier: an answer that was read in time counts, however long it waited in a queue of the service.

use std::collections::BTreeSet;

use klaxon_protocol::ids::{GatewayId, RoundId};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::time::{Millis, Span};
use tokio::time::Instant;

use super::Show;
use super::outage::STORE_TIMEOUT;
use super::stopping::StopReason;
use crate::arbiter::ArbiterError;

/// The close of one round, with the gateways that have not yet handed in the answers that they read before it.
pub(super) struct Barrier {
    pub round: RoundId,
    waiting: BTreeSet<GatewayId>,
    /// How long the gateways are waited for. None until they were asked, so that a slow journal does not shorten their
    /// time.
    deadline: Option<Millis>,
    /// When the round closed.
    closed: Millis,
    /// The same moment on the monotonic clock.
    since: Instant,
    /// The time from the close until the gateways were asked.
    delay: Span,
    /// How many of the messages that were queued at the deadline are not processed yet. None before the deadline.
    unprocessed: Option<usize>,
}

impl Barrier {
    fn new(round: RoundId, gateways: impl IntoIterator<Item = GatewayId>, closed: Millis) -> Self {
        let waiting = gateways.into_iter().collect();
        let (deadline, unprocessed) = (None, None);
        Self { round, waiting, deadline, closed, since: Instant::now(), delay: Span(0), unprocessed }
    }

    pub const fn deadline(&self) -> Option<Millis> {
        self.deadline
    }

    /// Sets the deadline when the gateways are asked for the first time; they have `limit` to hand in.
    pub fn asked(&mut self, now: Millis, limit: Span) {
        if self.deadline.is_none() {
            self.deadline = Some(now + limit);
            self.delay = now.since(self.closed);
        }
    }

    /// Stops waiting for a gateway, which has handed in or is gone.
    pub fn pass(&mut self, gateway: GatewayId) {
        self.waiting.remove(&gateway);
    }

    /// Counts queued messages that were processed.
    pub fn processed(&mut self, messages: usize) {
        // Some of them may have arrived after the deadline.
        self.unprocessed = self.unprocessed.map(|left| left.saturating_sub(messages));
    }

    /// Whether all gateways have handed in, or the deadline has passed and what was queued then is processed. `queued`:
    /// the number of messages in the show's inbox.
    pub fn is_done(&mut self, now: Millis, queued: usize) -> bool {
        if self.waiting.is_empty() {
            return true;
        }
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return false;
        }
        *self.unprocessed.get_or_insert(queued) == 0
    }

    /// Whether answers that were read in time may be missing, with gateways that had up to `limit` to hand in: docs/rules/trivia.md, "Outages".
    /// `failed`: the bus, the arbiter or the journal was away since the close.
    fn may_miss_answers(&self, limit: Span, failed: bool) -> bool {
        self.delay > limit || (failed && !self.waiting.is_empty())
    }
}

impl Show {
    /// Begins a barrier if a round is closing: asks every gateway for its answers.
    pub(super) fn raise_barrier(&mut self) {
        let Some(round) = self.game.closing() else { return };
        self.barrier = Some(Barrier::new(round, self.audience.gateways(), self.now));
        self.outbox.send_to_all(ToGateway::Barrier { show: self.id, round });
    }

    pub(super) fn pass_barrier(&mut self, gateway: GatewayId, round: RoundId) {
        if let Some(barrier) = self.barrier.as_mut().filter(|barrier| barrier.round == round) {
            barrier.pass(gateway);
        }
    }

    /// Ends the barrier: the answers claimed so far count.
    ///
    /// # Errors
    /// If the show's lease is lost.
    pub(super) async fn tally(&mut self, barrier: Barrier) -> Result<(), StopReason> {
        let round = barrier.round;
        let asked = self.ports.clock.now();
        let closed = self.ports.arbiter.close(self.id, self.lease.fence(), round).await;
        let answered = self.ports.clock.now();
        match closed {
            Ok(()) if answered.since(asked) <= STORE_TIMEOUT => {}
            Ok(()) => self.outage.note_failure(answered),
            Err(ArbiterError::NoLease) => self.retake_lease().await?,
            // From here on the rules count no answer; the arbiter's close only matters for other engines.
            Err(error) => {
                self.outage.note_failure(answered);
                tracing::warn!(%round, %error, "the arbiter did not close the round");
            }
        }
        metrics::counter!("klaxon_silent_gateways_total").increment(barrier.waiting.len() as u64);
        if self.may_miss_answers(&barrier) {
            metrics::counter!("klaxon_rounds_voided_by_outages_total").increment(1);
            let late = barrier.delay.max(self.now.since(barrier.closed));
            self.apply(Command::Outage { round, late });
        } else {
            self.apply(Command::Tally { round, silent: barrier.waiting.into_iter().collect() });
        }
        Ok(())
    }

    fn may_miss_answers(&self, barrier: &Barrier) -> bool {
        if self.inbox.lost_answers() {
            return true;
        }
        let bus_failed = || self.ports.bus.last_failure(self.id).is_some_and(|failed| failed >= barrier.since);
        self.periodic.dropped_answers()
            || (self.ports.bus.is_distributed()
                && barrier
                    .may_miss_answers(self.game.barrier(), self.outage.failed_since(barrier.closed) || bus_failed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Span = Span(500);

    fn barrier() -> Barrier {
        Barrier::new(RoundId(1), [GatewayId(1), GatewayId(2)], Millis(0))
    }

    #[test]
    fn it_is_done_when_every_gateway_handed_in_or_is_gone() {
        let mut barrier = barrier();
        barrier.pass(GatewayId(1));
        assert!(!barrier.is_done(Millis(0), 0));
        barrier.pass(GatewayId(2));
        assert!(barrier.is_done(Millis(0), 10));
        assert!(Barrier::new(RoundId(1), [], Millis(0)).is_done(Millis(0), 0), "nobody is waited for");
    }

    #[test]
    fn its_time_is_counted_from_when_the_gateways_were_asked() {
        let mut barrier = barrier();
        assert!(!barrier.is_done(Millis(60_000), 0), "the journal is slow");
        barrier.asked(Millis(60_000), LIMIT);
        barrier.asked(Millis(60_400), LIMIT);
        assert!(!barrier.is_done(Millis(60_499), 0));
        assert!(barrier.is_done(Millis(60_500), 0));
    }

    #[test]
    fn what_had_reached_the_show_by_the_limit_is_taken_first_and_nothing_later_is_waited_for() {
        let mut barrier = barrier();
        barrier.asked(Millis(0), LIMIT);
        barrier.processed(1_000);
        assert!(!barrier.is_done(Millis(500), 1_500));
        barrier.processed(1_000);
        assert!(!barrier.is_done(Millis(520), 9_000));
        barrier.processed(500);
        assert!(barrier.is_done(Millis(540), 9_000));
    }

    #[test]
    fn answers_may_be_missing_if_the_gateways_were_asked_late_or_something_failed_and_one_did_not_hand_in() {
        let mut all_in = Barrier::new(RoundId(1), [], Millis(0));
        all_in.asked(Millis(500), LIMIT);
        assert!(!all_in.may_miss_answers(LIMIT, true), "all have handed in");
        let mut late = Barrier::new(RoundId(1), [], Millis(0));
        late.asked(Millis(501), LIMIT);
        assert!(late.may_miss_answers(LIMIT, false));
        let mut silent = barrier();
        silent.asked(Millis(0), LIMIT);
        assert!(!silent.may_miss_answers(LIMIT, false), "the gateway is named to the host, and the round counts");
        assert!(silent.may_miss_answers(LIMIT, true));
    }
}
