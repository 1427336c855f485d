//! Snapshots and player states: each must be true at some moment after the event whose sequence number it has, and
//! before the next event.

use std::collections::BTreeMap;

use klaxon_protocol::games::trivia::{Snapshot, You};
use klaxon_protocol::ids::{Seat, Seq};
use klaxon_protocol::player::{Paused, ToPlayer};

use super::super::book::Book;
use super::super::finding::Finding;
use super::super::reading::Reading;
use crate::evidence::Micros;
use crate::messages::Seen;

/// A snapshot or state that was sent, and does not match any moment so far.
#[derive(Debug)]
struct Told<'r> {
    connection: usize,
    at: Micros,
    what: SentState<'r>,
}

#[derive(Debug)]
enum SentState<'r> {
    Show(&'r Snapshot),
    Seat { seat: Option<Seat>, told: You, book: Option<You> },
    Pause(Paused),
}

/// All unmatched ones, by the sequence number that the show had.
#[derive(Debug, Default)]
pub(super) struct States<'r> {
    open: BTreeMap<Seq, Vec<Told<'r>>>,
    /// The show's state at the last moment that was compared.
    last: Option<Snapshot>,
    seen: u64,
}

impl<'r> States<'r> {
    pub fn of(reading: &'r Reading<'_>) -> Self {
        let mut states = Self::default();
        for connection in 0..reading.connections.len() {
            let (mut seat, mut seq) = (None, Seq(0));
            for (at, seen) in reading.walk(connection) {
                let Seen::Received(message) = seen else { continue };
                seq = message.seq().unwrap_or(seq).max(seq);
                let what = match message {
                    ToPlayer::Welcome(welcome) => {
                        seat = welcome.seat;
                        continue;
                    }
                    ToPlayer::Snapshot(snapshot) => {
                        seq = snapshot.seq;
                        SentState::Show(snapshot)
                    }
                    ToPlayer::You(you) => SentState::Seat { seat, told: *you, book: None },
                    ToPlayer::Paused(pause) => SentState::Pause(*pause),
                    _ => continue,
                };
                states.open.entry(seq).or_default().push(Told { connection, at, what });
                states.seen += 1;
            }
        }
        states
    }

    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Removes those that match the show's present state.
    pub fn look(&mut self, book: &Book) {
        let Some(open) = self.open.get_mut(&book.seq).filter(|open| !open.is_empty()) else { return };
        open.retain_mut(|told| match &mut told.what {
            SentState::Show(snapshot) => !book.is_shown_by(snapshot),
            SentState::Pause(pause) => book.told_of_pause() != Some(*pause),
            SentState::Seat { seat, told, book: own } => {
                let you = book.you(*seat);
                *own = Some(you);
                you != *told
            }
        });
        if open.iter().any(|told| matches!(told.what, SentState::Show(_))) {
            self.last = Some(book.snapshot(klaxon_protocol::time::Millis(0)));
        }
    }

    /// Reports those of event `seq` or earlier that are still unmatched: the show has gone past them.
    pub fn moved_on(&mut self, reading: &'r Reading<'_>, seq: Seq, finding: &mut Finding) {
        let later = self.open.split_off(&seq.next());
        let gone = std::mem::replace(&mut self.open, later);
        for told in gone.into_values().flatten() {
            let Told { connection, at, what } = told;
            let violation = |what: String| reading.violation(connection, what).at(at);
            finding.broken(match what {
                SentState::Show(snapshot) => {
                    let own = self.last.as_ref().filter(|own| own.seq == snapshot.seq);
                    let own = own.and_then(|own| serde_json::to_string(own).ok()).unwrap_or_default();
                    violation(format!("the snapshot was never true; the last of the book there is {own}"))
                        .frame(&ToPlayer::Snapshot(Box::new(snapshot.clone())))
                }
                SentState::Pause(pause) => {
                    violation("the show was in no such pause".to_owned()).frame(&ToPlayer::Paused(pause))
                }
                SentState::Seat { told, book, .. } => {
                    let own = book.map_or_else(|| "no such moment".to_owned(), |own| format!("{own:?}"));
                    violation(format!("the player's own state is another by the book: {own}"))
                        .frame(&ToPlayer::You(told))
                }
            });
        }
    }
}
