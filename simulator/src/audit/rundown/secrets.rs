//! What must not be told before a round of a quiz closes, and never: promise 3.

use std::collections::BTreeSet;

use klaxon_protocol::games::quiz::Kind;
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::{Body, FromPlayer, ToPlayer};
use serde_json::Value;

use super::super::finding::{Finding, Violation};
use super::super::reading::{Reading, as_millis, millis};
use super::book::RundownBook;
use crate::evidence::Micros;
use crate::messages::Seen;

/// Names that tell what is right, or what became of answers.
const TELLING: &[&str] = &[
    "right",
    "right_answers",
    "winners",
    "counts",
    "spellings",
    "explanation",
    "weights",
    "result",
    "outcome",
    "gained",
    "leaders",
];

/// Checks that no seed is told, of which the order of choices would follow; those of bingo are told at its end.
pub(super) fn seeds_stay_secret(reading: &Reading<'_>, book: &RundownBook, finding: &mut Finding) {
    let of_quizzes = book.setup.parts.iter().zip(0..).filter(|(_, index)| book.quizzes.contains_key(index));
    let seeds: Vec<String> = of_quizzes.filter_map(|(part, _)| Some(part.seed?.to_string())).collect();
    for (_, bytes, message) in reading.received_frames() {
        let holds = |seed: &String| bytes.windows(seed.len()).any(|window| window == seed.as_bytes());
        finding.check(!seeds.iter().any(holds), || Violation::new("the seed of a quiz was told").frame(message));
    }
}

/// Checks that nothing that depends on what is right is told while a question is open. Returns how many messages were received
/// then.
pub(super) fn nothing_early(reading: &Reading<'_>, book: &RundownBook, finding: &mut Finding) -> u64 {
    let slack = as_millis(reading.options.clock_slack);
    let mut in_the_open = 0;
    for connection in 0..reading.connections.len() {
        let mut open: Option<RoundId> = None;
        for (at, seen) in reading.walk(connection) {
            let message = match seen {
                Seen::Received(message) => message,
                Seen::Sent(FromPlayer::Join(_)) => {
                    open = None;
                    continue;
                }
                _ => continue,
            };
            open = message.begins_round().or(open);
            let body = match message {
                ToPlayer::GameEvent(event) => &event.body,
                ToPlayer::GameOwn(own) => &own.body,
                ToPlayer::GameSnapshot(snapshot) => {
                    open = reading.journal.round_at(snapshot.seq);
                    &snapshot.body
                }
                _ => continue,
            };
            let Some(round) = open.filter(|&round| is_open(reading, round, at, slack)) else { continue };
            let Some(of) = book.rounds.get(&round) else { continue };
            in_the_open += 1;
            let secret = secrets(&of.question.question.kind, of.question.question.explanation.as_deref());
            // What the last question came to is told again by nothing.
            let leak = tells(body, &secret, &of.question.question.text);
            finding.check(leak.is_none(), || {
                let what = format!("{} was told before the question closed", leak.unwrap_or_default());
                reading.violation(connection, what).question(round).at(at).frame(message)
            });
        }
    }
    in_the_open
}

/// Whether the round was certainly not closed yet.
fn is_open(reading: &Reading<'_>, round: RoundId, at: Micros, slack: u64) -> bool {
    let now = millis(at).saturating_add(slack);
    let windows = reading.journal.windows.get(&round);
    windows.is_some_and(|windows| windows.closed_at.is_none_or(|closed| now < closed.0))
}

/// The texts that tell what is right.
fn secrets<'q>(kind: &'q Kind, explanation: Option<&'q str>) -> BTreeSet<&'q str> {
    let mut secrets: BTreeSet<&str> = explanation.into_iter().collect();
    if let Kind::Text(of) = kind {
        secrets.extend(of.spellings.iter().map(String::as_str));
    }
    secrets
}

/// What of the answer is in this body, if something is.
fn tells(body: &Body, secrets: &BTreeSet<&str>, question: &str) -> Option<String> {
    body.0.iter().find_map(|(name, value)| tells_in(name, value, secrets, question))
}

fn tells_in(name: &str, value: &Value, secrets: &BTreeSet<&str>, question: &str) -> Option<String> {
    if TELLING.contains(&name) && !value.is_null() {
        return Some(format!("{name:?}"));
    }
    match value {
        // What the seat itself has answered is its own.
        _ if name == super::view::ANSWERED => None,
        Value::String(text) if secrets.contains(text.as_str()) && text != question => Some(format!("{text:?}")),
        Value::Array(values) => values.iter().find_map(|value| tells_in("", value, secrets, question)),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| tells_in(name, value, secrets, question)),
        _ => None,
    }
}
