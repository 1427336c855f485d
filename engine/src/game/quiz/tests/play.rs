//! A rundown with one quiz in a few words, for the tests: time passes only when they say so.

use std::sync::Arc;

use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::claim::{Claim, ClaimText, ClaimValue, Verdict};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::game_name;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{ClaimKey, CommandId, Name, PlayerId, RoundId, Seat, ShowCode};
use klaxon_protocol::journal::{BegunGame, Command, CountedClaim, RulesVersion};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Body, Phase, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Value, json};

use crate::game::rundown::RundownRules;
use crate::game::{Effect, Entry, Game, GameRules, PreCheck};

/// A question with these fields.
pub fn question(kind: &str, fields: Value) -> Value {
    let mut question = json!({ "text": "?", "kind": kind });
    question.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    question
}

/// A question whose right choice is 0.
pub fn choice() -> Value {
    question("choice", json!({ "choices": ["right", "wrong"], "right": 0 }))
}

pub struct Play {
    pub game: Box<dyn Game>,
    pub now: Millis,
    pub told: Vec<Value>,
    /// The last messages to single seats.
    personal: Option<Arc<Personal>>,
    /// All commands, with their times and the hash of the state after each.
    pub journal: Vec<(Millis, Command, u64)>,
    setup: Body,
}

fn begin(setup: &Body) -> Box<dyn Game> {
    let begun = BegunGame {
        id: CommandId::parse("create").unwrap(),
        code: ShowCode::parse("TEST").unwrap(),
        seed: 7,
        game: game_name(),
        title: "A quiz".into(),
        seats: 1000,
        barrier: Span(500),
        setup: setup.clone(),
    };
    RundownRules.begin(Millis(1_000_000), RulesVersion(1), &begun).unwrap_or_else(|refusal| panic!("{refusal}"))
}

impl Play {
    /// A quiz of these questions without mixing, with players, right before its first question. Questions open at once.
    pub fn new(settings: Value, questions: Value, players: u32) -> Self {
        Self::with_lives(settings, questions, players, 0)
    }

    pub fn with_lives(settings: Value, questions: Value, players: u32, lives: u8) -> Self {
        let mut quiz = json!({ "part": "quiz", "shuffle": false, "questions": questions });
        quiz.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        Self::of(json!([quiz]), players, lives)
    }

    /// A show of these parts, right after the beginning of the first.
    pub fn of(parts: Value, players: u32, lives: u8) -> Self {
        let sent = Body::of(&json!({ "parts": parts, "lead": 0, "lives": lives }));
        let setup = RundownRules.prepare(&sent, &mut || [9; 32]).unwrap_or_else(|refusal| panic!("{refusal}"));
        let now = Millis(1_000_000);
        let mut play = Self { game: begin(&setup), now, told: vec![], personal: None, journal: vec![], setup };
        play.host(Action::OpenLobby);
        (0..players).for_each(|player| assert_eq!(play.join(player), Ok(Entry::New)));
        // The part begins.
        play.host(Action::Next);
        play
    }

    pub fn apply(&mut self, command: Command) -> Result<(), Refusal> {
        for effect in self.game.apply(self.now, &command)? {
            match effect {
                Effect::Tell(message, personal) => {
                    self.told.push(serde_json::to_value(&message).unwrap());
                    self.personal = personal;
                }
                Effect::TellSome(personal) => self.personal = Some(personal),
                Effect::Dismiss(..) | Effect::Alert(_) => {}
            }
        }
        self.journal.push((self.now, command, self.game.state_hash()));
        Ok(())
    }

    /// The journal gives the same states again.
    pub fn replay(&self) {
        let mut game = begin(&self.setup);
        for (now, command, hash) in &self.journal {
            game.apply(*now, command).unwrap();
            assert_eq!(game.state_hash(), *hash, "{command:?}");
        }
    }

    pub fn join(&mut self, player: u32) -> Result<Entry, ErrorCode> {
        let id = PlayerId::parse(&format!("{}{player}", PlayerId::GUEST)).unwrap();
        let entry = self.game.entry(&id, Role::Player)?;
        if entry == Entry::New {
            let person = Person { player: id, name: Name::parse(&format!("P{player}")).unwrap() };
            let seat = Seat(self.game.people().roster.seated());
            self.apply(Command::Sit { seat, guest: true, who: Apart::known(person) }).unwrap();
        }
        Ok(entry)
    }

