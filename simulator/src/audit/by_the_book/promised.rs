//! Finds messages that the protocol promises in a situation and that were not received: replies to joins and pings,
//! lives, and the reason why a connection ends.

use std::collections::{BTreeMap, HashMap, HashSet};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::You;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Seat};
use klaxon_protocol::journal::{Command, Record};
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use klaxon_protocol::time::Millis;

use super::super::book::Book;
use super::super::finding::Finding;
use super::super::reading::{Connection, Reading, after};
use crate::evidence::Micros;
use crate::messages::Seen;

/// A close code, the name of the message that precedes it, and a test for that message.
type Closing = (u16, &'static str, fn(&ToPlayer) -> bool);

const BEFORE_CLOSING: [Closing; 3] = [
    (1012, "goodbye", |message| matches!(message, ToPlayer::Goodbye(_))),
    (4004, "the error that says why", |message| {
        let dismissals = [ErrorCode::Removed, ErrorCode::Banned, ErrorCode::TokenRevoked, ErrorCode::SeatGivenAway];
        matches!(message, ToPlayer::Error(error) if dismissals.contains(&error.code))
    }),
    (
        4008,
        "the error that says so",
        |message| matches!(message, ToPlayer::Error(error) if error.code == ErrorCode::TooSlow),
    ),
];

/// Lives that the host gave, and the state that the seat's player is sent then.
#[derive(Debug, Clone, Copy)]
struct Gift {
    at: Millis,
    you: You,
}

/// The host's actions about single players.
#[derive(Debug, Default)]
pub(super) struct Promised {
    gifts: BTreeMap<Seat, Vec<Gift>>,
    removed: BTreeMap<Seat, Millis>,
    done: HashSet<CommandId>,
}

impl Promised {
    /// Adds a command that the rules allowed.
    pub fn done(&mut self, record: &Record, book: &Book) {
        let Command::Host { id, action } = &record.command else { return };
        if !self.done.insert(id.clone()) {
            return;
        }
        match action {
            Action::GiveLives { seat, .. } => {
                let in_play = (0..).map(Seat).zip(&book.seats).filter(|(_, held)| held.alive).map(|(seat, _)| seat);
                let given: Vec<Seat> = seat.map_or_else(|| in_play.collect(), |seat| vec![seat]);
                for seat in given {
                    let gift = Gift { at: record.at, you: book.you(Some(seat)) };
                    self.gifts.entry(seat).or_default().push(gift);
                }
            }
            Action::Remove { seat, .. } | Action::BanAddress { seat, .. } => {
                self.removed.entry(*seat).or_insert(record.at);
            }
            _ => {}
        }
    }

    /// Checks all honest connections; returns the number of checks.
    pub fn judge(&self, reading: &Reading<'_>, finding: &mut Finding) -> u64 {
        let before = finding.checked;
        let shown = Shown::of(reading);
        for (index, connection) in reading.connections.iter().enumerate().filter(|(_, connection)| connection.honest) {
            let here = Here { reading, index, connection };
            here.learns_why_it_ends(finding);
            here.is_answered_each_join_and_ping(finding);
            here.learns_that_it_was_displaced(&shown, finding);
            let Some(seat) = connection.seat else { continue };
            if let Some(gifts) = self.gifts.get(&seat) {
                here.learns_of_lives(gifts, finding);
            }
            if let Some(&removed) = self.removed.get(&seat) {
                here.learns_that_it_was_removed(removed, finding);
            }
        }
        finding.checked - before
    }
}

/// When each connection of a seat received its first state.
#[derive(Debug, Default)]
struct Shown {
    by_seat: BTreeMap<Seat, Vec<(usize, Micros)>>,
}

impl Shown {
    fn of(reading: &Reading<'_>) -> Self {
        let mut by_seat: BTreeMap<Seat, Vec<(usize, Micros)>> = BTreeMap::new();
        for (&seat, connections) in &reading.seats {
            for &index in connections {
                let first = Here { reading, index, connection: &reading.connections[index] }.shown();
                by_seat.entry(seat).or_default().extend(first.map(|at| (index, at)));
            }
        }
        Self { by_seat }
    }
}

/// The connection that is judged.
struct Here<'r> {
    reading: &'r Reading<'r>,
    index: usize,
    connection: &'r Connection,
}

impl<'r> Here<'r> {
    fn received(&self) -> impl Iterator<Item = (Micros, &'r ToPlayer)> {
        self.reading.walk(self.index).filter_map(|(at, seen)| match seen {
            Seen::Received(message) => Some((at, message)),
            _ => None,
        })
    }

    /// When the connection received its first state.
    fn shown(&self) -> Option<Micros> {
        self.received().find(|(_, message)| matches!(message, ToPlayer::You(_))).map(|(at, _)| at)
    }

    fn received_error(&self, codes: &[ErrorCode]) -> Option<Micros> {
        self.connection.errors.iter().find(|(_, code)| codes.contains(code)).map(|&(at, _)| at)
    }

    /// The earliest and the latest time of the swarm's clock at which the server's clock can have shown `at`.
    fn swarms(&self, at: Millis) -> (Micros, Micros) {
        let at = at.0.saturating_mul(1000);
        let offset = self.reading.clocks.offset(self.connection.gateway, Micros(at));
        let shifted = |at: u64, by: i64| Micros(at.saturating_add_signed(by.saturating_neg()));
        (shifted(at, offset.most), shifted(at.saturating_add(999), offset.least))
    }

