//! Promise 4: the server's clock decides, and a claim that was on time is not refused.
//!
//! The time at which a claim was read is known only within limits: [`When`]. How far apart they are depends on the
//! network, kernel and clocks, and differs from claim to claim. If the round opened or closed between the limits,
//! nothing is judged.

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::Snapshot;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::player::{Phase, ToPlayer};

use super::bingo::BingoBook;
use super::claims::Claimed;
use super::clocks::as_micros;
use super::finding::{Finding, Promise, Violation, milliseconds};
use super::flights::{Flight, When};
use super::journal::Counted;
use super::reading::{Connection, Exchange, Reading};
use super::windows::Windows;
use crate::messages::Seen;

const PROMISE: Promise = Promise {
    number: 4,
    name: "one clock",
    sentence: "The server's clock decides: what was late never counts, what was on time is never refused as late.",
};

/// The codes of refusals because of the time at which a claim was read.
const UNTIMELY: [ErrorCode; 3] = [ErrorCode::TooLate, ErrorCode::TooEarly, ErrorCode::Paused];

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    let mut strength = Strength::default();
    for (index, connection) in reading.connections.iter().enumerate() {
        for (&claimed, exchange) in &connection.exchanges {
            let Some(windows) = reading.journal.windows.get(&claimed.round) else { continue };
            let case = ClaimCase { reading, index, connection, claimed, exchange, windows };
            case.late_never_counts(&mut finding);
            case.on_time_is_replied_to(&mut finding);
            case.measure(&mut strength);
        }
        snapshots_tell_the_same_times(reading, index, &mut finding);
    }
    stamps_are_true(reading, &mut finding);
    strength.tell(reading, &mut finding);
    finding
}

/// What a connection sent of a claim, and the replies.
struct ClaimCase<'r> {
    reading: &'r Reading<'r>,
    index: usize,
    connection: &'r Connection,
    claimed: Claimed,
    exchange: &'r Exchange,
    windows: &'r Windows,
}

