//! Promise 1: a player has at most one counted answer per question. In other games: one counted value per claim.

use std::collections::BTreeMap;

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::trivia::{Choice, Reveal};
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::player::ToPlayer;

use super::claims::ClaimAnswer;
use super::finding::{Finding, Promise, Violation};
use super::reading::{Exchange, Reading};
use crate::evidence::Micros;
use crate::messages::Seen;

const PROMISE: Promise = Promise {
    number: 1,
    name: "one answer",
    sentence: "A player has at most one counted answer per question, over all connections and devices.",
};

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    journal_counts_once(reading, &mut finding);
    what_counts_is_the_players_own(reading, &mut finding);
    replies_name_one_choice(reading, &mut finding);
    reveals_add_up(reading, &mut finding);
    honest_players_have_their_own_seat(reading, &mut finding);
    finding.figure("counted answers", reading.journal.counted.len());
    finding.figure("seats seen", reading.seats.len());
    finding
}

fn journal_counts_once(reading: &Reading<'_>, finding: &mut Finding) {
    let mut doubles: Vec<_> =
        reading.journal.counted.iter().filter(|(_, answers)| answers.len() > 1).map(|(&key, _)| key).collect();
    doubles.sort_unstable();
    finding.checked += reading.journal.counted.len() as u64;
    for (claimed, seat) in doubles {
        let times = reading.journal.counted[&(claimed, seat)].len();
        let what = format!("the journal counts this seat's answer {times} times");
        finding.broken(Violation::new(what).seat(seat).question(claimed.round));
    }
}

/// Checks that claims of a seat's earlier player do not count for the player who got the seat.
fn what_counts_is_the_players_own(reading: &Reading<'_>, finding: &mut Finding) {
    for (index, connection) in reading.connections.iter().enumerate() {
        let Some(seat) = connection.lost_seat else { continue };
        for (&claimed, exchange) in &connection.exchanges {
            let counted = reading.journal.counted(claimed, seat).map(|counted| &counted.value);
            let says = |exchange: &Exchange| exchange.sent.iter().any(|(_, value)| Some(value) == counted);
            let own = reading.exchanges(seat, claimed).any(|(_, exchange)| says(exchange));
            finding.check(counted.is_none() || own || !says(exchange), || {
                let what = format!("counts for seat {seat}, which had been given to another player");
                reading.violation(index, what).question(claimed.round)
            });
        }
    }
}

/// Checks that the replies to one claim of a seat agree with each other, with what was sent, and with the
/// journal.
fn replies_name_one_choice(reading: &Reading<'_>, finding: &mut Finding) {
    for (index, connection) in reading.connections.iter().enumerate() {
        for (claimed, exchange) in &connection.exchanges {
            for &(at, frame) in &exchange.received {
                let Some(reply) = reading.reply(frame) else { continue };
                if reply.accepted || reply.value.is_some() {
                    let problem = match connection.seat {
                        Some(seat) => wrong_reply(reading, index, seat, at, &reply),
                        None => Some("an answer of one without a seat counts".to_owned()),
                    };
                    finding.check(problem.is_none(), || {
                        let what = problem.unwrap_or_default();
                        reading.violation(index, what).question(claimed.round).at(at).frame(reply.message)
                    });
                }
            }
        }
    }
}

fn wrong_reply(
    reading: &Reading<'_>,
    connection: usize,
    seat: Seat,
    at: Micros,
    reply: &ClaimAnswer<'_>,
) -> Option<String> {
    let claimed = reply.claimed;
    let Some(value) = &reply.value else { return Some("accepted, and no choice is named".to_owned()) };
    let words = claimed.words(value);
    let sent_by_then = |sent: &[(Micros, ClaimValue)]| sent.iter().any(|(when, sent)| *when <= at && sent == value);
    let here = reading.connections[connection].exchanges.get(&claimed);
    let sent = if reply.accepted {
        here.is_some_and(|exchange| sent_by_then(&exchange.sent))
    } else {
        reading.seatless.get(&claimed).is_some_and(|values| values.contains_key(value))
            || reading.exchanges(seat, claimed).any(|(_, exchange)| sent_by_then(&exchange.sent))
    };
    if !sent {
        return Some(format!("{words} is said to count, and was not sent"));
    }
    match reading.journal.counted(claimed, seat) {
        Some(counted) if counted.value != *value => {
            Some(format!("{words} is said to count, the journal counted {}", counted.value))
        }
        None if !reply.accepted => Some(format!("{words} is said to count, the journal counted none")),
        _ => reading
            .replies(seat, claimed)
            .filter_map(|(_, _, other)| other.value)
            .find(|other| other != value)
            .map(|other| format!("{words} is said to count, and so is {other}")),
    }
}

