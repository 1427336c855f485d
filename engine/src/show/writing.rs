//! The end of a turn: its records are written, then its messages are published.

use klaxon_protocol::host::AlertKind;
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::time::Span;

use super::Show;
use super::outage::Delay;
use super::stopping::StopReason;
use crate::bus::{Address, BusError};
use crate::journal::JournalError;

/// The pause before a failed write is tried again, at first and at most.
const RETRY_PAUSE: std::ops::RangeInclusive<Span> = Span(10)..=Span(1_000);

impl Show {
    /// Writes this turn's records, then publishes its messages. A failed write is retried until it succeeds: players
    /// wait, and nothing is acknowledged that a crash could lose.
    ///
    /// # Errors
    /// If these records can never be written, as another engine has the show or its journal is damaged; or if the bus
    /// takes no more messages of the show.
    pub(super) async fn commit(&mut self) -> Result<(), StopReason> {
        if let Some(delay) = self.write().await? {
            self.make_up_for(delay);
            self.write().await?;
        }
        if let Some(publication) = self.outbox.take(self.records.written()) {
            self.ports.bus.publish(publication)?;
        }
        if let Some(barrier) = &mut self.barrier {
            barrier.asked(self.ports.clock.now(), self.game.barrier());
        }
        self.publish_status();
        Ok(())
    }

    /// Writes this turn's records. Returns the delay, if there was one.
    async fn write(&mut self) -> Result<Option<Delay>, StopReason> {
        let mut failed = false;
        let began = self.ports.clock.now();
        let mut pause = *RETRY_PAUSE.start();
        while !self.records.is_empty() {
            let Err(error) = self.ports.journal.append(self.records.as_slice()).await else {
                self.records.note_written();
                self.lease.confirm();
                break;
            };
            if error == (JournalError::NoLease { show: self.id }) {
                self.retake_lease().await?;
                continue;
            }
            if !std::mem::replace(&mut failed, true) {
                let alert = AlertKind::JournalFailing { problem: error.to_string() };
                let at = self.ports.clock.now();
                self.publish_at_once(Address::All, ToGateway::Alert { show: self.id, at, alert })?;
            }
            if !matches!(error, JournalError::Unavailable(_)) {
                return Err(error.into());
            }
            tracing::error!(%error, "the journal can't be written; it is tried again");
            self.wait_for_the_store(pause).await;
            pause = (pause + pause).min(*RETRY_PAUSE.end());
        }
        Ok(Delay::of(self.ports.clock.now().since(began), failed))
    }

    /// Publishes a message before the messages of this turn.
    ///
    /// # Errors
    /// If the bus takes no more messages of the show: what it has not published by then is dropped.
    pub(super) fn publish_at_once(&self, to: Address, message: ToGateway) -> Result<(), BusError> {
        self.ports.bus.publish(self.outbox.at_once(vec![(to, message)], self.records.written()))
    }
}