impl ClaimCase<'_> {
    /// When each value can have been read.
    fn reads(&self) -> impl Iterator<Item = (&ClaimValue, &Flight, When)> {
        let when = |flight| self.reading.when(self.connection, flight);
        self.exchange
            .sent
            .iter()
            .zip(&self.exchange.flights)
            .map(move |((_, value), flight)| (value, flight, when(flight)))
    }

    /// Checks that an accepted claim can have been read in time, on this connection or another of the same seat.
    fn late_never_counts(&self, finding: &mut Finding) {
        let Self { reading, index, claimed, exchange, windows, .. } = *self;
        for &(at, frame) in &exchange.received {
            let Some(reply) = reading.reply(frame).filter(|reply| reply.accepted) else { continue };
            let some_in_time = |connection: &Connection, exchange: &Exchange| {
                let answers = exchange.sent.iter().zip(&exchange.flights);
                answers
                    .filter(|((_, value), _)| Some(value) == reply.value.as_ref())
                    .any(|(_, flight)| !windows.surely_out(reading.when(connection, flight)))
            };
            let any_sent = !exchange.sent.is_empty();
            let in_time = some_in_time(self.connection, exchange)
                || self.connection.seat.is_some_and(|seat| {
                    reading
                        .exchanges(seat, claimed)
                        .any(|(other, exchange)| some_in_time(&reading.connections[other], exchange))
                });
            finding.check(in_time || !any_sent, || {
                let late = self.reads().all(|(_, _, when)| windows.surely_too_late(when));
                let when = if late { "after the close" } else { "when the question was not open" };
                let violation = reading.violation(index, format!("sent {when}, and accepted"));
                violation.question(claimed.round).at(at).frame(reply.message)
            });
        }
    }

    /// How many microseconds before the end a claim was certainly read; none if it may not have been read in time. If
    /// no acknowledgement shows when the server received it, an honest player's claim is assumed to have arrived
    /// within the margin.
    fn surely_on_time(&self, flight: &Flight, when: When) -> Option<u64> {
        let assumed = when.earliest.saturating_add(as_micros(self.reading.options.margin));
        let assumed = (self.connection.honest && flight.acknowledged.is_none()).then_some(assumed);
        let latest = when.latest.into_iter().chain(assumed).min();
        self.windows
            .surely_on_time(When { latest, ..when })
            .filter(|_| !self.reading.stood_still(self.connection, flight))
    }

    /// Checks that claims that were certainly read on time have a reply that does not refuse them as untimely.
    fn on_time_is_replied_to(&self, finding: &mut Finding) {
        let Self { reading, index, claimed, exchange, .. } = *self;
        let ahead: Vec<u64> = self.reads().filter_map(|(_, flight, when)| self.surely_on_time(flight, when)).collect();
        let doubtful = exchange.sent.len() - ahead.len();
        for code in UNTIMELY {
            if ahead.is_empty() {
                break;
            }
            // A game has reasons of its own for the same codes: promise 10 judges those.
            let by_game = |book: &BingoBook| book.explains(claimed.round, claimed.key, code);
            let is_by_the_game = reading.rundown.as_ref().and_then(|book| book.bingo.as_ref()).is_some_and(by_game);
            let refusals: Vec<_> = exchange
                .received
                .iter()
                .filter(|&&(_, frame)| {
                    reading.reply(frame).is_some_and(|reply| !reply.accepted && reply.code == Some(code))
                        && !is_by_the_game
                })
                .collect();
            finding.check(refusals.len() <= doubtful, || {
                let ahead = milliseconds(ahead.iter().copied().max().unwrap_or_default());
                let what = format!("read while the question was open, {ahead} before it closed, and refused as {code}");
                let violation = reading.violation(index, what).question(claimed.round);
                match refusals.last() {
                    Some(&&(at, frame)) => violation.at(at).frame(&reading.received(frame)),
                    None => violation,
                }
            });
        }
        if self.connection.honest {
            self.on_time_is_answered(finding);
        }
    }

    fn on_time_is_answered(&self, finding: &mut Finding) {
        let Self { reading, index, claimed, exchange, .. } = *self;
        let Some((value, flight, _)) =
            self.reads().find(|&(_, flight, when)| self.surely_on_time(flight, when).is_some())
        else {
            return;
        };
        if self.connection.open_at(reading.due(flight.left)) {
            let answered =
                !exchange.received.is_empty() || self.connection.errors.iter().any(|&(at, _)| at >= flight.left);
            finding.check(answered, || {
                let what = format!("{} was sent on time, and never answered", claimed.words(value));
                reading.violation(index, what).question(claimed.round).at(flight.left)
            });
        }
    }

    /// Adds to the statistics how exactly the read times are known, and whether they were in time.
    fn measure(&self, strength: &mut Strength) {
        for (_, flight, when) in self.reads() {
            strength.answers += 1;
            strength.told += u64::from(flight.told);
            let ahead = self.surely_on_time(flight, when);
            strength.nearest = strength.nearest.into_iter().chain(ahead).min();
            if ahead.is_some() {
                strength.on_time += 1;
            } else if self.windows.surely_out(when) {
                strength.out += 1;
            } else {
                strength.undecided += u64::from(when.latest.is_some());
            }
            let Some(latest) = when.latest else {
                strength.unbounded += 1;
                continue;
            };
            let margins = if self.connection.honest { &mut strength.good } else { &mut strength.others };
            margins.push(latest - when.earliest);
        }
    }
}

/// Statistics of how precisely the promise could be judged.
#[derive(Debug, Default)]
struct Strength {
    answers: u64,
    /// Those whose departure and acknowledgement the kernel reported.
    told: u64,
    on_time: u64,
    out: u64,
    /// Those that were neither certainly on time nor certainly out of time.
    undecided: u64,
    /// Those without proof that they were read.
    unbounded: u64,
    /// The shortest time before the close at which an answer was certainly read, in microseconds.
    nearest: Option<u64>,
    /// The widths of the limits, in microseconds, for honest players on good networks.
    good: Vec<u64>,
    /// The widths of the limits, in microseconds, for all other players.
    others: Vec<u64>,
}

impl Strength {
    fn tell(mut self, reading: &Reading<'_>, finding: &mut Finding) {
        finding.figure("answers surely on time", self.on_time);
        finding.figure("answers surely not", self.out);
        finding.figure("within the margin, not judged", self.undecided);
        finding.figure("of unknown time", self.unbounded);
        finding.figure("margin on good networks", margins(&mut self.good));
        finding.figure("margin of others", margins(&mut self.others));
        if let Some(nearest) = self.nearest {
            finding.figure("the nearest to the close", milliseconds(nearest));
        }
        finding.figure("answers with the kernel's times", format!("{} of {}", self.told, self.answers));
        let measured = match reading.clocks.trips() {
            0 => format!("not, taken to be the same within {}", milliseconds(as_micros(reading.options.clock_slack))),
            trips => format!("by {trips} pings"),
        };
        finding.figure("the server's clock was measured", measured);
    }
}

