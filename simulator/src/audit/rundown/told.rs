//! Snapshots and what seats are told of themselves: each must be true at some moment after the event whose sequence number it
//! has, and before the next; and whom something is due gets it before the next event.

use std::collections::BTreeMap;

use klaxon_protocol::games::quiz::Answered;
use klaxon_protocol::ids::{RoundId, Seat, Seq};
use klaxon_protocol::player::{Body, FromPlayer, GameSnapshot, ToPlayer};
use serde_json::Value;

use super::super::claims::Claimed;
use super::super::finding::Finding;
use super::super::reading::Reading;
use super::book::{Personal, RundownBook};
use super::view::ANSWERED;
use crate::evidence::Micros;
use crate::messages::Seen;

/// What was sent, and does not match any moment so far.
#[derive(Debug)]
struct Unmatched<'r> {
    connection: usize,
    at: Micros,
    what: Witnessed<'r>,
    /// What the book had at the last moment that was compared.
    book: String,
}

#[derive(Debug, Clone, Copy)]
enum Witnessed<'r> {
    Show(&'r GameSnapshot),
    Seat(Option<Seat>, &'r Body),
}

/// All that was sent, by the sequence number that the show had.
#[derive(Debug, Default)]
pub(super) struct ToldStates<'r> {
    open: BTreeMap<Seq, Vec<Unmatched<'r>>>,
    /// For each connection with a seat: after which events it got nothing of its own before the next one.
    silent: Vec<(usize, Seat, Seq)>,
    /// What is due to seats, by the event or moment.
    due: BTreeMap<Seq, Due>,
    seen: u64,
}

/// To whom something is due.
#[derive(Debug)]
enum Due {
    /// All seats below this.
    All(u32),
    /// This seat.
    Seat(Seat),
}

impl<'r> ToldStates<'r> {
    pub fn of(reading: &'r Reading<'_>) -> Self {
        let mut states = Self::default();
        for (connection, read) in reading.connections.iter().enumerate() {
            let (mut seat, mut seq) = (None, Seq(0));
            // The last event that came as one, and whether something of the seat's own came after it.
            let mut last: Option<(Seq, bool)> = None;
            for (at, seen) in reading.walk(connection) {
                let message = match seen {
                    Seen::Received(message) => message,
                    Seen::Sent(FromPlayer::Join(_)) => {
                        last = None;
                        continue;
                    }
                    _ => continue,
                };
                let what = match message {
                    ToPlayer::Welcome(welcome) => {
                        seat = welcome.seat;
                        continue;
                    }
                    ToPlayer::GameSnapshot(snapshot) => {
                        (seq, last) = (snapshot.seq, None);
                        Witnessed::Show(snapshot)
                    }
                    ToPlayer::GameOwn(own) => {
                        last = last.map(|(seq, _)| (seq, true));
                        Witnessed::Seat(seat, &own.body)
                    }
                    other => {
                        let Some(next) = other.seq() else { continue };
                        if let (Some((before, false)), Some(seat)) = (last, read.seat) {
                            states.silent.push((connection, seat, before));
                        }
                        (seq, last) = (next.max(seq), Some((next, false)));
                        continue;
                    }
                };
                states.open.entry(seq).or_default().push(Unmatched { connection, at, what, book: String::new() });
                states.seen += 1;
            }
        }
        states
    }

    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes note of what is due to seats now, and removes what matches the show's present state.
    pub fn look(&mut self, book: &RundownBook) {
        match book.personal {
            Personal::Results | Personal::Standings => {
                self.due.insert(book.seq, Due::All(book.ledger.seats()));
            }
            Personal::Own(seat) => {
                self.due.entry(book.seq).or_insert(Due::Seat(seat));
            }
            Personal::Nothing | Personal::Lives => {}
        }
        let Some(open) = self.open.get_mut(&book.seq).filter(|open| !open.is_empty()) else { return };
        let ranks = book.ranks();
        open.retain_mut(|told| {
            let is_true = match told.what {
                Witnessed::Show(snapshot) => book.snapshot(snapshot) == *snapshot,
                Witnessed::Seat(seat, body) => book.is_own(seat, body, &ranks),
            };
            if !is_true && told.book.is_empty() {
                told.book = match told.what {
                    Witnessed::Show(snapshot) => serde_json::to_string(&book.snapshot(snapshot)).unwrap_or_default(),
                    Witnessed::Seat(seat, _) => book.own_words(seat, &ranks),
                };
            }
            !is_true
        });
    }

