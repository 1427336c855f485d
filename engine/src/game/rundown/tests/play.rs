//! A show in a few words, for the tests: time passes only when they say so.

use std::sync::Arc;

use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::claim::{Claim, ClaimValue, Verdict};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::rundown::{PartKind, Setup, game_name};
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::{ClaimKey, CommandId, GameName, Name, PlayerId, RoundId, Seat, SeatRef, ShowCode};
use klaxon_protocol::journal::{BegunGame, Command, CountedClaim, RulesVersion};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Body, Podium, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Value, json};

use super::super::breaks::Breaks;
use super::super::interlude::WithoutRounds;
use super::super::rules::part_of;
use super::super::{Line, Part, Rundown};
use super::coins::Coins;
use crate::game::{Effect, Entry, Game, GameRules, PreCheck};

pub const START: Millis = Millis(1_000_000);
/// What each round of coins pays.
pub const PRIZE: u64 = 100;
/// What can be won in the tests' shows.
pub const POT: u64 = 1_000_000_000;

/// Shows whose parts named "coins 2" are two rounds of coins, and any others breaks.
pub struct TestRules;

impl GameRules for TestRules {
    fn newest(&self, _: bool) -> RulesVersion {
        RulesVersion(1)
    }

    fn begin(&self, now: Millis, _: RulesVersion, show: &BegunGame) -> Result<Box<dyn Game>, Refusal> {
        Ok(Box::new(game(now, show)))
    }
}

pub fn test_game() -> GameName {
    GameName::parse("test_rundown").unwrap()
}

fn game(now: Millis, show: &BegunGame) -> Rundown {
    let setup: Setup = show.setup.read_known().unwrap();
    assert_eq!(setup.problems(), Vec::<String>::new());
    let parts = setup.parts.iter().map(|part| -> Box<dyn Part> {
        let PartKind::Break(settings) = &part.kind else { return part_of(std::slice::from_ref(part)) };
        match settings.text.strip_prefix("coins ") {
            Some(rounds) => Box::new(Coins::new(rounds.parse().unwrap(), PRIZE)),
            None => Box::new(WithoutRounds(Breaks::new(settings.clone()))),
        }
    });
    let parts = parts.collect();
    let mut game = Rundown::new(now, show, setup, parts);
    game.pot = POT;
    game
}

pub fn begun(setup: Value, seats: u32) -> BegunGame {
    BegunGame {
        id: CommandId::parse("create").unwrap(),
        code: ShowCode::parse("TEST").unwrap(),
        seed: 7,
        game: test_game(),
        title: "A show".into(),
        seats,
        barrier: Span(500),
        setup: Body::of(&setup),
    }
}

/// The setup of these parts, whose rounds open at once.
pub fn setup(parts: &[&str]) -> Value {
    let parts: Vec<Value> = parts.iter().map(|text| json!({ "part": "break", "text": text, "for": 60_000 })).collect();
    json!({ "parts": parts, "lead": 0 })
}

pub struct Play {
    pub game: Rundown,
    pub now: Millis,
    pub told: Vec<ToPlayer>,
    pub alerts: Vec<AlertKind>,
    pub dismissed: Vec<(SeatRef, ErrorCode)>,
    personal: Option<Arc<Personal>>,
    commands: u32,
    begun: BegunGame,
    /// What was done, with the hash of the state after each command.
    journal: Vec<(Millis, Command, u64)>,
}

impl Play {
    /// A show of these parts, with players in its lobby.
    pub fn new(parts: &[&str], players: u32) -> Self {
        Self::of(setup(parts), players)
    }

    pub fn of(setup: Value, players: u32) -> Self {
        Self::begun(begun(setup, 20), players)
    }

    pub fn begun(begun: BegunGame, players: u32) -> Self {
        let game = game(START, &begun);
        let (told, alerts, dismissed, journal) = (vec![], vec![], vec![], vec![]);
        let mut play = Self { game, now: START, told, alerts, dismissed, personal: None, commands: 0, begun, journal };
        play.host(Action::OpenLobby);
        (0..players).for_each(|player| assert_eq!(play.join(player), Ok(Entry::New)));
        play
    }

    pub fn apply(&mut self, command: &Command) -> Result<(), Refusal> {
        for effect in self.game.apply(self.now, command)? {
            match effect {
                Effect::Tell(message, personal) => {
                    self.told.push(message);
                    self.personal = personal.or(self.personal.take());
                }
                Effect::TellSome(personal) => self.personal = Some(personal),
                Effect::Alert(alert) => self.alerts.push(alert),
                Effect::Dismiss(seat, code) => self.dismissed.push((seat, code)),
            }
        }
        self.journal.push((self.now, command.clone(), self.game.state_hash()));
        Ok(())
    }

    /// The journal gives the same states again.
    pub fn replay(&self) {
        let mut again = game(START, &self.begun);
        for (now, command, hash) in &self.journal {
            again.apply(*now, command).unwrap();
            assert_eq!(again.state_hash(), *hash, "{command:?}");
        }
    }

    pub fn join(&mut self, player: u32) -> Result<Entry, ErrorCode> {
        let id = PlayerId::parse(&format!("{}{player}", PlayerId::GUEST)).unwrap();
        let entry = self.game.entry(&id, Role::Player)?;
        if entry == Entry::New {
            let person = Person { player: id, name: Name::parse(&format!("P{player}")).unwrap() };
            let seat = Seat(self.game.people.roster.seated());
            self.apply(&Command::Sit { seat, guest: true, who: Apart::known(person) }).unwrap();
        }
        Ok(entry)
    }

