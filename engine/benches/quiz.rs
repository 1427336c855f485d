//! What a quiz costs: `cargo bench -p klaxon-engine --bench quiz` plays one question of each kind with a million players on one core, and prints
//! for each what an answer cost and how long the reveal took; and how long it takes to accept another answer to one of them.

use std::time::Instant;

use klaxon_engine::game::rundown::RundownRules;
use klaxon_engine::game::{Game, GameRules};
use klaxon_protocol::apart::Apart;
use klaxon_protocol::claim::{ClaimText, ClaimValue};
use klaxon_protocol::games::quiz::{number_to_bits, order_to_bits};
use klaxon_protocol::games::rundown::game_name;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{ClaimKey, CommandId, Seat, ShowCode};
use klaxon_protocol::journal::{BegunGame, Command, CountedClaim, RulesVersion};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Value, json};

const PLAYERS: u32 = 1_000_000;
const BATCH: u32 = 512;

/// What the player of a seat answers.
type Answer = fn(u32) -> ClaimValue;

/// The kinds, each with what a player answers.
fn kinds() -> Vec<(&'static str, Value, Answer)> {
    let choices = json!(["a", "b", "c", "d"]);
    vec![
        ("choice", json!({ "choices": choices, "right": 1 }), |seat| ClaimValue::Bits(u64::from(seat % 4))),
        ("choices", json!({ "choices": choices, "right": [1], "by": "share" }), |seat| {
            ClaimValue::Bits(u64::from(seat % 15 + 1))
        }),
        ("number", json!({ "right": 500, "score": { "by": "nearest", "places": [3, 2, 1] } }), |seat| {
            ClaimValue::Bits(number_to_bits(i64::from(seat % 1000)))
        }),
        ("order", json!({ "items": choices, "by": "share" }), |seat| {
            ClaimValue::Bits(order_to_bits(if seat.is_multiple_of(2) { &[0, 1, 2, 3] } else { &[3, 2, 1, 0] }))
        }),
        ("text", json!({ "spellings": ["Mississippi", "Missouri"], "typos": 2 }), |seat| {
            let text = ["Misissippi", "missouri", "Colorado", "Rio Grande"][(seat % 4) as usize];
            ClaimValue::Text(ClaimText::parse(text).expect("it is a text"))
        }),
        ("words", json!({}), |seat| {
            ClaimValue::Text(ClaimText::parse(&format!("word {}", seat % 10_000)).expect("it is a text"))
        }),
        ("fastest", json!({ "choices": choices, "right": [1], "places": [3, 2, 1] }), |seat| {
            ClaimValue::Bits(u64::from(seat % 4))
        }),
        ("majority", json!({ "choices": choices }), |seat| ClaimValue::Bits(u64::from(seat % 4))),
        ("buzzer", json!({ "choices": choices, "right": 1, "window": 10_000 }), |seat| {
            ClaimValue::Bits(u64::from(seat % 4))
        }),
    ]
}

struct Show {
    game: Box<dyn Game>,
    now: Millis,
    commands: u32,
}

impl Show {
    fn apply(&mut self, command: &Command) {
        std::hint::black_box(self.game.apply(self.now, command).expect("the step is in order"));
    }

    fn host(&mut self, action: Action) {
        self.commands += 1;
        let id = CommandId::parse(&self.commands.to_string()).expect("it is an id");
        self.apply(&Command::Host { id, action });
    }
}

fn main() {
    let questions: Vec<Value> = kinds()
        .into_iter()
        .map(|(kind, mut fields, _)| {
            let more = json!({ "text": "?", "kind": kind, "open_for": 20_000 });
            fields.as_object_mut().expect("it is an object").extend(more.as_object().expect("it is an object").clone());
            fields
        })
        .collect();
    let sent = Body::of(&json!({ "parts": [{ "part": "quiz", "questions": questions }], "lead": 0 }));
    let setup = RundownRules.prepare(&sent, &mut || [7; 32]).expect("it is a setup");
    let begun = BegunGame {
        id: CommandId::parse("create").expect("it is an id"),
        code: ShowCode::parse("BENCH").expect("it is a code"),
        seed: 7,
        game: game_name(),
        title: "A quiz".into(),
        seats: PLAYERS,
        barrier: Span(500),
        setup,
    };
    let now = Millis(1_000_000);
    let game = RundownRules.begin(now, RulesVersion(1), &begun).expect("it is a setup");
    let mut show = Show { game, now, commands: 0 };
    show.host(Action::OpenLobby);
    for seat in (0..PLAYERS).map(Seat) {
        show.apply(&Command::Sit { seat, guest: true, who: Apart::unknown() });
    }
    show.host(Action::Next);
    println!("{PLAYERS} seats, answers in batches of {BATCH}");
    for (kind, _, answer) in kinds() {
        show.host(Action::Next);
        let round = show.game.round().expect("a round was begun").id;
        let (mut answering, mut longest) = (std::time::Duration::ZERO, std::time::Duration::ZERO);
        for first in (0..PLAYERS).step_by(BATCH as usize) {
            let at = show.now + Span(first / 100);
            let claim = |seat| CountedClaim { seat: Seat(seat), key: ClaimKey(0), value: answer(seat), at };
            let claims = (first..PLAYERS.min(first + BATCH)).map(claim).collect();
            let command = Command::Claims { round, claims };
            let began = Instant::now();
            show.apply(&command);
            answering += began.elapsed();
            longest = longest.max(began.elapsed());
        }
        show.now = show.now + Span(10_000);
        show.host(Action::Close);
        show.apply(&Command::Tally { round, silent: Vec::new() });
        let began = Instant::now();
        show.host(Action::Reveal);
        let reveal = began.elapsed();
        show.now = show.now + Span(1_000);
        println!(
            "{kind:<10} answers {:>5} ns each   longest batch {:>6.1} ms   reveal of all seats {:>7.1} ms",
            answering.as_nanos() / u128::from(PLAYERS),
            longest.as_secs_f64() * 1e3,
            reveal.as_secs_f64() * 1e3,
        );
        if kind == "choice" {
            let began = Instant::now();
            show.host(Action::Play { body: Body::of(&json!({ "accept": { "choices": [2] } })) });
            println!("{:<10} another right answer is accepted in {:>7.1} ms", "", began.elapsed().as_secs_f64() * 1e3);
        }
    }
}