    /// Reports those of event `seq` or earlier that are still unmatched: the show has gone past them.
    pub fn moved_on(&mut self, reading: &'r Reading<'_>, seq: Seq, finding: &mut Finding) {
        let later = self.open.split_off(&seq.next());
        let gone = std::mem::replace(&mut self.open, later);
        for Unmatched { connection, at, what, book } in gone.into_values().flatten() {
            finding.broken(match what {
                Witnessed::Show(snapshot) => reading
                    .violation(connection, format!("the snapshot was never true, by the book it is {book}"))
                    .at(at)
                    .frame(snapshot),
                Witnessed::Seat(_, body) => reading
                    .violation(connection, format!("what the seat is told of itself is another by the book: {book}"))
                    .at(at)
                    .frame(body),
            });
        }
    }

    /// Reports to whom something was due and never came.
    pub fn judge_due(&self, reading: &Reading<'_>, finding: &mut Finding) {
        finding.checked += self.seen;
        for &(connection, seat, seq) in &self.silent {
            let is_due = match self.due.get(&seq) {
                Some(Due::All(seats)) => seat.0 < *seats,
                Some(Due::Seat(other)) => seat == *other,
                None => continue,
            };
            finding.check(!is_due, || {
                reading.violation(connection, format!("nothing of the seat's own followed event {seq}, and was due"))
            });
        }
    }
}

/// The answers that a seat is told of count, and those that were acknowledged before are among them.
pub(super) fn answers_are_told(reading: &Reading<'_>, book: &RundownBook, finding: &mut Finding) {
    for (index, connection) in reading.connections.iter().enumerate() {
        let Some(seat) = connection.seat else { continue };
        let (mut round, mut joined, mut own_due): (Option<RoundId>, _, _) = (None, None, false);
        for (at, seen) in reading.walk(index) {
            match seen {
                Seen::Sent(FromPlayer::Join(_)) => joined = Some(at),
                Seen::Received(ToPlayer::GameSnapshot(snapshot)) => {
                    (round, own_due) = (reading.journal.round_at(snapshot.seq), true);
                }
                Seen::Received(ToPlayer::GameOwn(own)) => {
                    let due = std::mem::take(&mut own_due);
                    let (Some(round), Some(told)) = (round, own.body.0.get(ANSWERED)) else { continue };
                    // The next part may have begun.
                    let part = own.body.0.get("part").and_then(Value::as_u64);
                    let of = book.rounds.get(&round).filter(|of| part == Some(of.part.into()));
                    let Some(of) = of else { continue };
                    let told: Vec<Answered> =
                        serde_json::from_value::<Vec<Answered>>(Value::clone(told)).unwrap_or_default();
                    let counted = |key| reading.journal.counted(Claimed { round, key }, seat);
                    let unknown =
                        told.iter().find(|told| counted(told.key).is_none_or(|counted| counted.value != told.value));
                    let mut problem = unknown.map(|told| format!("{} is said to count, and does not", told.value));
                    for key in (0..5).map(klaxon_protocol::ids::ClaimKey).filter(|_| due && !of.voided) {
                        let is_told = told.iter().any(|told| told.key == key);
                        let before = |at: Micros| joined.is_some_and(|joined| at < joined);
                        let mut replies = reading.replies(seat, Claimed { round, key });
                        let was_acknowledged = replies.any(|(_, at, reply)| reply.accepted && before(at));
                        if was_acknowledged && !is_told && !reading.journal.removed.contains(&seat) {
                            problem = Some(format!("claim {key} was acknowledged before, and is forgotten"));
                        }
                    }
                    finding.check(problem.is_none(), || {
                        reading.violation(index, problem.unwrap_or_default()).question(round).at(at).frame(&own.body)
                    });
                }
                Seen::Received(message) => round = message.begins_round().or(round),
                _ => {}
            }
        }
    }
}
