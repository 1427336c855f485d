//! Promise 7: the journal, replayed, gives the same states, results and prizes.

use std::io::Write as _;
use std::process::Command;

use klaxon_protocol::journal::FrameError;

use super::ReplayCommand;
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
    match &reading.options.replay {
        None => finding.figure("replayed", "no"),
        Some(replay) => match run(replay, &reading.evidence.journal) {
            Ok(Replayed { fine, last_line }) => {
                finding.figure("replayed", &last_line);
                finding.check(fine, || Violation::new(format!("the replay says: {last_line}")));
            }
            Err(error) => finding.check(false, || {
                Violation::new(format!("the replay by {} could not be run: {error}", replay.program.display()))
            }),
        },
    }
    finding
}

fn records_are_in_order(reading: &Reading<'_>, finding: &mut Finding) {
    let journal = &reading.journal;
    match &journal.problem {
        None => {}
        // A server that was killed leaves a torn tail until it is started again.
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
    for pair in journal.records.windows(2) {
        let (before, next) = (pair[0], pair[1]);
        finding.check(before.fence <= next.fence && before.at <= next.at && before.show == next.show, || {
            let what = format!("record {} goes back behind the one before it: {next:?} after {before:?}", next.number);
            Violation::new(what)
        });
    }
}

struct Replayed {
    fine: bool,
    last_line: String,
}

fn run(replay: &ReplayCommand, journal: &[u8]) -> std::io::Result<Replayed> {
    let mut file = tempfile::Builder::new().prefix("klaxon-").suffix(".klxj").tempfile()?;
    file.write_all(journal)?;
    file.flush()?;
    let output = Command::new(&replay.program).args(&replay.arguments).arg(file.path()).output()?;
    let fine = output.status.success();
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>();
    let last = |lines: Vec<String>| lines.into_iter().rev().find(|line| !line.trim().is_empty());
    let said = last(lines(&output.stdout));
    let complained = last(lines(&output.stderr));
    let last_line = if fine { said.or(complained) } else { complained.or(said) };
    Ok(Replayed { fine, last_line: last_line.unwrap_or_else(|| format!("nothing, {}", output.status)) })
}
