//! Promise 10 for bingo: all that players were sent or paid follows the rules.

use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::games::bingo::{BingoOwn, BingoView, CallResult};
use klaxon_protocol::games::rundown::Overview;
use klaxon_protocol::ids::{RoundId, Seat, Seq};
use klaxon_protocol::player::{Body, FromPlayer, GameEvent, GameSnapshot, ToPlayer};

use super::super::finding::{Finding, Violation};
use super::super::reading::Reading;
use super::book::BingoBook;
use super::dealing::Ticket;
use crate::evidence::Micros;
use crate::messages::{RoundNews, Seen};

/// A field of a seat's own state that is there in each part of bingo.
const OF_THE_PART: &str = "false_calls";

/// Judges the whole show by the book.
pub(in crate::audit) fn judge(reading: &Reading<'_>, book: &BingoBook, finding: &mut Finding) {
    for (round, problem) in &book.problems {
        let violation = Violation::new(problem.clone());
        finding.broken(round.map_or_else(|| violation.clone(), |round| violation.clone().question(round)));
    }
    tickets_are_unique(book, finding);
    let mut own = 0;
    for (index, connection) in reading.connections.iter().enumerate() {
        let mut told = Addressee::new(reading, book, index, connection.seat);
        for (at, seen) in reading.walk(index) {
            told.take(at, seen, finding);
        }
        own += told.judged;
    }
    payments(reading, book, finding);
    let balls = book.balls.values();
    finding
        .figure("tickets", book.parts().map(|part| part.tickets.values().map(Vec::len).sum::<usize>()).sum::<usize>());
    finding.figure("balls", book.balls.len());
    finding.figure("calls", balls.clone().map(|ball| ball.calls.len()).sum::<usize>());
    let false_calls = balls.filter_map(|ball| ball.verdicts.as_ref()).map(|(_, verdicts)| verdicts.settled.false_calls);
    finding.figure("false calls", false_calls.sum::<u32>());
    finding.figure("own states and results", own);
}

fn tickets_are_unique(book: &BingoBook, finding: &mut Finding) {
    for part in book.parts() {
        let mut seen: BTreeMap<&Ticket, Seat> = BTreeMap::new();
        for (&seat, ticket) in part.tickets.iter().flat_map(|(seat, own)| own.iter().map(move |ticket| (seat, ticket)))
        {
            let other = seen.insert(ticket, seat);
            finding.check(other.is_none(), || {
                Violation::new(format!("has the same ticket as seat {}", other.unwrap_or(seat))).seat(seat)
            });
        }
    }
}

/// What one connection is sent.
struct Addressee<'r> {
    reading: &'r Reading<'r>,
    book: &'r BingoBook,
    index: usize,
    seat: Option<Seat>,
    /// The last event, or the snapshot that supersedes it.
    seq: Seq,
    /// The last round that was begun by then.
    round: Option<RoundId>,
    /// Whether the player's own state must be the next message of its kind.
    own_due: bool,
    /// The round whose result must come before the next event.
    result_due: Option<RoundId>,
    has_tickets: bool,
    joined: Option<Micros>,
    judged: u64,
}

impl<'r> Addressee<'r> {
    const fn new(reading: &'r Reading<'r>, book: &'r BingoBook, index: usize, seat: Option<Seat>) -> Self {
        Self {
            reading,
            book,
            index,
            seat,
            seq: Seq(0),
            round: None,
            own_due: false,
            result_due: None,
            has_tickets: false,
            joined: None,
            judged: 0,
        }
    }

    fn take(&mut self, at: Micros, seen: Seen<'_>, finding: &mut Finding) {
        let message = match seen {
            Seen::Sent(FromPlayer::Join(_)) => {
                (self.joined, self.result_due) = (Some(at), None);
                return;
            }
            Seen::Received(message) => message,
            _ => return,
        };
        let problem = match message {
            ToPlayer::GameSnapshot(snapshot) => self.snapshot(snapshot),
            ToPlayer::GameOwn(own) => self.own(&own.body),
            _ => {
                let Some(seq) = message.seq() else { return };
                self.seq = seq;
                self.round = message.begins_round().or(self.round);
                let missing = self.result_due.take();
                let missing = missing.map(|round| Err(format!("no result followed the settlement of round {round}")));
                match message {
                    ToPlayer::GameEvent(event) => missing.or_else(|| self.event(event, message)),
                    _ => missing,
                }
            }
        };
        let Some(problem) = problem else { return };
        self.judged += 1;
        finding.check(problem.is_ok(), || {
            self.reading.violation(self.index, problem.err().unwrap_or_default()).at(at).frame(message)
        });
    }

    fn snapshot(&mut self, snapshot: &GameSnapshot) -> Option<Result<(), String>> {
        (self.seq, self.own_due, self.result_due) = (snapshot.seq, true, None);
        self.round = self.reading.journal.round_at(snapshot.seq);
        let Overview { now, commitments, .. } = snapshot.body.read().ok()?;
        for (part, own) in self.book.commitments() {
            let told = commitments.get(usize::from(part)).cloned().flatten();
            if told.as_ref() != Some(&own) {
                return Some(Err(format!("part {part} is committed to by {told:?}, by the book {own}")));
            }
        }
        let view = now.and_then(|now| now.read::<BingoView>().ok());
        let own = self.book.view(snapshot.seq);
        Some(same(view == own, || format!("the snapshot is another by the book: {}", json(&own))))
    }

