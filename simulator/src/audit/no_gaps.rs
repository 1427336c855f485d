//! Promise 5: a player receives the events of a show in order without gaps, or a snapshot that supersedes them.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::Seq;
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use klaxon_protocol::time::Millis;

use super::finding::{Finding, Promise, Violation};
use super::reading::{Connection, Reading};
use crate::evidence::Micros;
use crate::messages::{Seen, time_of};

const PROMISE: Promise = Promise {
    number: 5,
    name: "no gaps",
    sentence: "A player sees the events of a show in order without holes, or a snapshot that supersedes them.",
};

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    journal_is_in_order(reading, &mut finding);
    all_receive_the_same(reading, &mut finding);
    let mut snapshots = 0u64;
    for (index, connection) in reading.connections.iter().enumerate() {
        let mut stream = EventOrder::new(index, connection);
        for (at, seen) in reading.walk(index) {
            let is_snapshot = |message: &ToPlayer| matches!(message, ToPlayer::Snapshot(_) | ToPlayer::GameSnapshot(_));
            snapshots += u64::from(matches!(seen, Seen::Received(message) if is_snapshot(message)));
            stream.take(reading, at, seen, &mut finding);
        }
        stream.nothing_is_missing_at_the_end(reading, &mut finding);
    }
    finding.figure("events of the show", reading.journal.events.len());
    finding.figure("connections followed", reading.connections.len());
    finding.figure("snapshots", snapshots);
    finding
}

fn journal_is_in_order(reading: &Reading<'_>, finding: &mut Finding) {
    let mut last: Option<(Seq, Option<Millis>)> = None;
    for event in &reading.journal.events {
        let Some(seq) = event.seq() else { continue };
        let expected = last.map_or(Seq(1), |(last, _)| following(last));
        finding.check(seq == expected, || {
            Violation::new(format!("the journal's event {expected} has the number {seq}")).frame(event)
        });
        let at = time_of(event);
        let earlier = last.is_some_and(|(_, before)| at < before);
        finding.check(!earlier, || {
            Violation::new("the journal's event has an earlier time than the one before it").frame(event)
        });
        last = Some((seq, at));
    }
}

/// Checks that an event is the same for all who receive it, in both codecs and in the journal.
fn all_receive_the_same(reading: &Reading<'_>, finding: &mut Finding) {
    for (_, _, message) in reading.received_frames() {
        let Some(seq) = message.seq() else { continue };
        finding.check(reading.journal.event(seq) == Some(message), || {
            let what = match reading.journal.event(seq) {
                Some(event) => format!(
                    "event {seq} is another in the journal: {}",
                    serde_json::to_string(event).unwrap_or_default()
                ),
                None => format!("event {seq} is not in the journal"),
            };
            Violation::new(what).frame(message)
        });
    }
}

/// The message that must come before the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    Nothing,
    /// The snapshot, after the welcome.
    Snapshot,
    /// The player's state, after a snapshot or a void.
    You,
    /// What another game than trivia tells the player alone, after its snapshot.
    Own,
    /// The rest of the question's time, after the state of a player who joins during a pause.
    Paused,
    /// The player's result, after the reveal of this question.
    Result(QuestionId),
}

/// The order of one connection's events.
struct EventOrder<'r> {
    index: usize,
    connection: &'r Connection,
    /// The next event's sequence number, once a snapshot was received.
    expected: Option<Seq>,
    /// A newer connection receives the events: none are owed to this one.
    displaced: bool,
    /// The question whose close was received here: its reveal is followed by a result.
    closed: Option<QuestionId>,
    owed: Owed,
    /// Whether the last snapshot was of a show in a pause.
    paused: bool,
    /// Since when the message has been owed.
    since: Micros,
}

impl Owed {
    /// A description of the violation that the owed message is missing.
    fn missing(self) -> String {
        match self {
            Self::Result(question) => format!("no result followed the reveal of question {question}"),
            Self::Paused => {
                "the time that is left did not follow the state of one who came in during a pause".to_owned()
            }
            Self::Snapshot => "no snapshot followed the welcome".to_owned(),
            Self::You | Self::Own | Self::Nothing => {
                "the player's own state did not follow the snapshot or void".to_owned()
            }
        }
    }
}

impl<'r> EventOrder<'r> {
    const fn new(index: usize, connection: &'r Connection) -> Self {
        Self {
            index,
            connection,
            expected: None,
            displaced: false,
            closed: None,
            owed: Owed::Nothing,
            paused: false,
            since: Micros(0),
        }
    }

    const fn owe(&mut self, owed: Owed, since: Micros) {
        (self.owed, self.since) = (owed, since);
    }

