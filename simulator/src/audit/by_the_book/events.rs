//! Compares the events for all players with those by the rules.

use std::collections::BTreeMap;

use klaxon_protocol::ids::Seq;
use klaxon_protocol::player::ToPlayer;

use super::super::finding::{Finding, Violation};
use super::super::reading::Reading;

/// The events by the rules, by sequence number.
#[derive(Debug, Default)]
pub(super) struct Events {
    by_seq: BTreeMap<Seq, ToPlayer>,
}

impl Events {
    pub fn told(&mut self, events: Vec<ToPlayer>) {
        self.by_seq.extend(events.into_iter().filter_map(|event| Some((event.seq()?, event))));
    }

    pub fn len(&self) -> usize {
        self.by_seq.len()
    }

    /// Checks every distinct event that was received.
    pub fn judge(&self, reading: &Reading<'_>, finding: &mut Finding) {
        for (_, _, message) in reading.received_frames() {
            let Some(seq) = message.seq() else { continue };
            let own = self.by_seq.get(&seq);
            finding.check(own == Some(message), || {
                let own = own.and_then(|own| serde_json::to_string(own).ok());
                let own = own.unwrap_or_else(|| "no such event".to_owned());
                Violation::new(format!("event {seq} is another by the book, which has {own}")).frame(message)
            });
        }
    }
}
