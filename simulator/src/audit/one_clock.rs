//! Promise 4: the server's clock decides, and one that was on time is not refused.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::{QuestionId, Seat};
use klaxon_protocol::player::{Phase, Snapshot, ToPlayer};
use klaxon_protocol::time::Millis;

use super::finding::{Finding, Promise, Violation};
use super::journal::Counted;
use super::reading::{Connection, Exchange, Reading, Seen, as_millis, millis};
use super::windows::Windows;

const PROMISE: Promise = Promise {
    number: 4,
    name: "one clock",
    sentence: "The server's clock decides: what was late never counts, what was on time is never refused as late.",
};

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    let mut on_time = OnTime::default();
    for (index, connection) in reading.connections.iter().enumerate() {
        for (&question, exchange) in &connection.exchanges {
            let Some(windows) = reading.journal.windows.get(&question) else { continue };
            late_never_counts(reading, index, connection.seat, (question, exchange, windows), &mut finding);
            if connection.honest {
                on_time_is_heard(reading, index, connection, (question, exchange, windows), &mut on_time, &mut finding);
            }
        }
        snapshots_tell_the_same_times(reading, index, &mut finding);
    }
    stamps_are_true(reading, &mut finding);
    finding.figure("honest answers surely on time", on_time.sure);
    finding.figure("margin before the close", format!("{} ms", as_millis(reading.options.margin)));
    finding.figure("later ones that a pong proves on time", on_time.proven);
    if let Some(nearest) = on_time.nearest {
        finding.figure("the nearest to the close", format!("{nearest} ms"));
    }
    finding
}

/// Answers of honest players that must count.
#[derive(Debug, Default)]
struct OnTime {
    sure: u64,
    /// Those sent later than the margin before the close, and read in time by what the next pong says.
    proven: u64,
    /// How near to the close the last of these had been read, in milliseconds.
    nearest: Option<u64>,
}

/// An accepted answer was sent before the end, by this connection or another of the same seat.
fn late_never_counts(
    reading: &Reading<'_>,
    index: usize,
    seat: Option<Seat>,
    (question, exchange, windows): (QuestionId, &Exchange, &Windows),
    finding: &mut Finding,
) {
    let slack = as_millis(reading.options.clock_slack);
    for &(at, frame) in &exchange.heard {
        let Some(reply) = reading.reply(frame).filter(|reply| reply.accepted) else { continue };
        let some_in_time = |exchange: &Exchange| {
            exchange
                .said
                .iter()
                .any(|&(sent, choice)| Some(choice) == reply.choice && !windows.surely_too_late(sent, slack))
        };
        let any_sent = !exchange.said.is_empty();
        let in_time = some_in_time(exchange)
            || seat.is_some_and(|seat| reading.exchanges(seat, question).any(|(_, exchange)| some_in_time(exchange)));
        finding.check(in_time || !any_sent, || {
            reading.violation(index, "sent after the close, and accepted").question(question).at(at).frame(reply)
        });
    }
}

