//! Promise 9: the show goes on when a process of the service dies or stops in the middle of a question.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::time::Millis;

use super::finding::{Finding, Promise, Violation};
use super::reading::{Connection, Reading, after};
use crate::evidence::{GatewayNumber, Micros, PlayerNumber};
use crate::messages::Seen;

const PROMISE: Promise = Promise {
    number: 9,
    name: "the show goes on",
    sentence: "The show goes on to its end for all who stay, also if a process dies in the middle of a question: they come back by themselves.",
};

/// A player who received something within this time before a fault counts as connected when it happened.
const THERE: Duration = Duration::from_secs(15);

const NEVER: Micros = Micros(u64::MAX);

const fn micros(at: Millis) -> Micros {
    Micros(at.0.saturating_mul(1000))
}

/// What was observed of one honest player.
#[derive(Debug, Default)]
struct PersonSeen {
    /// When each connection was in use, from its first frame to the last one received, and its gateway.
    spans: Vec<(Micros, Micros, GatewayNumber)>,
    snapshots: Vec<Micros>,
    /// The rounds that were received, live or in a snapshot.
    rounds: BTreeSet<RoundId>,
    left: Option<Micros>,
    /// When each connection was opened, oldest first, and when it was displaced, if it was: by an intruder with a
    /// stolen token, whose connection receives the events until the player opens another.
    opened: Vec<(Micros, Option<Micros>)>,
    saw_the_end: bool,
}

impl PersonSeen {
    fn was_there(&self, at: Micros) -> bool {
        !self.left_before(at) && self.gateways_at(at).next().is_some()
    }

    /// Whether the connection that is the newest at `at` is displaced by `until`.
    fn robbed(&self, at: Micros, until: Micros) -> bool {
        let newest = self.opened.iter().rfind(|&&(opened, _)| opened <= at);
        newest.is_some_and(|(_, displaced)| displaced.is_some_and(|displaced| displaced <= until))
    }

    fn left_before(&self, at: Micros) -> bool {
        self.left.is_some_and(|left| left < at)
    }

    /// The gateways of this player's connections. A connection counts as left when another is opened after its last
    /// frame.
    fn gateways_at(&self, at: Micros) -> impl Iterator<Item = GatewayNumber> {
        let moved = move |since: Micros| self.spans.iter().any(|&(first, ..)| first > since && first <= at);
        let here = self.spans.iter().filter(move |&&(first, last, _)| first <= at && after(last, THERE) >= at);
        here.filter(move |&&(_, last, _)| !moved(last)).map(|&(.., gateway)| gateway)
    }
}

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    let people = honest_people(reading);
    let mut cut_off = 0u64;
    for fault in &reading.options.faults {
        for (&player, person) in people.iter().filter(|(_, person)| person.was_there(fault.from)) {
            let violation = |what: &str| {
                let what = format!("was there when {} was {}, and {what}", fault.process, fault.harm.word());
                Violation::new(what).player(player).question(fault.question).at(fault.from)
            };
            if person.gateways_at(fault.from).any(|gateway| fault.cuts(gateway)) {
                cut_off += 1;
                let back = person.snapshots.iter().any(|&at| at > fault.from);
                finding.check(back, || violation("did not come back"));
            }
            let next = RoundId(fault.question.0.saturating_add(1));
            let Some(windows) = reading.journal.windows.get(&next) else { continue };
            let [opens, closed] = [windows.first_opens_at(), windows.closed_at].map(|at| at.map_or(NEVER, micros));
            if !person.robbed(opens, closed) {
                finding.check(person.rounds.contains(&next), || violation("did not receive the next question"));
            }
        }
    }
    let ended = reading.journal.events.iter().find_map(|event| match event {
        ToPlayer::End(end) => Some(micros(end.at)),
        _ => None,
    });
    if !reading.journal.events.is_empty() {
        finding.check(ended.is_some(), || Violation::new("the journal has no end of the show"));
    }
    let stayed = people.iter().filter(|(_, person)| {
        let robbed = person.robbed(NEVER, NEVER);
        !person.left_before(ended.unwrap_or(Micros(0))) && !robbed && !person.snapshots.is_empty()
    });
    for (&player, person) in stayed {
        finding
            .check(person.saw_the_end, || Violation::new("stayed, and did not see the end of the show").player(player));
    }
    finding.figure("faults", reading.options.faults.len());
    finding.figure("honest players cut off", cut_off);
    finding.figure("honest players", people.len());
    finding
}

/// When this connection was sent that the host removed its player.
fn removed(reading: &Reading<'_>, connection: &Connection) -> Option<Micros> {
    let removed = connection.seat.is_some_and(|seat| reading.journal.removed.contains(&seat));
    let mut told = connection.errors.iter().filter(|(_, code)| matches!(code, ErrorCode::Removed | ErrorCode::Banned));
    told.find(|_| removed).map(|&(at, _)| at)
}

fn honest_people(reading: &Reading<'_>) -> BTreeMap<PlayerNumber, PersonSeen> {
    let mut people: BTreeMap<PlayerNumber, PersonSeen> = BTreeMap::new();
    for (index, connection) in reading.connections.iter().enumerate().filter(|(_, connection)| connection.honest) {
        let person = people.entry(connection.player).or_default();
        person.left = person.left.or(connection.left).or_else(|| removed(reading, connection));
        let displaced = connection.errors.iter().find(|(_, code)| *code == ErrorCode::Displaced);
        person.opened.extend(connection.first.map(|opened| (opened, displaced.map(|&(at, _)| at))));
        if let (Some(first), Some(last)) = (connection.first, connection.last_received) {
            person.spans.push((first, last, connection.gateway));
        }
        for (at, seen) in reading.walk(index) {
            match seen {
                Seen::Received(ToPlayer::Snapshot(snapshot)) => {
                    person.snapshots.push(at);
                    person.rounds.extend(snapshot.question.as_ref().map(|question| question.question));
                    person.saw_the_end |= snapshot.podium.is_some();
                }
                Seen::Received(ToPlayer::GameSnapshot(snapshot)) => {
                    person.snapshots.push(at);
                    person.rounds.extend(reading.journal.round_at(snapshot.seq));
                    person.saw_the_end |= snapshot.phase == Phase::Ended;
                }
                Seen::Received(ToPlayer::End(_)) => person.saw_the_end = true,
                Seen::Received(message) => person.rounds.extend(message.begins_round()),
                _ => {}
            }
        }
    }
    people
}
