//! `klaxon proof`: what it writes of shows that were played is confirmed by both verifiers.

use std::path::PathBuf;
use std::process::Command as Program;

use klaxon_engine::game::{Effect, Game, Games};
use klaxon_engine::replay::recorded_events;
use klaxon_protocol::apart::Apart;
use klaxon_protocol::games::rundown::game_name;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Fence, Seat, ShowCode, ShowId};
use klaxon_protocol::journal::{BegunGame, Command, MAGIC, Record, RulesVersion, frame_record};
use klaxon_protocol::player::{Body, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Value, json};

use super::{Files, Said, klaxon, python, run};

/// A show, and its journal.
struct Show {
    game: Box<dyn Game>,
    now: Millis,
    records: u64,
    journal: Vec<u8>,
    /// The bodies of all events.
    told: Vec<Body>,
}

impl Show {
    /// A show of these parts, whose lobby is open.
    fn new(parts: &[Value]) -> Self {
        let show = BegunGame {
            id: CommandId::parse("create").unwrap(),
            code: ShowCode::parse("BINGO1").unwrap(),
            seed: 1,
            game: game_name(),
            title: "Bingo".into(),
            seats: 1_000_000,
            barrier: Span(500),
            setup: Body::of(&json!({ "lead": 0, "parts": parts })),
        };
        let command = Command::BeginGame { rules: RulesVersion(1), show: Box::new(show) };
        let now = Millis(1_800_000_000_000);
        let game = Games::default().begin(now, command.begun().unwrap()).unwrap();
        let mut show = Self { game, now, records: 0, journal: MAGIC.into(), told: Vec::new() };
        show.record(command, &[]);
        show.host(Action::OpenLobby);
        show
    }

    fn record(&mut self, command: Command, effects: &[Effect]) {
        let events = recorded_events(&*self.game, effects);
        self.told.extend(events.iter().filter_map(|event| match event {
            ToPlayer::GameEvent(event) => Some(event.body.clone()),
            _ => None,
        }));
        let (number, at, state) = (self.records, self.now, self.game.state_hash());
        let record = Record { show: ShowId(1), number, fence: Fence(1), at, command, events, state };
        frame_record(&record, &mut self.journal).unwrap();
        self.records += 1;
    }

    fn apply(&mut self, command: Command) {
        self.now = self.now + Span(7);
        let effects = self.game.apply(self.now, &command).unwrap();
        self.record(command, &effects);
    }

    fn host(&mut self, action: Action) {
        let id = CommandId::parse(&format!("h-{}", self.records)).unwrap();
        self.apply(Command::Host { id, action });
    }

    fn next(&mut self) {
        self.host(Action::Next);
    }

    fn play(&mut self, body: &Value) {
        self.host(Action::Play { body: Body::of(body) });
    }

    fn sit(&mut self, seats: std::ops::Range<u32>) {
        for seat in seats {
            self.apply(Command::Sit { seat: Seat(seat), guest: true, who: Apart::unknown() });
        }
    }

    fn end(&mut self) {
        self.host(Action::End { pay: true });
    }

    /// Draws a ball, and settles it.
    fn draw(&mut self) {
        self.next();
        self.host(Action::Close);
        if let Some(round) = self.game.closing() {
            self.apply(Command::Tally { round, silent: Vec::new() });
        }
    }

    /// All balls that were told, and this field of the last event that has it.
    fn balls(&self) -> Vec<String> {
        self.told.iter().filter(|body| body.0["event"] == "ball").map(|body| body.0["ball"].to_string()).collect()
    }

    fn last(&self, field: &str) -> String {
        let told = self.told.iter().rev().find_map(|body| body.0.get(field));
        told.and_then(Value::as_str).unwrap().to_owned()
    }
}

const SEED: &str = "5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed5eed";

fn bingo(balls: u8, tickets: u8, public_value: Option<&str>) -> Value {
    let prizes = json!([{ "name": "Line", "pattern": "line", "amount": 500 }]);
    let mut part = json!({ "part": "bingo", "balls": balls, "tickets": tickets, "prizes": prizes, "seed": SEED });
    if let Some(words) = public_value {
        part["public_value"] = words.into();
    }
    part
}

struct Proving {
    _files: Files,
    journal: PathBuf,
    to: PathBuf,
}

impl Proving {
    fn new(show: &Show) -> Self {
        let files = Files::new();
        let (journal, to) = (files.0.path().join("1.klxj"), files.0.path().join("proof.json"));
        std::fs::write(&journal, &show.journal).unwrap();
        Self { _files: files, journal, to }
    }

    fn prove(&self, more: &[&str]) -> Said {
        let mut program = Program::new(env!("CARGO_BIN_EXE_klaxon"));
        run(program.arg("proof").arg(&self.journal).arg("--to").arg(&self.to).args(more))
    }