fn margins(margins: &mut [u64]) -> String {
    margins.sort_unstable();
    let at = |share: usize| margins.get((margins.len() * share / 100).min(margins.len().saturating_sub(1))).copied();
    match (at(50), at(99), margins.last()) {
        (Some(half), Some(most), Some(&largest)) => {
            let [half, most, largest] = [half, most, largest].map(milliseconds);
            format!("p50 {half}, p99 {most}, at most {largest}")
        }
        _ => "none".to_owned(),
    }
}

/// Checks that the journal's time of a claim is between its sending and its acknowledgement, and in the round's
/// window.
fn stamps_are_true(reading: &Reading<'_>, finding: &mut Finding) {
    let mut stamped: Vec<_> = reading
        .journal
        .counted
        .iter()
        .filter_map(|(&(claimed, seat), counted)| Some((claimed, seat, counted.first()?)))
        .collect();
    stamped.sort_unstable_by_key(|&(claimed, seat, _)| (claimed, seat));
    for (claimed, seat, counted) in stamped {
        let violation = |what: String| Violation::new(what).seat(seat).question(claimed.round);
        if let Some(windows) = reading.journal.windows.get(&claimed.round) {
            finding.check(windows.takes(counted.at), || {
                violation(format!("counted at {}, when the question was not open", counted.at))
            });
        }
        if reading.seats.contains_key(&seat) {
            let problem = untrue_stamp(reading, claimed, seat, counted);
            finding.check(problem.is_none(), || violation(problem.unwrap_or_default()));
        }
    }
}

fn untrue_stamp(reading: &Reading<'_>, claimed: Claimed, seat: Seat, counted: &Counted) -> Option<String> {
    let own = reading.exchanges(seat, claimed).flat_map(|(index, exchange)| {
        let answers = exchange.sent.iter().zip(&exchange.flights);
        let chosen = answers.filter(|((_, value), _)| *value == counted.value);
        chosen.map(move |(_, flight)| reading.when(&reading.connections[index], flight))
    });
    let seatless = reading.seatless.get(&claimed).and_then(|values| values.get(&counted.value));
    let seatless = seatless.map(|&earliest| When { earliest, latest: None });
    let reads: Vec<When> = own.chain(seatless).collect();
    let Some(first) = reads.iter().map(|when| when.earliest / 1000).min() else {
        return Some(format!("{} counted, and nobody at this seat sent it", claimed.words(&counted.value)));
    };
    if counted.at.0 < first {
        return Some(format!("stamped {}, and sent no earlier than {first}", counted.at));
    }
    let acknowledged = reading.replies(seat, claimed).filter(|(_, _, reply)| reply.accepted);
    let acknowledged = acknowledged.map(|(index, at, _)| {
        let offset = reading.clocks.offset(reading.connections[index].gateway, at);
        at.0.saturating_add_signed(offset.most) / 1000
    });
    let acknowledged = acknowledged.min();
    if let Some(acknowledged) = acknowledged.filter(|&acknowledged| counted.at.0 > acknowledged) {
        return Some(format!("stamped {}, and acknowledged before, at {acknowledged}", counted.at));
    }
    let fits = |when: &When| {
        when.earliest / 1000 <= counted.at.0 && when.latest.is_none_or(|latest| counted.at.0 <= latest / 1000)
    };
    (!reads.iter().any(fits)).then(|| {
        let between = reads.iter().map(|&When { earliest, latest }| match latest {
            Some(latest) => format!("between {} and {}", earliest / 1000, latest / 1000),
            None => format!("after {}", earliest / 1000),
        });
        format!("stamped {}, and read {}", counted.at, between.collect::<Vec<_>>().join(" or "))
    })
}

/// Checks that a player who comes back to an open question is sent its current times.
fn snapshots_tell_the_same_times(reading: &Reading<'_>, index: usize, finding: &mut Finding) {
    for (at, seen) in reading.walk(index) {
        let Seen::Received(message @ ToPlayer::Snapshot(snapshot)) = seen else { continue };
        let Some(told) = told_times(reading, snapshot) else { continue };
        finding.check(told, || {
            let what = "the snapshot has other times for the question than everybody was told";
            reading.violation(index, what).at(at).frame(message)
        });
    }
}

fn told_times(reading: &Reading<'_>, snapshot: &Snapshot) -> Option<bool> {
    if snapshot.phase != Phase::Question || snapshot.paused {
        return None;
    }
    let question = snapshot.question.as_ref()?;
    let announced = reading.journal.windows.get(&question.question)?.at_seq(snapshot.seq)?;
    Some((announced.opens_at, announced.closes_at) == (question.opens_at, question.closes_at))
}
