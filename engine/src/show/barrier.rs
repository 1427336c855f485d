//! The close barrier: an answer that was read in time counts, however long it waited in one of our queues.

use std::collections::BTreeSet;
use std::time::Instant;

use klaxon_protocol::ids::{GatewayId, QuestionId};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::time::{Millis, Span};

use super::Show;
use super::lost::Lost;
use super::outage::TOO_LATE;
use crate::arbiter::ArbiterError;
use crate::bus::Address;

/// The gateways that have not yet handed in all that they read before a close.
pub(super) struct Barrier {
    pub question: QuestionId,
    waiting: BTreeSet<GatewayId>,
    /// Longer is not waited. None until the gateways were asked: a slow journal takes nothing from their time.
    limit: Option<Millis>,
    /// When time was up.
    raised: Millis,
    /// The same, for whoever measures.
    since: Instant,
    /// How long after that the gateways could be asked.
    late: Span,
    /// How many messages that had reached the show by the limit are still to be taken. None before the limit.
    behind: Option<usize>,
}

impl Barrier {
    fn new(question: QuestionId, gateways: impl IntoIterator<Item = GatewayId>, raised: Millis) -> Self {
        let waiting = gateways.into_iter().collect();
        Self { question, waiting, limit: None, raised, since: Instant::now(), late: Span(0), behind: None }
    }

    pub fn limit(&self) -> Option<Millis> {
        self.limit
    }

    /// The gateways have been asked, if they had not been before.
    pub fn asked(&mut self, now: Millis, at_most: Span) {
        if self.limit.is_none() {
            self.limit = Some(now + at_most);
            self.late = now.since(self.raised);
        }
    }

    pub fn pass(&mut self, gateway: GatewayId) {
        self.waiting.remove(&gateway);
    }

    /// The show took so many of the messages that had reached it.
    pub fn took(&mut self, messages: usize) {
        self.behind = self.behind.map(|behind| behind.saturating_sub(messages));
    }

    /// Whether all gateways have handed in or the limit has passed; `reached` messages wait to be taken.
    pub fn is_done(&mut self, now: Millis, reached: usize) -> bool {
        if self.waiting.is_empty() {
            return true;
        }
        if self.limit.is_none_or(|limit| now < limit) {
            return false;
        }
        *self.behind.get_or_insert(reached) == 0
    }
}

impl Show {
    /// Asks every gateway for its answers, if a question's time is up.
    pub(super) fn raise_barrier(&mut self) {
        let Some(question) = self.game.closing() else { return };
        self.barrier = Some(Barrier::new(question, self.gateways.iter().copied(), self.now));
        self.outbox.push((Address::All, ToGateway::Barrier { show: self.id, question }));
    }

    pub(super) fn pass_barrier(&mut self, gateway: GatewayId, question: QuestionId) {
        if let Some(barrier) = self.barrier.as_mut().filter(|barrier| barrier.question == question) {
            barrier.pass(gateway);
        }
    }

    /// A gateway is gone: nothing is waited for from it.
    pub(super) fn miss(&mut self, gateway: GatewayId) {
        self.gateways.remove(&gateway);
        self.all_part(gateway);
        self.pulse.forget(gateway);
        self.barrier.iter_mut().for_each(|barrier| barrier.pass(gateway));
    }

    /// Ends the wait: what has been claimed by now is what counts.
    ///
    /// # Errors
    /// If the show's lease is lost.
    pub(super) async fn tally(&mut self) -> Result<(), Lost> {
        let Some(barrier) = self.barrier.take() else { return Ok(()) };
        let question = barrier.question;
        let asked = self.ports.clock.now();
        match self.ports.arbiter.close(self.id, self.fence, question).await {
            Ok(()) if self.ports.clock.now().since(asked) <= TOO_LATE => {}
            Ok(()) => self.store_failed = Some(self.ports.clock.now()),
            Err(ArbiterError::NoLease) => self.regain().await?,
            // The rules themselves count nothing from here on; the arbiter's word is for other engines.
            Err(error) => {
                self.store_failed = Some(self.ports.clock.now());
                tracing::warn!(show = %self.id, %question, %error, "the arbiter did not close this question");
            }
        }
        metrics::counter!("klaxon_silent_gateways_total").increment(barrier.waiting.len() as u64);
        if self.may_miss_answers(&barrier) {
            metrics::counter!("klaxon_questions_voided_by_outages_total").increment(1);
            let late = barrier.late.max(self.now.since(barrier.raised));
            self.apply(Command::Outage { question, late });
        } else {
            self.apply(Command::Tally { question, silent: barrier.waiting.into_iter().collect() });
        }
        Ok(())
    }

    /// Whether answers that were read in time may be stuck or lost between gateways and the arbiter: rules.md, "Outages".
    fn may_miss_answers(&self, barrier: &Barrier) -> bool {
        let bus_failed = self.ports.bus.last_failure(self.id).is_some_and(|failed| failed >= barrier.since);
        let failed_since = bus_failed || self.store_failed.is_some_and(|failed| failed >= barrier.raised);
        self.pulse.dropped_answers()
            || (self.ports.bus.is_distributed()
                && (barrier.late > self.game.barrier() || (failed_since && !barrier.waiting.is_empty())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Span = Span(500);

    fn barrier() -> Barrier {
        Barrier::new(QuestionId(1), [GatewayId(1), GatewayId(2)], Millis(0))
    }

    #[test]
    fn it_is_done_when_every_gateway_handed_in_or_is_gone() {
        let mut barrier = barrier();
        barrier.pass(GatewayId(1));
        assert!(!barrier.is_done(Millis(0), 0));
        barrier.pass(GatewayId(2));
        assert!(barrier.is_done(Millis(0), 10));
        assert!(Barrier::new(QuestionId(1), [], Millis(0)).is_done(Millis(0), 0), "nobody is waited for");
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
        barrier.took(1_000);
        assert!(!barrier.is_done(Millis(500), 1_500));
        barrier.took(1_000);
        assert!(!barrier.is_done(Millis(520), 9_000));
        barrier.took(500);
        assert!(barrier.is_done(Millis(540), 9_000));
    }
}