fn reveals_add_up(reading: &Reading<'_>, finding: &mut Finding) {
    let counts = reading.journal.counts();
    let accepted = accepted_seats(reading);
    let none = Vec::new();
    for (reveal, received_on) in reveals_received(reading) {
        let removed = reading.journal.removals_in.contains(&reveal.question);
        let journal = counts.get(&reveal.question).unwrap_or(&none);
        let same = same_counts(&reveal.counts, journal);
        finding.check(same || removed, || {
            let what = format!("the reveal's counts are {:?}, the journal counted {journal:?}", reveal.counts);
            reveal_violation(reading, received_on, reveal, what)
        });
        for (index, &count) in reveal.counts.iter().enumerate() {
            let acknowledged = accepted.get(&(reveal.question, index)).copied().unwrap_or(0);
            finding.check(acknowledged <= count || removed, || {
                let what =
                    format!("{acknowledged} players were told that choice {index} counts, the reveal has {count}");
                reveal_violation(reading, received_on, reveal, what)
            });
        }
    }
    everybody_in_play_is_counted(reading, finding);
}

/// Checks, in an elimination, that the numbers of players who answered and who did not add up to those in play before.
fn everybody_in_play_is_counted(reading: &Reading<'_>, finding: &mut Finding) {
    let journal = &reading.journal;
    let eliminates = journal.settings.as_ref().is_some_and(|settings| settings.mode.eliminates());
    if !eliminates || !journal.removed.is_empty() {
        return;
    }
    let mut before: Option<u32> = None;
    for event in &journal.events {
        match event {
            ToPlayer::Reveal(reveal) => {
                let counted: u64 = reveal.counts.iter().map(|&count| u64::from(count)).sum();
                let all = counted + u64::from(reveal.silent);
                if let Some(before) = before {
                    finding.check(all == u64::from(before), || {
                        let what = format!("{before} were in play, {all} answered or were silent");
                        reveal_violation(reading, None, reveal, what)
                    });
                }
                before = Some(reveal.alive);
            }
            ToPlayer::Void(void) => before = Some(void.alive),
            _ => {}
        }
    }
}

fn reveal_violation(reading: &Reading<'_>, received_on: Option<usize>, reveal: &Reveal, what: String) -> Violation {
    let violation = match received_on {
        Some(connection) => reading.violation(connection, what),
        None => Violation::new(what),
    };
    violation.question(reveal.question).frame(&ToPlayer::Reveal(reveal.clone()))
}

/// Every distinct reveal that was received, with the first connection that received it, and those of the journal.
fn reveals_received<'r>(reading: &'r Reading<'_>) -> Vec<(&'r Reveal, Option<usize>)> {
    let mut reveals: Vec<(&Reveal, Option<usize>)> = reading.journal.reveals().map(|reveal| (reveal, None)).collect();
    for connection in 0..reading.connections.len() {
        for (_, seen) in reading.walk(connection) {
            let reveal = match seen {
                Seen::Received(ToPlayer::Reveal(reveal)) => reveal,
                Seen::Received(ToPlayer::Snapshot(snapshot)) => match &snapshot.reveal {
                    Some(reveal) => reveal,
                    None => continue,
                },
                _ => continue,
            };
            if !reveals.iter().any(|(known, _)| *known == reveal) {
                reveals.push((reveal, Some(connection)));
            }
        }
    }
    reveals
}

fn same_counts(revealed: &[u32], counted: &[u32]) -> bool {
    let longest = revealed.len().max(counted.len());
    (0..longest).all(|index| revealed.get(index).unwrap_or(&0) == counted.get(index).unwrap_or(&0))
}

/// The number of seats whose choice was accepted, by question and choice.
fn accepted_seats(reading: &Reading<'_>) -> BTreeMap<(RoundId, usize), u32> {
    let mut seats = std::collections::BTreeSet::new();
    for connection in &reading.connections {
        let Some(seat) = connection.seat else { continue };
        for (claimed, exchange) in &connection.exchanges {
            for reply in exchange.received.iter().filter_map(|&(_, frame)| reading.reply(frame)) {
                if let (true, Some(choice)) = (reply.accepted, reply.value.as_ref().and_then(Choice::claimed)) {
                    seats.insert((claimed.round, choice.index(), seat));
                }
            }
        }
    }
    let mut counts = BTreeMap::new();
    for (question, choice, _) in seats {
        *counts.entry((question, choice)).or_default() += 1;
    }
    counts
}

fn honest_players_have_their_own_seat(reading: &Reading<'_>, finding: &mut Finding) {
    for (&seat, connections) in &reading.seats {
        let mut players =
            connections.iter().map(|&index| &reading.connections[index]).filter(|connection| connection.honest);
        let Some(first) = players.next() else { continue };
        let other = players.find(|other| other.player != first.player);
        finding.check(other.is_none(), || {
            let what = format!("two honest players, {} and another, have one seat", first.player.0);
            let violation = Violation::new(what).seat(seat);
            other.map_or_else(|| violation.clone(), |other| violation.clone().player(other.player))
        });
    }
}
