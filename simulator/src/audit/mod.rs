//! The audit: judges the server's promises by what players sent and received, and by the journal.

mod acknowledged;
mod bingo;
mod book;
mod bounded;
mod by_the_book;
mod claims;
mod clocks;
mod finding;
mod flights;
mod goes_on;
mod holders;
mod journal;
mod money;
mod named;
mod no_gaps;
mod no_leak;
mod one_answer;
mod one_clock;
mod options;
mod outcome;
mod quiz;
mod reading;
mod replay;
mod rundown;
mod windows;

use std::collections::BTreeMap;

use klaxon_protocol::ids::Seat;
use serde::Serialize;

pub use bingo::{BingoSummary, PrizeSummary, Ticket, is_complete};
pub use finding::{Finding, KEPT_VIOLATIONS, Violation};
pub use options::AuditOptions;
pub use outcome::{Final, Outcome};

use self::reading::Reading;
use self::rundown::RundownBook;
use crate::evidence::Evidence;

/// The result of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// One for each promise that could be judged, by number.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// Whether every promise was checked and none was broken.
    #[must_use]
    pub fn clean(&self) -> bool {
        self.findings.iter().all(Finding::holds)
    }

    /// The numbers of the promises that were broken.
    #[must_use]
    pub fn broken(&self) -> Vec<u8> {
        self.findings.iter().filter(|finding| finding.violated > 0).map(|finding| finding.promise).collect()
    }
}

/// The first prize that each seat was sent; seats without one are missing.
#[must_use]
pub fn prizes_sent(evidence: &Evidence) -> BTreeMap<Seat, u64> {
    money::prizes_sent(&Reading::new(evidence, &AuditOptions::default()))
}

/// What the show's parts of bingo were like, by the audit's own book; empty if it had none.
#[must_use]
pub fn bingo_summaries(evidence: &Evidence) -> Vec<BingoSummary> {
    let book = RundownBook::of(&evidence.journal, &evidence.people).and_then(|book| book.bingo);
    book.as_ref().map(bingo::summaries).unwrap_or_default()
}

/// Judges all ten promises.
#[must_use]
pub fn audit(evidence: &Evidence, options: &AuditOptions) -> Audit {
    let reading = Reading::new(evidence, options);
    let findings = vec![
        one_answer::judge(&reading),
        acknowledged::judge(&reading),
        no_leak::judge(&reading),
        one_clock::judge(&reading),
        no_gaps::judge(&reading),
        money::judge(&reading),
        replay::judge(&reading),
        bounded::judge(&reading),
        goes_on::judge(&reading),
        by_the_book::judge(&reading),
    ];
    Audit { findings }
}
