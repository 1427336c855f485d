//! A show with one part of bingo, for tests.

use klaxon_protocol::apart::Apart;
use klaxon_protocol::claim::{Claim, ClaimValue, Verdict};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::bingo::TicketPrize;
use klaxon_protocol::games::rundown::game_name;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, RoundId, Seat, ShowCode};
use klaxon_protocol::journal::{BegunGame, Command, CountedClaim, RulesVersion};
use klaxon_protocol::player::{Body, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Value, json};

use crate::game::rundown::RundownRules;
use crate::game::{Effect, Game, GameRules, PreCheck};

pub struct Table {
    begun: BegunGame,
    pub game: Box<dyn Game>,
    pub now: Millis,
    commands: Vec<(Millis, Command)>,
}

impl Table {
    /// A show whose only part is this, with so many players. Its seed is 32 equal bytes.
    pub fn new(mut part: Value, seats: u32, seed: u8) -> Self {
        part["part"] = "bingo".into();
        part["seed"] = format!("{seed:02x}").repeat(32).into();
        let begun = BegunGame {
            id: CommandId::parse("create").unwrap(),
            code: ShowCode::parse("BINGO1").unwrap(),
            seed: 1,
            game: game_name(),
            title: "Bingo".into(),
            seats: 1_000_000,
            barrier: Span(500),
            setup: Body::of(&json!({ "lead": 0, "parts": [part] })),
        };
        let now = Millis(1_800_000_000_000);
        let game = RundownRules.begin(now, RulesVersion(1), &begun).unwrap();
        let mut table = Self { begun, game, now, commands: Vec::new() };
        table.host(Action::OpenLobby).unwrap();
        (0..seats).for_each(|seat| table.sit(seat));
        table
    }

    pub fn apply(&mut self, command: Command) -> Result<Vec<Effect>, Refusal> {
        self.now = self.now + Span(1);
        let effects = self.game.apply(self.now, &command)?;
        self.commands.push((self.now, command));
        Ok(effects)
    }

    pub fn sit(&mut self, seat: u32) {
        self.apply(Command::Sit { seat: Seat(seat), guest: true, who: Apart::unknown() }).unwrap();
    }

    pub fn host(&mut self, action: Action) -> Result<Vec<Effect>, Refusal> {
        let id = CommandId::parse(&format!("h-{}", self.commands.len())).unwrap();
        self.apply(Command::Host { id, action })
    }

    pub fn play(&mut self, body: &Value) -> Result<Vec<Effect>, Refusal> {
        self.host(Action::Play { body: Body::of(body) })
    }

    /// The next step of the part: its beginning, or the next ball.
    pub fn next(&mut self) -> Vec<Effect> {
        self.host(Action::Next).unwrap()
    }

    /// Draws the next ball, and returns it.
    pub fn draw(&mut self) -> u8 {
        let effects = self.next();
        let ball = bodies(&effects).find(|body| body["event"] == "ball").unwrap();
        u8::try_from(ball["ball"].as_u64().unwrap()).unwrap()
    }

    pub fn round(&self) -> RoundId {
        self.game.round().unwrap().id
    }

    /// Calls now. Returns the code if the call is refused.
    pub fn call(&mut self, seat: u32, ticket: u8, prize: u8) -> Result<(), ErrorCode> {
        let key = TicketPrize { ticket, prize }.key();
        let claim = Claim { round: self.round(), key, value: ClaimValue::Bits(0) };
        let seat = Seat(seat);
        match self.game.pre_check(self.game.people().held(seat), &claim, self.now) {
            PreCheck::MayCount { .. } => {}
            PreCheck::Decided(Verdict::Accepted(_)) => return Ok(()),
            PreCheck::Decided(Verdict::AlreadyAnswered(_)) => panic!("a call has one value"),
            PreCheck::Decided(Verdict::Refused(code)) => return Err(code),
        }
        let counted = CountedClaim { seat, key, value: claim.value, at: self.now };
        self.apply(Command::Claims { round: claim.round, claims: vec![counted] }).unwrap();
        Ok(())
    }

    /// Closes the round, and settles it.
    pub fn settle(&mut self) -> Vec<Effect> {
        self.now = self.game.deadline().unwrap().max(self.now);
        self.apply(Command::Tick).unwrap();
        let round = self.round();
        self.apply(Command::Tally { round, silent: Vec::new() }).unwrap()
    }

    pub fn own(&self, seat: u32) -> Value {
        let ToPlayer::GameOwn(own) = self.game.own(Some(Seat(seat))) else { panic!("it is another game") };
        Value::Object(own.body.0)
    }

    /// The tickets of a seat, as rows.
    pub fn tickets(&self, seat: u32) -> Vec<Vec<Vec<u8>>> {
        serde_json::from_value(self.own(seat)["tickets"].clone()).unwrap()
    }

    /// What those who join are told.
    pub fn snapshot(&self) -> Value {
        let ToPlayer::GameSnapshot(snapshot) = self.game.view(self.now).message else { panic!("it is another game") };
        Value::Object(snapshot.body.0)
    }

    /// What the part tells them.
    pub fn view(&self) -> Value {
        self.snapshot()["now"].clone()
    }

    /// Fails if the same commands lead to another state.
    pub fn check_replay(&self) {
        let mut game = RundownRules.begin(Millis(1_800_000_000_000), RulesVersion(1), &self.begun).unwrap();
        for (at, command) in &self.commands {
            game.apply(*at, command).unwrap();
        }
        assert_eq!(game.state_hash(), self.game.state_hash());
    }
}

/// The bodies of the events in these effects.
pub fn bodies(effects: &[Effect]) -> impl Iterator<Item = Value> {
    effects.iter().filter_map(|effect| match effect {
        Effect::Tell(ToPlayer::GameEvent(event), _) => Some(Value::Object(event.body.0.clone())),
        _ => None,
    })
}

/// The event of this name.
pub fn event(effects: &[Effect], name: &str) -> Value {
    bodies(effects).find(|body| body["event"] == name).unwrap_or_else(|| panic!("there is no {name} in {effects:?}"))
}

/// What a seat is told by itself in these effects.
pub fn told(effects: &[Effect], seat: u32) -> Option<Value> {
    effects.iter().find_map(|effect| {
        let (Effect::Tell(_, Some(personal)) | Effect::TellSome(personal)) = effect else { return None };
        match &personal.shapes[personal.shape_of(Seat(seat))?] {
            ToPlayer::GameOwn(own) => Some(Value::Object(own.body.0.clone())),
            _ => None,
        }
    })
}