    pub fn try_host(&mut self, action: Action) -> Result<(), Refusal> {
        let id = CommandId::parse(&format!("command {}", self.journal.len())).unwrap();
        let hash = self.game.state_hash();
        let done = self.apply(Command::Host { id, action });
        assert!(done.is_ok() || self.game.state_hash() == hash, "what is refused changes nothing");
        done
    }

    pub fn host(&mut self, action: Action) {
        self.try_host(action).unwrap();
    }

    pub fn play(&mut self, body: Value) -> Result<(), Refusal> {
        self.try_host(Action::Play { body: Body::of(&body) })
    }

    pub fn void(&mut self) {
        self.host(Action::Void { reason: "It was wrong.".into() });
    }

    /// Lets time pass, and does what falls due on the way.
    pub fn wait(&mut self, span: u32) {
        let until = self.now + Span(span);
        while let Some(due) = self.game.deadline().filter(|&due| due <= until) {
            self.now = self.now.max(due);
            self.apply(Command::Tick).unwrap();
            self.tally();
        }
        self.now = until;
    }

    /// Every gateway hands in at once.
    pub fn tally(&mut self) {
        if let Some(round) = self.game.closing() {
            self.apply(Command::Tally { round, silent: vec![] }).unwrap();
        }
    }

    pub fn round(&self) -> RoundId {
        self.game.round().expect("a round was begun").id
    }

    /// A claim that was read `early` ms ago reaches the show now.
    pub fn claim(&mut self, seat: u32, key: u16, value: ClaimValue, early: u32) -> Verdict {
        let (seat, key, at, round) = (Seat(seat), ClaimKey(key), self.now - Span(early), self.round());
        let claim = Claim { round, key, value: value.clone() };
        match self.game.pre_check(self.game.people().held(seat), &claim, at) {
            PreCheck::Decided(verdict) => verdict,
            PreCheck::MayCount { .. } => {
                let claims = vec![CountedClaim { seat, key, value: value.clone(), at }];
                self.apply(Command::Claims { round, claims }).unwrap();
                Verdict::Accepted(value)
            }
        }
    }

    /// A player answers with a number now.
    pub fn answer(&mut self, seat: u32, bits: u64) -> Verdict {
        self.claim(seat, 0, ClaimValue::Bits(bits), 0)
    }

    pub fn type_in(&mut self, seat: u32, key: u16, text: &str) -> Verdict {
        self.claim(seat, key, ClaimValue::Text(ClaimText::parse(text).unwrap()), 0)
    }

    /// Asks the next question, takes these answers at once, and reveals it when its time is up.
    pub fn ask(&mut self, answers: &[(u32, u64)]) {
        self.host(Action::Next);
        for &(seat, bits) in answers {
            assert_eq!(self.answer(seat, bits), Verdict::Accepted(ClaimValue::Bits(bits)), "seat {seat}");
        }
        self.finish();
    }

    /// Waits for the close of the question, and reveals it.
    pub fn finish(&mut self) {
        if self.game.phase() == Phase::Question {
            self.wait(600_000);
        }
        if self.game.phase() == Phase::Closed {
            self.host(Action::Reveal);
        }
    }

    /// The seat's own state, as at a join.
    pub fn own(&self, seat: u32) -> Value {
        let ToPlayer::GameOwn(own) = self.game.own(Some(Seat(seat))) else { panic!("it is `game_own`") };
        Value::Object(own.body.0)
    }

    pub fn points(&self) -> Vec<i64> {
        let seats = self.game.people().roster.seated();
        (0..seats).map(|seat| self.own(seat)["points"].as_i64().unwrap()).collect()
    }

    pub fn in_play(&self) -> Vec<bool> {
        let seats = self.game.people().roster.seated();
        (0..seats).map(|seat| self.own(seat)["in_play"].as_bool().unwrap()).collect()
    }

    /// The body of the last event.
    pub fn event(&self) -> &Value {
        let event = self.told.iter().rev().find(|message| message["type"] == "game_event");
        &event.expect("the game told something")["body"]
    }

    /// What this seat alone got with the last event.
    pub fn told_alone(&self, seat: u32) -> Option<Value> {
        let personal = self.personal.as_ref()?;
        Some(serde_json::to_value(&personal.shapes[personal.shape_of(Seat(seat))?]).unwrap()["body"].take())
    }

    /// The part as those see it who join.
    pub fn view(&self) -> Value {
        let ToPlayer::GameSnapshot(snapshot) = self.game.view(self.now).message else {
            panic!("it is `game_snapshot`")
        };
        snapshot.body.0["now"].clone()
    }
}
