//! Promise 7: the journal, replayed, gives the same states, results and prizes.

use klaxon_protocol::journal::FrameError;

use super::finding::{Finding, Promise, Violation};
use super::reading::Reading;

const PROMISE: Promise = Promise {
    number: 7,
    name: "replay",
    sentence: "The journal of a show, replayed, gives the same states, results and prizes, byte for byte.",
};

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    records_are_in_order(reading, &mut finding);
    finding.figure("records", reading.journal.records.len());
    finding.figure("bytes", reading.evidence.journal.len());
    match &reading.evidence.replay {
        None => finding.figure("replayed", "no"),
        Some(replay) => {
            finding.figure("replayed", &replay.message);
            finding.check(replay.identical, || Violation::new(format!("the replay says: {}", replay.message)));
        }
    }
    finding
}

fn records_are_in_order(reading: &Reading<'_>, finding: &mut Finding) {
    let journal = &reading.journal;
    match &journal.problem {
        None => {}
        // A server that was killed leaves an incomplete last record until it is started again.
        Some(FrameError::Torn { offset }) if !reading.options.faults.is_empty() => {
            finding.figure("torn tail at byte", offset);
        }
        Some(problem) => finding.broken(Violation::new(problem.to_string())),
    }
    for (expected, record) in (0u64..).zip(&journal.records) {
        finding.check(record.number == expected, || {
            Violation::new(format!("record {expected} has the number {}", record.number))
        });
    }
    for number in &journal.names {
        finding.broken(Violation::new(format!("record {number} names players, though who is who stands apart")));
    }
    for pair in journal.records.windows(2) {
        let (before, next) = (pair[0], pair[1]);
        finding.check(before.fence <= next.fence && before.at <= next.at && before.show == next.show, || {
            let what = format!("record {} goes back behind the one before it: {next:?} after {before:?}", next.number);
            Violation::new(what)
        });
    }
}