    fn take(&mut self, reading: &Reading<'_>, at: Micros, seen: Seen<'_>, finding: &mut Finding) {
        let message = match seen {
            Seen::Received(message) => message,
            Seen::Sent(FromPlayer::Join(_)) => {
                self.owed = Owed::Nothing;
                return;
            }
            _ => return,
        };
        match message {
            ToPlayer::Welcome(_) => self.owe(Owed::Snapshot, at),
            ToPlayer::Snapshot(snapshot) => {
                self.anew(reading, at, snapshot.seq, message, finding);
                self.paused = snapshot.paused;
                self.owe(Owed::You, at);
            }
            ToPlayer::GameSnapshot(snapshot) => {
                self.anew(reading, at, snapshot.seq, message, finding);
                self.owe(Owed::Own, at);
            }
            ToPlayer::GameOwn(_) if self.owed == Owed::Own => self.owed = Owed::Nothing,
            ToPlayer::You(_) if self.owed == Owed::You => {
                let paused = std::mem::take(&mut self.paused);
                self.owed = if paused { Owed::Paused } else { Owed::Nothing };
            }
            ToPlayer::Paused(_) if self.owed == Owed::Paused => self.owed = Owed::Nothing,
            ToPlayer::Result(result) => {
                let due = match self.owed {
                    Owed::Result(question) => question == result.question,
                    // A reveal that was received without its close need not be followed by a result, but may be.
                    Owed::Nothing => self.closed != Some(result.question),
                    Owed::Snapshot | Owed::You | Owed::Own | Owed::Paused => false,
                };
                finding.check(due || self.displaced, || {
                    let what = "a result that does not follow its reveal";
                    reading.violation(self.index, what).question(result.question).at(at).frame(message)
                });
                self.owed = Owed::Nothing;
            }
            ToPlayer::Error(error) if error.code == ErrorCode::Displaced => {
                self.displaced = true;
                self.owed = Owed::Nothing;
            }
            _ => {
                if let Some(seq) = message.seq() {
                    self.event(reading, at, seq, message, finding);
                }
            }
        }
    }

    /// A snapshot supersedes all events up to this one.
    fn anew(&mut self, reading: &Reading<'_>, at: Micros, seq: Seq, message: &ToPlayer, finding: &mut Finding) {
        let back = self.expected.is_some_and(|expected| following(seq) < expected);
        finding.check(!back, || {
            reading.violation(self.index, "a snapshot older than what was received").at(at).frame(message)
        });
        self.expected = Some(following(seq));
        self.displaced = false;
        self.closed = None;
    }

    fn event(&mut self, reading: &Reading<'_>, at: Micros, seq: Seq, message: &ToPlayer, finding: &mut Finding) {
        if self.displaced {
            return;
        }
        finding.check(self.expected == Some(seq), || {
            let what = match self.expected {
                Some(expected) => format!("event {seq} came where {expected} was next"),
                None => format!("event {seq} came before any snapshot"),
            };
            reading.violation(self.index, what).at(at).frame(message)
        });
        let owed = std::mem::replace(&mut self.owed, Owed::Nothing);
        finding.check(owed == Owed::Nothing, || reading.violation(self.index, owed.missing()).at(at).frame(message));
        self.expected = Some(following(self.expected.map_or(seq, |expected| expected.max(seq))));
        match message {
            ToPlayer::Close(close) => self.closed = Some(close.question),
            ToPlayer::Void(_) if self.connection.seat.is_some() => self.owe(Owed::You, at),
            ToPlayer::Reveal(reveal) if self.connection.seat.is_some() && self.closed == Some(reveal.question) => {
                self.owe(Owed::Result(reveal.question), at);
            }
            _ => {}
        }
    }

    /// Checks that an honest connection was sent all events that happened well before the last frame that it received.
    fn nothing_is_missing_at_the_end(&self, reading: &Reading<'_>, finding: &mut Finding) {
        let Some(last) = self.connection.last_received.filter(|_| !self.displaced && self.connection.honest) else {
            return;
        };
        finding.check(self.owed == Owed::Nothing || reading.due(self.since) > last, || {
            reading.violation(self.index, self.owed.missing()).at(self.since)
        });
        let Some(expected) = self.expected else { return };
        let missing = reading.journal.events.iter().rev().find(|event| {
            event.seq().is_some_and(|seq| seq >= expected)
                && time_of(event).is_some_and(|at| reading.due(Micros(at.0.saturating_mul(1000))) <= last)
        });
        finding.check(missing.is_none(), || {
            let violation = reading.violation(self.index, "this event never came").at(last);
            match missing {
                Some(event) => violation.frame(event),
                None => violation,
            }
        });
    }
}

/// The next sequence number. Frames may contain any number; the largest has no successor, and stays.
const fn following(seq: Seq) -> Seq {
    Seq(seq.0.saturating_add(1))
}
