//! Promise 10: all that players were sent or paid follows the rules (docs/rules).
//!
//! The rules are applied to the journal's commands again. The order of a question's choices is taken from the frames in
//! which players received the question. The outcomes that the journal records are judged like those that players
//! received.

mod events;
mod promised;
mod replies;
mod states;
mod told;

use klaxon_protocol::games::trivia::Question;
use klaxon_protocol::player::ToPlayer;

use super::book::{Book, Orders};
use super::finding::{Finding, Promise, Violation};
use super::named::NamedRecords;
use super::reading::Reading;
use super::rundown;
use events::Events;
use promised::Promised;
use states::States;

const PROMISE: Promise = Promise {
    number: 10,
    name: "by the book",
    sentence: "All that anybody is told or paid is what the rule book gives, worked out anew from the commands of the show.",
};

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    if reading.rundown.is_some() {
        rundown::judge(reading, &mut finding);
        return finding;
    }
    let mut book = Book::new(orders(reading));
    let mut events = Events::default();
    let mut states = States::of(reading);
    let mut promised = Promised::default();
    for (number, record) in records(reading).enumerate() {
        let before = book.seq;
        let told = book.take(&record);
        if book.seq > before {
            states.moved_on(reading, before, &mut finding);
        }
        if told.is_ok() {
            promised.done(&record, &book);
        }
        finding.check(told.is_ok(), || {
            let why = told.as_ref().err().map(String::as_str).unwrap_or_default();
            Violation::new(format!("record {number} has a command that the rules refuse: {why}"))
        });
        let told = told.unwrap_or_default();
        finding.check(told == record.events, || {
            let what =
                format!("record {number} tells other events than the book: {}", differences(&told, &record.events));
            Violation::new(what)
        });
        events.told(told);
        states.look(&book);
    }
    states.moved_on(reading, book.seq, &mut finding);
    events.judge(reading, &mut finding);
    let results = told::judge(reading, &book, &mut finding);
    let replies = replies::judge(reading, &book, &mut finding);
    let promised = promised.judge(reading, &mut finding);
    finding.figure("events", events.len());
    finding.figure("states and snapshots", states.seen());
    finding.figure("results, standings, prizes", results);
    finding.figure("replies", replies);
    finding.figure("told at the right moment", promised);
    finding
}

/// The records up to the first that can't be read.
fn records<'r>(reading: &'r Reading<'_>) -> impl Iterator<Item = klaxon_protocol::journal::Record> + 'r {
    let records = NamedRecords::new(&reading.evidence.journal, &reading.evidence.people);
    records.into_iter().flatten().map_while(Result::ok)
}

/// The order in which players received each question's choices; for a question that no player received, the journal's
/// order.
fn orders(reading: &Reading<'_>) -> Orders {
    let mut orders = Orders::new();
    let mut learn = |question: &Question| {
        orders.entry(question.question).or_insert_with(|| question.choices.clone());
    };
    for (_, _, message) in reading.received_frames() {
        match message {
            ToPlayer::Question(question) => learn(question),
            ToPlayer::Snapshot(snapshot) => snapshot.question.iter().for_each(&mut learn),
            _ => {}
        }
    }
    for event in &reading.journal.events {
        if let ToPlayer::Question(question) = event {
            learn(question);
        }
    }
    orders
}

/// The events that were sent, and those by the rules, for a violation.
fn differences(book: &[ToPlayer], told: &[ToPlayer]) -> String {
    let json = |events: &[ToPlayer]| serde_json::to_string(events).unwrap_or_default();
    format!("{} is told, the book has {}", json(told), json(book))
}