    /// Whether the connection was open from before `from` until the reply limit after `at`, and no process was killed
    /// or stopped meanwhile.
    fn was_there(&self, from: Micros, at: Micros) -> bool {
        let limit = self.reading.options.reply_limit;
        let until = after(at, limit);
        let hit =
            self.reading.options.faults.iter().any(|fault| fault.from <= until && after(fault.until, limit) >= from);
        !hit && self.shown().is_some_and(|shown| shown < from) && self.connection.open_at(until)
    }

    fn learns_why_it_ends(&self, finding: &mut Finding) {
        let code = self.reading.evidence.connections.get(self.index).and_then(|log| log.close_code);
        for (_, what, told) in BEFORE_CLOSING.iter().filter(|(closing, ..)| Some(*closing) == code) {
            finding.check(self.received().any(|(_, message)| told(message)), || {
                let what = format!("closed with {}, and {what} did not come before", code.unwrap_or_default());
                self.reading.violation(self.index, what)
            });
        }
    }

    /// Checks that each join gets a welcome or an error, and each ping a pong, or an error if there were too many.
    fn is_answered_each_join_and_ping(&self, finding: &mut Finding) {
        let mut joins: Vec<Micros> = Vec::new();
        let mut pings: HashMap<Millis, Vec<Micros>> = HashMap::new();
        for (at, seen) in self.reading.walk(self.index) {
            match seen {
                Seen::Sent(FromPlayer::Join(_)) => joins.push(at),
                Seen::Sent(FromPlayer::Ping(ping)) => pings.entry(ping.sent).or_default().push(at),
                Seen::Received(ToPlayer::Pong(pong)) => {
                    pings.entry(pong.sent).or_default().pop();
                    finding.checked += 1;
                }
                Seen::Received(ToPlayer::Welcome(_) | ToPlayer::Error(_)) => {
                    joins.pop();
                }
                _ => {}
            }
        }
        let unanswered = joins.into_iter().map(|at| ("a join", at));
        let refused = self.received_error(&[ErrorCode::RateLimited]).is_some();
        let pings = pings.into_values().flatten().filter(|_| !refused).map(|at| ("a ping", at));
        for (what, at) in unanswered.chain(pings) {
            finding.check(!self.connection.open_at(self.reading.due(at)), || {
                self.reading.violation(self.index, format!("{what} had no answer")).at(at)
            });
        }
    }

    /// Checks that this connection is sent that a newer connection of its player displaced it.
    fn learns_that_it_was_displaced(&self, shown: &Shown, finding: &mut Finding) {
        let Some(own) = self.shown() else { return };
        let connections = self.connection.seat.and_then(|seat| shown.by_seat.get(&seat)).into_iter().flatten();
        let newer = connections.filter(|&&(index, at)| index != self.index && at > own).map(|&(_, at)| at);
        if let Some(at) = newer.min().filter(|&at| self.was_there(at, at)) {
            finding.check(self.received_error(&[ErrorCode::Displaced]).is_some(), || {
                let what = "the show went on at the player's newer connection, and this one was not told";
                self.reading.violation(self.index, what).at(at)
            });
        }
    }

    /// Checks that the player's state is sent each time that lives are given.
    fn learns_of_lives(&self, gifts: &[Gift], finding: &mut Finding) {
        let mut told = self.states_by_themselves();
        for gift in gifts {
            let (from, until) = self.swarms(gift.at);
            let due = self.reading.due(until);
            let mine = told.iter().position(|&(at, you)| at >= from && at <= due && you == gift.you);
            if let Some(mine) = mine {
                told.remove(mine);
                finding.checked += 1;
                continue;
            }
            let displaced = self.received_error(&[ErrorCode::Displaced]).is_some_and(|at| at <= due);
            // A snapshot, sent to a connection that fell behind, is followed by the state.
            let mut received = self.received();
            let anew =
                received.any(|(at, message)| at >= from && at <= due && matches!(message, ToPlayer::Snapshot(_)));
            finding.check(displaced || anew || !self.was_there(from, until), || {
                let what = format!("was given lives, and was not told; by the book: {:?}", gift.you);
                self.reading.violation(self.index, what).at(until)
            });
        }
    }

    /// The player's states that follow neither a snapshot nor a void.
    fn states_by_themselves(&self) -> Vec<(Micros, You)> {
        let mut owed = false;
        let mut states = Vec::new();
        for (at, message) in self.received() {
            match message {
                ToPlayer::Snapshot(_) | ToPlayer::Void(_) => owed = true,
                ToPlayer::You(you) if !std::mem::take(&mut owed) => states.push((at, *you)),
                _ => {}
            }
        }
        states
    }

    fn learns_that_it_was_removed(&self, removed: Millis, finding: &mut Finding) {
        let (from, until) = self.swarms(removed);
        if self.shown().is_some_and(|shown| shown < from)
            && self.connection.last_received.is_some_and(|last| last >= from)
        {
            let told = self.received_error(&[ErrorCode::Removed, ErrorCode::Banned]).is_some();
            finding.check(told || !self.was_there(from, until), || {
                self.reading.violation(self.index, "was removed by the host, and was not told").at(until)
            });
        }
    }
}