    pub fn try_host(&mut self, action: Action) -> Result<(), Refusal> {
        self.commands += 1;
        let id = CommandId::parse(&format!("command {}", self.commands)).unwrap();
        let hash = self.game.state_hash();
        let done = self.apply(&Command::Host { id, action });
        assert!(done.is_ok() || self.game.state_hash() == hash, "what is refused changes nothing");
        done
    }

    pub fn host(&mut self, action: Action) {
        self.try_host(action).unwrap();
    }

    pub fn refusal(&mut self, action: Action) -> (ErrorCode, String) {
        let refusal = self.try_host(action).unwrap_err();
        (refusal.code, refusal.detail)
    }

    pub fn play(&mut self, body: Value) -> Result<(), Refusal> {
        self.try_host(Action::Play { body: Body::of(&body) })
    }

    /// Lets time pass, and does what falls due on the way.
    pub fn wait(&mut self, span: u32) {
        let until = self.now + Span(span);
        while let Some(due) = self.game.deadline().filter(|&due| due <= until) {
            self.now = self.now.max(due);
            let before = self.game.state_hash();
            self.apply(&Command::Tick).unwrap();
            assert_ne!(self.game.state_hash(), before, "what was due is done");
            self.tally();
        }
        self.now = until;
    }

    /// The engine is away for so long.
    pub fn crash(&mut self, away: u32) {
        self.now = self.now + Span(away);
        self.apply(&Command::Recovered { away: Span(away) }).unwrap();
    }

    /// Every gateway hands in at once.
    pub fn tally(&mut self) {
        if let Some(round) = self.game.closing() {
            self.apply(&Command::Tally { round, silent: vec![] }).unwrap();
        }
    }

    pub fn round(&self) -> RoundId {
        self.game.round().expect("a round was begun").id
    }

    /// A player claims in the last round now.
    pub fn claim(&mut self, seat: u32, value: u64) -> Verdict {
        self.claim_read(self.now, self.round(), seat, 0, value)
    }

    /// A claim that was read at this time reaches the show now.
    pub fn claim_read(&mut self, at: Millis, round: RoundId, seat: u32, key: u16, value: u64) -> Verdict {
        let (seat, key, value) = (Seat(seat), ClaimKey(key), ClaimValue::Bits(value));
        let claim = Claim { round, key, value: value.clone() };
        match self.game.pre_check(self.game.people.held(seat), &claim, at) {
            PreCheck::Decided(verdict) => verdict,
            PreCheck::MayCount { .. } => {
                let claims = vec![CountedClaim { seat, key, value: value.clone(), at }];
                self.apply(&Command::Claims { round, claims }).unwrap();
                Verdict::Accepted(value)
            }
        }
    }

    /// A whole round of coins: the calls of the seats, a millisecond apart; those left out are silent.
    pub fn flip(&mut self, calls: &[(u32, u64)]) {
        self.host(Action::Next);
        for &(seat, value) in calls {
            self.wait(1);
            assert_eq!(self.claim(seat, value), Verdict::Accepted(ClaimValue::Bits(value)), "seat {seat}");
        }
        self.wait(10_000);
        self.host(Action::Reveal);
    }

    pub fn line(&self, seat: u32) -> Line {
        *self.game.ledger.line(Seat(seat))
    }

    pub fn points(&self) -> Vec<i64> {
        (0..self.game.ledger.seats()).map(|seat| self.line(seat).points).collect()
    }

    /// The body of the last event of the game.
    pub fn event(&self) -> Value {
        let body = self.told.iter().rev().find_map(|message| match message {
            ToPlayer::GameEvent(event) => Some(Value::Object(event.body.0.clone())),
            _ => None,
        });
        body.expect("the game told something")
    }

    /// What happened, as a list of events and other messages.
    pub fn story(&self) -> Vec<String> {
        let told = |message: &ToPlayer| match message {
            ToPlayer::GameEvent(event) => {
                format!("{} {}", event.body.0["part"], event.body.0["event"].as_str().unwrap())
            }
            other => serde_json::to_value(other).unwrap()["type"].as_str().unwrap().to_owned(),
        };
        self.told.iter().map(told).collect()
    }

    /// The seat's own state, as at a join.
    pub fn own(&self, seat: u32) -> Value {
        let ToPlayer::GameOwn(own) = self.game.own(Some(Seat(seat))) else { panic!("it is `game_own`") };
        Value::Object(own.body.0)
    }

    /// The last message that this seat alone got; none if the last of them went to others.
    pub fn told_alone(&self, seat: u32) -> Option<Value> {
        let personal = self.personal.as_ref()?;
        Some(serde_json::to_value(&personal.shapes[personal.shape_of(Seat(seat))?]).unwrap())
    }

    pub fn overview(&self) -> Value {
        let snapshot = self.game.snapshot(self.now);
        assert_eq!(snapshot.game, game_name());
        Value::Object(snapshot.body.0)
    }

    pub fn end(&mut self) -> Podium {
        self.host(Action::End { pay: true });
        self.game.podium.clone().expect("the show is over")
    }
}