/// Answers that were surely on time have a reply, and it does not say that they were not.
fn on_time_is_heard(
    reading: &Reading<'_>,
    index: usize,
    connection: &Connection,
    (question, exchange, windows): (QuestionId, &Exchange, &Windows),
    counts: &mut OnTime,
    finding: &mut Finding,
) {
    let (slack, margin) = (as_millis(reading.options.clock_slack), as_millis(reading.options.margin));
    let early = |sent| windows.surely_on_time(sent, margin, slack) && !reading.stood_still(connection, sent);
    let proven = |sent, read_by: Millis| !early(sent) && windows.surely_read_in_time(sent, read_by, slack);
    let on_time = || {
        let said = exchange.said.iter().zip(&exchange.read_by);
        said.filter(|&(&(sent, _), read_by)| early(sent) || read_by.is_some_and(|read_by| proven(sent, read_by)))
    };
    for (_, read_by) in on_time().filter(|&(&(sent, _), _)| !early(sent)) {
        counts.proven += 1;
        let ahead = read_by.and_then(|read_by| windows.ahead(read_by));
        counts.nearest = counts.nearest.into_iter().chain(ahead).min();
    }
    let sure = on_time().count();
    if sure == 0 {
        return;
    }
    let doubtful = exchange.said.len() - sure;
    let refused = |code| {
        let of_code = exchange.heard.iter().filter(move |&&(_, frame)| {
            reading.reply(frame).is_some_and(|reply| !reply.accepted && reply.code == Some(code))
        });
        of_code.collect::<Vec<_>>()
    };
    for code in [ErrorCode::TooLate, ErrorCode::TooEarly] {
        let refusals = refused(code);
        finding.check(refusals.len() <= doubtful, || {
            let what = format!("sent while the question was open, and refused as {code}");
            let violation = reading.violation(index, what).question(question);
            match refusals.last() {
                Some(&&(at, frame)) => violation.at(at).frame(&reading.heard(frame)),
                None => violation,
            }
        });
    }
    if let Some((&(sent, choice), _)) = on_time().next()
        && connection.open_at(reading.due(sent))
    {
        let answered = !exchange.heard.is_empty() || connection.errors.iter().any(|&(at, _)| at >= sent);
        finding.check(answered, || {
            let what = format!("choice {choice} was sent on time, and never answered");
            reading.violation(index, what).question(question).at(sent)
        });
    }
    counts.sure += sure as u64;
}

/// The journal's time of an answer lies between its sending and its acknowledgement, and in the question's window.
fn stamps_are_true(reading: &Reading<'_>, finding: &mut Finding) {
    let mut stamped: Vec<_> = reading
        .journal
        .counted
        .iter()
        .filter_map(|(&(question, seat), counted)| Some((question, seat, *counted.first()?)))
        .collect();
    stamped.sort_unstable_by_key(|&(question, seat, _)| (question, seat));
    for (question, seat, counted) in stamped {
        let violation = |what: String| Violation::new(what).seat(seat).question(question);
        if let Some(windows) = reading.journal.windows.get(&question) {
            finding.check(windows.takes(counted.at), || {
                violation(format!("counted at {}, when the question was not open", counted.at))
            });
        }
        if reading.seats.contains_key(&seat) {
            let problem = untrue_stamp(reading, question, seat, counted);
            finding.check(problem.is_none(), || violation(problem.unwrap_or_default()));
        }
    }
}

fn untrue_stamp(reading: &Reading<'_>, question: QuestionId, seat: Seat, counted: Counted) -> Option<String> {
    let slack = as_millis(reading.options.clock_slack);
    let sent = reading
        .exchanges(seat, question)
        .flat_map(|(_, exchange)| &exchange.said)
        .filter(|&&(_, choice)| choice == counted.choice)
        .map(|&(sent, _)| sent)
        .chain(reading.seatless.get(&(question, counted.choice)).copied())
        .min();
    let Some(sent) = sent else {
        return Some(format!("choice {} counted, and nobody at this seat sent it", counted.choice));
    };
    if counted.at.0.saturating_add(slack) < millis(sent) {
        return Some(format!("stamped {}, and sent no earlier than {}", counted.at, millis(sent)));
    }
    let heard = reading.replies(seat, question).filter(|(_, _, reply)| reply.accepted).map(|(_, at, _)| at).min()?;
    (counted.at.0 > millis(heard).saturating_add(slack))
        .then(|| format!("stamped {}, and acknowledged before, at {}", counted.at, millis(heard)))
}

/// Who comes back to an open question is told the times that hold.
fn snapshots_tell_the_same_times(reading: &Reading<'_>, index: usize, finding: &mut Finding) {
    for (at, seen) in reading.walk(index) {
        let Seen::Heard(message @ ToPlayer::Snapshot(snapshot)) = seen else { continue };
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
