//! The end of a turn: its records are written, then what came of them is said.

use klaxon_protocol::host::AlertKind;
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::time::Span;

use super::Show;
use super::lost::Lost;
use super::outage::{Late, TOO_LATE};
use crate::bus::{Address, Publication};
use crate::journal::JournalError;

/// The pause before a failed write is tried again, at first and at most.
const RETRY: std::ops::RangeInclusive<Span> = Span(10)..=Span(1_000);

impl Show {
    /// Writes this turn's records, then says what came of them. A write that fails is tried until it succeeds: the players wait,
    /// and nothing is acknowledged that a crash could take away.
    ///
    /// # Errors
    /// If these records can never be written: another engine has the show, or its journal is damaged.
    pub(super) async fn commit(&mut self) -> Result<(), Lost> {
        if let Some(late) = self.write().await? {
            self.make_up_for(late);
            self.write().await?;
        }
        self.say_all()?;
        if let Some(barrier) = &mut self.barrier {
            barrier.asked(self.ports.clock.now(), self.game.barrier());
        }
        self.tell_status();
        Ok(())
    }

    /// Writes this turn's records. How late they were written, if they were.
    pub(super) async fn write(&mut self) -> Result<Option<Late>, Lost> {
        let mut failed = false;
        let began = self.ports.clock.now();
        let mut wait = *RETRY.start();
        while !self.records.is_empty() {
            let Err(error) = self.ports.journal.append(&self.records).await else {
                self.records.clear();
                self.stood_still = false;
                break;
            };
            if error == (JournalError::NoLease { show: self.id }) {
                self.regain().await?;
                continue;
            }
            if !std::mem::replace(&mut failed, true) {
                let alert = AlertKind::JournalFailing { problem: error.to_string() };
                let at = self.ports.clock.now();
                self.say_now(Address::All, ToGateway::Alert { show: self.id, at, alert });
            }
            if !matches!(error, JournalError::Unavailable(_)) {
                return Err(error.into());
            }
            tracing::error!(show = %self.id, %error, "the journal can't be written; trying again");
            self.wait_for_the_store(wait).await;
            wait = (wait + wait).min(*RETRY.end());
        }
        let by = self.ports.clock.now().since(began);
        Ok((failed || by > TOO_LATE).then_some(Late { by, failed }))
    }

    /// Says what this turn came to.
    ///
    /// # Errors
    /// If the bus takes nothing more of the show.
    pub(super) fn say_all(&mut self) -> Result<(), Lost> {
        let messages = std::mem::take(&mut self.outbox);
        if messages.is_empty() && self.committed == self.heard {
            return Ok(());
        }
        self.committed = self.heard;
        let (show, records, acknowledged) = (self.id, self.written(), self.heard);
        Ok(self.ports.bus.publish(Publication { show, messages, records, acknowledged })?)
    }

    /// Says something before what this turn comes to.
    pub(super) fn say_now(&self, to: Address, message: ToGateway) {
        let messages = vec![(to, message)];
        let (show, records, acknowledged) = (self.id, self.written(), self.committed);
        // A bus that takes nothing more refuses the next commit as well.
        let _ = self.ports.bus.publish(Publication { show, messages, records, acknowledged });
    }

    /// How many records the journal holds.
    pub(super) fn written(&self) -> u64 {
        self.next_record - self.records.len() as u64
    }
}
