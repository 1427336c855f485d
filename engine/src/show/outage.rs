//! What a show does when the arbiter or the journal goes away, or comes back without its memory.

use std::time::Instant;

use klaxon_protocol::host::AlertKind;
use klaxon_protocol::ids::{Fence, QuestionId};
use klaxon_protocol::journal::Command;
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Span;

use super::Show;
use super::lost::Lost;
use crate::arbiter::{ArbiterError, Claim, TERM};
use crate::bus::{Address, BusError};

/// The pause before an arbiter or a bus that did not answer is asked for a lease again.
const ASK_AGAIN: Span = Span(50);
/// A question that came to the players later than this is given the time again; a store that needs longer was away.
pub(super) const TOO_LATE: Span = Span(250);

/// A turn whose records were written late.
pub(super) struct Late {
    /// By how much.
    pub by: Span,
    /// Whether an attempt failed, of which the host was told.
    pub failed: bool,
}

impl Show {
    /// Notes that this process runs. One that was stopped for longer than a lease can't know whose the show is.
    pub(super) fn look_at_the_clock(&mut self) {
        let slept = std::mem::replace(&mut self.awake, Instant::now()).elapsed();
        // Renewed before it slept is not renewed since.
        let renewed = self.lease.take_renewed();
        self.stood_still = slept > TERM.to_std() || (self.stood_still && !renewed);
    }

    /// The arbiter or the journal did not answer: waits before it is asked again.
    pub(super) async fn wait_for_the_store(&mut self, wait: Span) {
        self.store_failed = Some(self.ports.clock.now());
        tokio::time::sleep(wait.to_std()).await;
        self.look_at_the_clock();
    }

    /// The arbiter lost its memory. Takes the show's lease anew and gives back what this engine holds.
    ///
    /// # Errors
    /// If another engine has the show, or may have had it.
    pub(super) async fn regain(&mut self) -> Result<(), Lost> {
        self.look_at_the_clock();
        if self.stood_still {
            return Err(Lost::StoodStill);
        }
        tracing::warn!(show = %self.id, "the arbiter lost its memory; it is given what this engine holds");
        self.store_failed = Some(self.ports.clock.now());
        while !self.try_regain().await? {
            self.wait_for_the_store(ASK_AGAIN).await;
        }
        metrics::counter!("klaxon_shows_regained_total").increment(1);
        self.ports.bus.update_directory(self.line());
        // Whoever was to hear what was said last may not have.
        self.say_now(Address::All, ToGateway::Said { show: self.id, seq: self.game.seq() });
        Ok(())
    }

    /// False if somebody did not answer.
    async fn try_regain(&mut self) -> Result<bool, Lost> {
        let asked: Result<Fence, ArbiterError> =
            self.ports.arbiter.lease(self.id, self.fence).await.map(|lease| lease.fence);
        let fence = match asked {
            Ok(fence) => fence,
            Err(ArbiterError::Unavailable(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.fence = fence;
        self.lease.replace(fence);
        // What this turn has not written yet is written under the new lease.
        self.records.iter_mut().for_each(|record| record.fence = fence);
        match self.ports.bus.take_over(self.id, fence).await {
            Ok(takeover) => self.gateways.extend(takeover.gateways),
            Err(BusError::Unavailable(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if let Some((question, claims)) = self.claims() {
            match self.ports.arbiter.restore(self.id, fence, question, &claims).await {
                Ok(()) => {}
                Err(ArbiterError::Unavailable(_) | ArbiterError::NoLease) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// The counted answers to the last question.
    pub(super) fn claims(&self) -> Option<(QuestionId, Vec<Claim>)> {
        let (question, counted) = self.game.counted()?;
        Some((question, counted.into_iter().map(|(seat, choice)| Claim { seat, choice }).collect()))
    }

    /// The journal can be written again. If players are to hear only now of a question that is open, they get its time again.
    pub(super) fn make_up_for(&mut self, late: Late) {
        if late.failed {
            self.alert(AlertKind::JournalBack);
        }
        let (now, away) = (self.ports.clock.now(), late.by);
        let unheard = self.outbox.iter().any(|(_, message)| match message {
            ToGateway::Broadcast(broadcast) => {
                matches!(broadcast.message, ToPlayer::Question(_) | ToPlayer::Clock(_) | ToPlayer::Resume(_))
            }
            _ => false,
        });
        if unheard && away > TOO_LATE && self.game.phase() == Phase::Question {
            self.now = self.now.max(now);
            self.apply(Command::Recovered { away });
        }
    }
}