    #[track_caller]
    fn refused(&self, more: &[&str], told: &str) {
        let Said { code, text } = self.prove(more);
        assert!(code == Some(1) && text.contains(told), "{told}: {text}");
        assert!(!self.to.exists() && !text.contains(SEED), "{text}");
    }
}

#[test]
fn what_is_written_of_a_show_is_confirmed_by_both() {
    for (balls, tickets) in [(75, 3), (90, 2), (90, 6)] {
        let public = "What the dice show";
        let mut show = Show::new(&[json!({ "part": "break", "text": "Soon" }), bingo(balls, tickets, Some(public))]);
        show.sit(0..40);
        show.next();
        show.next();
        show.sit(40..50);
        show.next();
        // Has no ticket any more.
        show.sit(50..52);
        show.play(&json!({ "public_value": "4 5 1" }));
        (0..20).for_each(|_| show.draw());
        // It is drawn again.
        show.host(Action::Void { reason: "The screen was dark".into() });
        (0..10).for_each(|_| show.draw());
        show.end();

        let mut drawn = show.balls();
        assert_eq!(drawn.remove(20), drawn[19]);
        let (commitment, roster) = (show.last("commitment"), show.last("roster"));
        let published = ["--commitment", &commitment, "--roster-hash", &roster, "--public-value", "4 5 1"];
        let proving = Proving::new(&show);
        for (more, seats) in [(&["--tickets"][..], "50 seats follow"), (&[], "has none to compare")] {
            let _ = std::fs::remove_file(&proving.to);
            let Said { code, text } = proving.prove(more);
            assert!(code == Some(0) && text.contains("part 1: 50 seats, 29 balls drawn"), "{text}");
            let by_klaxon = klaxon(&proving.to, &published);
            assert!(by_klaxon.code == Some(0) && by_klaxon.text.contains(seats), "{}", by_klaxon.text);
            let by_python = run(python().arg("verify_bingo.py").arg(&proving.to));
            assert_eq!(by_python.code, Some(0), "{}", by_python.text);
            for said in [by_klaxon, by_python] {
                assert!(said.text.contains(&format!(" {}\n", drawn.join(" "))), "{drawn:?}: {}", said.text);
            }
        }
    }
}

#[test]
fn nothing_is_written_before_the_part_is_over() {
    let mut show = Show::new(&[bingo(75, 1, None)]);
    show.sit(0..3);
    Proving::new(&show).refused(&[], "no part of bingo has begun");
    show.next();
    Proving::new(&show).refused(&[], "its seed is secret until then");
    show.draw();
    Proving::new(&show).refused(&["--tickets"], "its seed is secret until then");
}

#[test]
fn nothing_is_written_of_a_part_without_an_order_of_balls() {
    let mut show = Show::new(&[bingo(75, 1, Some("Tomorrow's weather"))]);
    show.sit(0..3);
    show.next();
    show.next();
    show.end();
    Proving::new(&show).refused(&[], "never given");
    let mut show = Show::new(&[bingo(75, 1, None)]);
    show.next();
    show.end();
    Proving::new(&show).refused(&[], "never closed");
}

#[test]
fn of_several_parts_one_is_named() {
    let mut show = Show::new(&[bingo(75, 1, None), bingo(90, 1, None)]);
    show.sit(0..3);
    show.next();
    (0..75).for_each(|_| show.draw());
    show.next();
    show.draw();
    show.end();
    let proving = Proving::new(&show);
    proving.refused(&[], "these parts are bingo: 0, 1; say which, by --part");
    proving.refused(&["--part", "2"], "part 2 is no bingo that has begun; these are: 0, 1");
    for (part, told) in [("0", "75 balls drawn"), ("1", "1 balls drawn")] {
        let Said { code, text } = proving.prove(&["--part", part]);
        assert!(code == Some(0) && text.contains(told), "{text}");
        assert_eq!(klaxon(&proving.to, &[]).code, Some(0));
        // Nothing is written over.
        let before = std::fs::read(&proving.to).unwrap();
        let Said { code, text } = proving.prove(&["--part", "0"]);
        assert!(code == Some(1) && text.contains("can't write"), "{text}");
        assert_eq!(std::fs::read(&proving.to).unwrap(), before);
        std::fs::remove_file(&proving.to).unwrap();
    }
}

#[test]
fn a_journal_that_is_damaged_is_refused() {
    let mut show = Show::new(&[bingo(75, 1, None)]);
    show.next();
    show.draw();
    show.end();
    let middle = show.journal.len() / 2;
    show.journal[middle] ^= 1;
    Proving::new(&show).refused(&[], "1.klxj");
}
