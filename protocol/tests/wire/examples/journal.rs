//! The journal of the show: a record for each kind of command.

use klaxon_protocol::apart::{Apart, Person, PersonOrigin};
use klaxon_protocol::claim::{ClaimText, ClaimValue};
use klaxon_protocol::games::trivia::{Choice, Close, Void};
use klaxon_protocol::ids::{ClaimKey, Fence, GameName, GatewayId};
use klaxon_protocol::journal::*;
use klaxon_protocol::origin::Origin;
use klaxon_protocol::player::{Body, Lobby, Mark, Role, ToPlayer};
use klaxon_protocol::register::PersonRecord;
use klaxon_protocol::time::Span;
use serde_json::json;

use super::host::{actions, code, id, pack, settings};
use super::link::player;
use super::player::question;
use super::{ANN, BOB, FIRST, SHOW, at, name, seq, variants};

variants!(Command {
    Create(_) = "create",
    Join { .. } = "join",
    Answers { .. } = "answers",
    Host { .. } = "host",
    Tick = "tick",
    Tally { .. } = "tally",
    Recovered { .. } = "recovered",
    Outage { .. } = "outage",
    Begin { .. } = "begin",
    Reissue { .. } = "reissue",
    Reseat { .. } = "reseat",
    SeatOrigin { .. } = "seat_origin",
    Claims { .. } = "claims",
    BeginGame { .. } = "begin_game",
    Sealed { .. } = "sealed",
    Sit { .. } = "sit",
    SeatHasOrigin { .. } = "seat_has_origin",
});

fn ann() -> Person {
    Person { player: player(), name: name("Ann") }
}

fn sealed() -> Sealed {
    Sealed { key: u64::MAX - 1, bytes: (0..=255).collect() }
}

fn from() -> PersonOrigin {
    PersonOrigin { player: player(), origin: Origin::of_hash(0x1234_5678_9abc_def0) }
}

/// What stands apart from the little journal.
pub fn people() -> Vec<PersonRecord> {
    records().iter().filter_map(Record::apart).collect()
}

/// A whole little journal.
pub fn records() -> Vec<Record> {
    let create =
        CreateShow { id: id("c-1"), code: code(), seed: 42, pack: pack(), settings: settings().first().unwrap() };
    let mut steps = vec![(at(0), Command::Create(Box::new(create.clone())), vec![])];
    steps.push((
        at(12_000),
        Command::Join { player: player(), name: name("Ann"), role: Role::Player },
        vec![ToPlayer::Lobby(Lobby { joined: 1 })],
    ));
    // Actions that came later stand at the end: what is kept only grows.
    let mut first = actions();
    let mut later = first.split_off(15);
    let mut latest = later.split_off(4);
    let newest = latest.pop().unwrap();
    for (number, action) in (10..).zip(first) {
        steps.push((at(20_000 + number), Command::Host { id: id(&format!("c-{number}")), action }, vec![]));
    }
    steps.extend([
        (at(30_000), Command::Tick, vec![ToPlayer::Question(question())]),
        (
            at(32_002),
            Command::Answers {
                question: FIRST,
                answers: vec![
                    CountedAnswer { seat: ANN, choice: Choice(2), at: at(32_000) },
                    CountedAnswer { seat: BOB, choice: Choice(1), at: at(32_001) },
                ],
            },
            vec![],
        ),
        (at(36_000), Command::Recovered { away: Span(4_000) }, vec![]),
        (at(40_500), Command::Tick, vec![ToPlayer::Close(Close { seq: seq(3), at: at(40_500), question: FIRST })]),
        (at(41_000), Command::Tally { round: FIRST, silent: vec![GatewayId(3)] }, vec![]),
        (
            at(43_000),
            Command::Outage { round: FIRST, late: Span(2_500) },
            vec![ToPlayer::Void(Void {
                seq: seq(4),
                at: at(43_000),
                question: FIRST,
                reason: "Answers may be missing.".into(),
                alive: 2,
            })],
        ),
        (at(300_001), Command::Tick, vec![ToPlayer::End(Mark { seq: seq(31), at: at(300_001) })]),
        (at(300_002), Command::Begin { rules: RulesVersion(2), show: Box::new(create.clone()) }, vec![]),
        (at(300_003), Command::Reissue { seat: ANN }, vec![]),
    ]);
    for (number, action) in (30..).zip(later) {
        steps.push((at(300_000 + number), Command::Host { id: id(&format!("c-{number}")), action }, vec![]));
    }
    steps.push((at(300_050), Command::Reseat { seat: BOB, player: player(), name: name("Cid") }, vec![]));
    for (number, action) in (50..).zip(latest) {
        steps.push((at(300_000 + number), Command::Host { id: id(&format!("c-{number}")), action }, vec![]));
    }
    steps.push((
        at(300_060),
        Command::SeatOrigin { seat: BOB, origin: Origin::of_hash(0x1234_5678_9abc_def0) },
        vec![],
    ));
    let claim = |seat, key, value| CountedClaim { seat, key: ClaimKey(key), value, at: at(300_061) };
    let text = ClaimValue::Text(ClaimText::parse("a red one").unwrap());
    let claims = vec![claim(ANN, 0, ClaimValue::Bits(u64::MAX)), claim(ANN, 1, text)];
    let begun = BegunGame {
        id: id("c-3"),
        code: code(),
        seed: 42,
        game: GameName::parse("lots").unwrap(),
        title: "A draw".into(),
        seats: 500,
        barrier: Span(400),
        setup: Body::of(&json!({ "draws": 3 })),
    };
    steps.extend([
        (at(300_061), Command::Claims { round: FIRST, claims }, vec![]),
        (at(300_062), Command::BeginGame { rules: RulesVersion::FIRST, show: Box::new(begun) }, vec![]),
        (at(300_063), Command::Host { id: id("c-90"), action: newest }, vec![]),
        (at(300_064), Command::Sealed { sealed: sealed(), person: Apart::unknown() }, vec![]),
        (at(300_065), Command::Begin { rules: RulesVersion(3), show: Box::new(create) }, vec![]),
        (at(300_066), Command::Sit { seat: ANN, guest: true, who: Apart::known(ann()) }, vec![]),
        (at(300_067), Command::SeatHasOrigin { seat: ANN, from: Apart::known(from()) }, vec![]),
        (at(300_068), Command::Sealed { sealed: sealed(), person: Apart::known(sealed()) }, vec![]),
    ]);
    (0..)
        .zip(steps)
        .map(|(number, (at, command, events))| Record {
            show: SHOW,
            number,
            fence: Fence(1),
            at,
            command,
            events,
            state: 0x6b6c_6178_6f6e_0000 + number,
        })
        .collect()
}