    fn event(&mut self, event: &GameEvent, message: &ToPlayer) -> Option<Result<(), String>> {
        match RoundNews::of(message)? {
            RoundNews::Revealed(round) => {
                let (_, verdicts) = self.book.balls.get(&round)?.verdicts.as_ref()?;
                let is_told = self.seat.is_some_and(|seat| verdicts.results.contains_key(&seat));
                self.result_due = is_told.then_some(round);
                None
            }
            RoundNews::Begins(_) => {
                let seat = self.seat?;
                let part = &self.book.balls.get(&event.round?)?.part;
                let lacks = part.ticket(seat, 0).is_some() && !self.has_tickets;
                let is_honest = self.reading.connections[self.index].honest;
                (lacks && is_honest).then(|| Err("a ball is drawn, and the seat's tickets never came".to_owned()))
            }
            _ => None,
        }
    }

    fn own(&mut self, body: &Body) -> Option<Result<(), String>> {
        let seat = self.seat?;
        let own_due = std::mem::take(&mut self.own_due);
        if body.0.contains_key("round") {
            self.result_due = None;
            let result = body.read::<CallResult>();
            let Ok(result) = result else { return Some(Err("a result that can't be read".to_owned())) };
            let expected = self.book.balls.get(&result.round).and_then(|ball| ball.verdicts.as_ref());
            let expected = expected.filter(|(seq, _)| *seq == self.seq);
            let expected = expected.and_then(|(_, verdicts)| verdicts.results.get(&seat));
            return Some(same(expected == Some(&result), || {
                format!("the result is another by the book: {}", json(&expected))
            }));
        }
        let own = body.read::<BingoOwn>().ok()?;
        let (expected, is_dealing) = self.book.own(self.seq, seat)?;
        // What the running order itself tells of a seat, such as lives that the host gave, has nothing of the part.
        if !body.0.contains_key(OF_THE_PART) {
            return own_due.then(|| Err("the seat's own state has nothing of the part".to_owned()));
        }
        let may_lack = is_dealing || !own_due;
        let tickets = own.tickets == expected.tickets || (own.tickets.is_empty() && may_lack);
        self.has_tickets |= !own.tickets.is_empty();
        if !tickets {
            return Some(Err(format!("the tickets are others by the book: {}", json(&expected.tickets))));
        }
        let mut won = own.won.clone();
        won.sort_unstable_by_key(|won| (won.prize, won.ticket));
        let fits = (&won, own.false_calls, &own.barred) == (&expected.won, expected.false_calls, &expected.barred);
        if !fits {
            return Some(Err(format!("the own state is another by the book: {}", json(&expected))));
        }
        Some(self.calls(seat, &own, own_due))
    }

    /// The calls in a seat's own state are those that count, and have all that were acknowledged before.
    fn calls(&self, seat: Seat, own: &BingoOwn, own_due: bool) -> Result<(), String> {
        let Some((round, ball)) = self.round.zip(self.book.ball_at(self.round)) else { return Ok(()) };
        let is_counted = |key| ball.calls.contains_key(&(seat, key));
        if let Some(key) = own.calls.iter().find(|&&key| !is_counted(key)) {
            return Err(format!("call {key} is said to count in round {round}, and does not"));
        }
        let told: BTreeSet<_> = own.calls.iter().collect();
        for (_, key) in ball.calls.keys().filter(|(other, _)| *other == seat && own_due) {
            let claimed = super::super::claims::Claimed { round, key: *key };
            let mut replies = self.reading.replies(seat, claimed);
            let before = replies.any(|(_, at, reply)| reply.accepted && self.joined.is_some_and(|joined| at < joined));
            if before && !ball.is_void && !told.contains(key) {
                return Err(format!("call {key} was acknowledged before, and is forgotten"));
            }
        }
        Ok(())
    }
}

/// What was paid is what was won.
fn payments(reading: &Reading<'_>, book: &BingoBook, finding: &mut Finding) {
    let winnings = book.winnings();
    let Some(podium) = &book.podium else { return };
    let paid: u64 = winnings.values().sum();
    finding.check(podium.paid == paid, || {
        Violation::new(format!("{} are paid, {paid} by the book", podium.paid)).frame(podium)
    });
    for place in &podium.places {
        let own = winnings.get(&place.seat).copied().unwrap_or_default();
        finding.check(place.prize == own, || {
            Violation::new(format!("wins {} on the podium, {own} by the book", place.prize)).seat(place.seat)
        });
    }
    for (seat, (amount, index, at)) in super::super::money::told(reading) {
        let own = winnings.get(&seat).copied().unwrap_or_default();
        finding.check(amount == own, || {
            reading.violation(index, format!("told of a prize of {amount}, {own} by the book")).at(at)
        });
    }
}

fn same(same: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if same { Ok(()) } else { Err(otherwise()) }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Checks for promise 3 that no seed is told before its part is over: it would tell the balls that are to come.
pub(in crate::audit) fn seeds_are_secret(reading: &Reading<'_>, book: &BingoBook, finding: &mut Finding) {
    let seeds: Vec<String> = book.parts().map(|part| super::numbers::hex(&part.seed)).collect();
    for (_, bytes, message) in reading.received_frames() {
        let is_opened = message.seq().is_some_and(|seq| book.opened.contains_key(&seq));
        let holds = |seed: &String| bytes.windows(seed.len()).any(|window| window == seed.as_bytes());
        finding.check(is_opened || !seeds.iter().any(holds), || {
            Violation::new("the seed of the balls was told before its part was over").frame(message)
        });
    }
}
