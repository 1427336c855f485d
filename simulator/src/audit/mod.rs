//! The audit: judges the server's promises from the outside, by what players sent and received and by the journal.

mod acknowledged;
mod book;
mod bounded;
mod by_the_book;
mod clocks;
mod finding;
mod flights;
mod goes_on;
mod holders;
mod journal;
mod money;
mod no_gaps;
mod no_leak;
mod one_answer;
mod one_clock;
mod outcome;
mod reading;
mod replay;
mod windows;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use klaxon_protocol::ids::Seat;
use serde::Serialize;

pub use finding::{Finding, KEPT_VIOLATIONS, Violation};
pub use outcome::{Final, Outcome};

use self::reading::Reading;
use crate::evidence::Evidence;
use crate::faults::Disturbance;

/// What the audit takes for granted and what it asks for.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// How far the server's clock and the players' may seem apart: rounding to milliseconds, and no more on one machine.
    pub clock_slack: Duration,
    /// A server's clock runs faster or slower than the players' by one part in so many at most.
    pub clock_drift: u64,
    /// Where the server's kernel acknowledged nothing: an honest answer was there after this long, however busy the machine was.
    pub margin: Duration,
    /// Whether the connections' other end is the server itself: then its kernel acknowledges what they send, and nobody else's.
    pub direct: bool,
    /// The longest that an honest answer may wait for its reply, and anybody for an event.
    pub reply_limit: Duration,
    /// How much the server's resident memory may grow from its first sample, whatever the audience, in bytes.
    pub rss_base: u64,
    /// How much more it may grow for each player that joined, in bytes.
    pub rss_per_player: u64,
    /// How the journal is replayed; without it promise 7 looks at the records only.
    pub replay: Option<ReplayCommand>,
    /// What was done on purpose to the processes of the service.
    pub faults: Vec<Disturbance>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            clock_slack: Duration::from_millis(2),
            // 100 ppm, as two quartzes may that nobody corrects.
            clock_drift: 10_000,
            margin: Duration::from_secs(1),
            direct: false,
            reply_limit: Duration::from_secs(5),
            rss_base: 64 << 20,
            rss_per_player: 64 << 10,
            replay: None,
            faults: Vec::new(),
        }
    }
}

/// The program that replays a journal; the journal's path is its last argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayCommand {
    /// The program, such as `target/debug/klaxon`.
    pub program: PathBuf,
    /// What stands before the journal's path, such as `replay`.
    pub arguments: Vec<OsString>,
}

impl ReplayCommand {
    /// `PROGRAM replay JOURNAL`.
    #[must_use]
    pub fn of_klaxon(program: PathBuf) -> Self {
        Self { program, arguments: vec!["replay".into()] }
    }
}

/// What came of the audit.
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

/// What each seat was told it won, the first time that it was told; nothing for those who won nothing.
#[must_use]
pub fn prizes_told(evidence: &Evidence) -> BTreeMap<Seat, u64> {
    money::prizes_told(&Reading::new(evidence, &AuditOptions::default()))
}

/// Judges the ten promises.
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
