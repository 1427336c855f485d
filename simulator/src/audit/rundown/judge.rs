//! Promise 10 for a rundown: all that players were sent follows the rules of its parts.

use std::collections::BTreeMap;

use klaxon_protocol::ids::Seq;
use klaxon_protocol::player::ToPlayer;

use super::super::bingo;
use super::super::finding::{Finding, Violation};
use super::super::named::NamedRecords;
use super::super::reading::Reading;
use super::book::RundownBook;
use super::told::{ToldStates, answers_are_told};
use super::{replies, secrets};

/// Judges the whole show by the book.
pub(in crate::audit) fn judge(reading: &Reading<'_>, finding: &mut Finding) {
    let records = NamedRecords::new(&reading.evidence.journal, &reading.evidence.people);
    let mut records = records.into_iter().flatten().map_while(Result::ok);
    let Some(mut book) = records.next().and_then(|first| RundownBook::begun(&first)) else { return };
    for name in book.unjudged() {
        finding.broken(Violation::new(format!("the audit has no rules of `{name}`, so it can't confirm this show")));
    }
    for (round, problem) in reading.rundown.iter().flat_map(|book| &book.problems) {
        finding.broken(Violation::new(problem.clone()).question(*round));
    }
    let mut states = ToldStates::of(reading);
    let mut events: BTreeMap<Seq, ToPlayer> = BTreeMap::new();
    for (number, record) in (1..).zip(records) {
        let before = book.seq;
        let told = book.take(&record);
        if book.seq > before {
            states.moved_on(reading, before, finding);
        }
        finding.check(told.is_ok(), || {
            let why = told.as_ref().err().map(String::as_str).unwrap_or_default();
            Violation::new(format!("record {number} has a command that the rules refuse: {why}"))
        });
        let told = told.unwrap_or_else(|_| record.events.clone());
        finding.check(told == record.events, || {
            let json = |events: &[ToPlayer]| serde_json::to_string(events).unwrap_or_default();
            let (written, own) = (json(&record.events), json(&told));
            Violation::new(format!("record {number} tells {written}, the book has {own}"))
        });
        events.extend(told.into_iter().filter_map(|event| Some((event.seq()?, event))));
        states.look(&book);
    }
    states.moved_on(reading, book.seq, finding);
    states.judge_due(reading, finding);
    for (_, _, message) in reading.received_frames() {
        let Some(seq) = message.seq() else { continue };
        let own = events.get(&seq);
        finding.check(own == Some(message), || {
            let own = own.and_then(|own| serde_json::to_string(own).ok()).unwrap_or_else(|| "no such event".to_owned());
            Violation::new(format!("event {seq} is another by the book, which has {own}")).frame(message)
        });
    }
    answers_are_told(reading, &book, finding);
    let replies = replies::judge(reading, &book, finding);
    if let Some(bingo) = &book.bingo {
        bingo::judge(reading, bingo, finding);
    }
    finding.figure("events", events.len());
    finding.figure("rounds of quizzes", book.rounds.len());
    finding.figure("snapshots, own states and results", states.seen());
    finding.figure("replies", replies);
}

/// Judges what must not be told too early, or at all. Returns how many messages were received while a question was open.
pub(in crate::audit) fn keeps_secrets(reading: &Reading<'_>, book: &RundownBook, finding: &mut Finding) -> u64 {
    if let Some(bingo) = &book.bingo {
        bingo::seeds_are_secret(reading, bingo, finding);
    }
    secrets::seeds_stay_secret(reading, book, finding);
    secrets::nothing_early(reading, book, finding)
}
