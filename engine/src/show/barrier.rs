//! The close barrier: an answer that was read in time counts, however long it waited in one of our queues.

use std::collections::BTreeSet;

use klaxon_protocol::ids::{GatewayId, QuestionId};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::time::Millis;

use super::Show;
use crate::bus::Address;

/// The gateways that have not yet handed in all that they read before a close.
pub(super) struct Barrier {
    pub question: QuestionId,
    /// Longer is not waited.
    pub limit: Millis,
    waiting: BTreeSet<GatewayId>,
}

impl Barrier {
    pub fn pass(&mut self, gateway: GatewayId) {
        self.waiting.remove(&gateway);
    }

    pub fn is_done(&self, now: Millis) -> bool {
        self.waiting.is_empty() || now >= self.limit
    }
}

impl Show {
    /// Asks every gateway for its answers, if a question's time is up.
    pub(super) fn raise_barrier(&mut self) {
        let Some(question) = self.game.closing() else { return };
        let waiting = self.ports.bus.gateways().into_iter().collect();
        self.barrier = Some(Barrier { question, limit: self.now + self.game.barrier(), waiting });
        self.outbox.push((Address::All, ToGateway::Barrier { show: self.id, question }));
    }

    pub(super) fn pass_barrier(&mut self, gateway: GatewayId, question: QuestionId) {
        if let Some(barrier) = self.barrier.as_mut().filter(|barrier| barrier.question == question) {
            barrier.pass(gateway);
        }
    }

    /// Ends the wait: what has been claimed by now is what counts.
    pub(super) async fn tally(&mut self) {
        let Some(barrier) = self.barrier.take() else { return };
        let question = barrier.question;
        if let Err(error) = self.ports.arbiter.close(self.id, self.fence, question).await {
            // The rules themselves count nothing from here on; the arbiter's word is for other engines.
            tracing::warn!(show = %self.id, %question, %error, "the arbiter did not close this question");
        }
        metrics::counter!("klaxon_silent_gateways_total").increment(barrier.waiting.len() as u64);
        self.apply(Command::Tally { question, silent: barrier.waiting.into_iter().collect() });
    }
}
