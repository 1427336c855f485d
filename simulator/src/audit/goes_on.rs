//! Promise 9: the show goes on when the server dies in the middle of a question.

use std::collections::BTreeMap;
use std::time::Duration;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::player::ToPlayer;

use super::finding::{Finding, Promise, Violation};
use super::reading::{Reading, Seen, after};
use crate::evidence::{Micros, PlayerNumber};

const PROMISE: Promise = Promise {
    number: 9,
    name: "the show goes on",
    sentence: "When the server dies in the middle of a question, the players come back by themselves and the show ends.",
};

/// Who received something within this time before the kill was there when it came.
const THERE: Duration = Duration::from_secs(15);

/// What became of one honest player.
#[derive(Debug, Default)]
struct Person {
    /// When each connection was in use: its first frame and the last one received.
    spans: Vec<(Micros, Micros)>,
    snapshots: Vec<Micros>,
    left: bool,
    /// Whether the newest connection was displaced: by somebody else, with a stolen token, who has the show now.
    robbed: bool,
    saw_the_end: bool,
}

pub(super) fn judge(reading: &Reading<'_>) -> Finding {
    let mut finding = Finding::new(PROMISE);
    let people = honest_people(reading);
    for &kill in &reading.options.kills {
        let there = people.iter().filter(|(_, person)| {
            let here = |&(first, last): &(Micros, Micros)| first <= kill && after(last, THERE) >= kill;
            !person.left && person.spans.iter().any(here)
        });
        for (&player, person) in there {
            let back = person.snapshots.iter().any(|&at| at > kill);
            finding.check(back, || {
                Violation::new("was there when the server was killed, and did not come back").player(player).at(kill)
            });
        }
    }
    let ended = reading.journal.events.iter().any(|event| matches!(event, ToPlayer::End(_)));
    finding.check(ended, || Violation::new("the journal has no end of the show"));
    let stayed = people.iter().filter(|(_, person)| !person.left && !person.robbed && !person.snapshots.is_empty());
    for (&player, person) in stayed {
        finding
            .check(person.saw_the_end, || Violation::new("stayed, and did not see the end of the show").player(player));
    }
    finding.figure("kills", reading.options.kills.len());
    finding.figure("honest players", people.len());
    finding
}

fn honest_people(reading: &Reading<'_>) -> BTreeMap<PlayerNumber, Person> {
    let mut people: BTreeMap<PlayerNumber, Person> = BTreeMap::new();
    for (index, connection) in reading.connections.iter().enumerate().filter(|(_, connection)| connection.honest) {
        let person = people.entry(connection.player).or_default();
        person.left |= connection.left;
        person.robbed = connection.errors.iter().any(|(_, code)| *code == ErrorCode::Displaced);
        if let (Some(first), Some(last)) = (connection.first, connection.last_heard) {
            person.spans.push((first, last));
        }
        for (at, seen) in reading.walk(index) {
            match seen {
                Seen::Heard(ToPlayer::Snapshot(snapshot)) => {
                    person.snapshots.push(at);
                    person.saw_the_end |= snapshot.podium.is_some();
                }
                Seen::Heard(ToPlayer::End(_)) => person.saw_the_end = true,
                _ => {}
            }
        }
    }
    people
}
