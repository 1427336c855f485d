//! A show in a few words, for the tests: time passes only when they say so.

use std::sync::Arc;

use klaxon_protocol::apart::{Apart, Person, PersonOrigin};
use klaxon_protocol::claim::{Claim, Verdict};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::games::trivia::{Choice, Pack, PlayerResult, QuestionId, Settings, TriviaShow, You};
use klaxon_protocol::host::{Action, AlertKind};
use klaxon_protocol::ids::{ClaimKey, CommandId, Name, PlayerId, Seat, SeatRef, ShowCode};
use klaxon_protocol::journal::{Command, CountedAnswer, RulesVersion};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::{Phase, Podium, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::super::Trivia;
use crate::game::{Effect, Entry, Game, PreCheck};

/// The right choice of every question in these shows, as the choices are not mixed.
pub const RIGHT: u8 = 1;
/// Any other.
pub const WRONG: u8 = 0;

pub struct Play {
    pub game: Trivia,
    pub now: Millis,
    pub told: Vec<ToPlayer>,
    pub alerts: Vec<AlertKind>,
    pub dismissed: Vec<(SeatRef, ErrorCode)>,
    personal: Option<Arc<Personal>>,
    commands: u32,
}

pub fn pack(questions: usize) -> Pack {
    klaxon_fixtures::pack(questions, ["no", "yes", "perhaps"])
}

/// Ten seconds a question, open at once.
pub fn settings() -> Settings {
    klaxon_fixtures::settings(Span(10_000))
}

impl Play {
    /// A show of so many questions, with so many players in its lobby.
    pub fn new(settings: Settings, questions: usize, players: u32) -> Self {
        Self::by(RulesVersion::NEWEST, settings, questions, players)
    }

    /// The same by this edition of the rules.
    pub fn by(rules: RulesVersion, settings: Settings, questions: usize, players: u32) -> Self {
        let create = TriviaShow {
            id: CommandId::parse("create").unwrap(),
            code: ShowCode::parse("TEST").unwrap(),
            seed: 7,
            pack: pack(questions),
            settings,
        };
        let now = Millis(1_000_000);
        let game = Trivia::create(now, rules, create).unwrap();
        let mut play = Self { game, now, told: vec![], alerts: vec![], dismissed: vec![], personal: None, commands: 0 };
        play.host(Action::OpenLobby);
        (0..players).for_each(|player| assert_eq!(play.join(player), Ok(Entry::New)));
        play
    }

    pub fn apply(&mut self, command: &Command) -> Result<(), Refusal> {
        let command = as_shows_say(&self.game, command);
        for effect in self.game.apply(self.now, &command)? {
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
        Ok(())
    }

    pub fn join(&mut self, player: u32) -> Result<Entry, ErrorCode> {
        let id = PlayerId::parse(&format!("player {player}")).unwrap();
        let entry = self.game.entry(&id, Role::Player)?;
        let name = Name::parse(&format!("P{player}")).unwrap();
        if entry == Entry::New {
            self.apply(&Command::Join { player: id, name, role: Role::Player }).unwrap();
        }
        Ok(entry)
    }

    pub fn try_host(&mut self, action: Action) -> Result<(), ErrorCode> {
        self.commands += 1;
        let id = CommandId::parse(&format!("command {}", self.commands)).unwrap();
        self.apply(&Command::Host { id, action }).map_err(|refusal| refusal.code)
    }

    pub fn host(&mut self, action: Action) {
        self.try_host(action).unwrap();
    }

    /// What differs when access or bans were changed otherwise.
    pub fn digest(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.game.people.digest(&mut bytes);
        bytes
    }

    /// Lets time pass, and does what falls due on the way.
    pub fn wait(&mut self, span: u32) {
        let until = self.now + Span(span);
        while let Some(due) = self.game.deadline().filter(|&due| due <= until) {
            self.now = self.now.max(due);
            let before = (self.game.phase(), self.game.deadline());
            self.apply(&Command::Tick).unwrap();
            assert_ne!((self.game.phase(), self.game.deadline()), before, "what was due is done");
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
        if let Some(question) = self.game.closing() {
            self.apply(&Command::Tally { round: question, silent: vec![] }).unwrap();
        }
    }

    pub fn question(&self) -> QuestionId {
        self.game.figures(self.now).question.unwrap()
    }

    /// A player answers the last question now.
    pub fn answer(&mut self, seat: u32, choice: u8) -> Verdict {
        let question = self.question();
        self.answer_to(question, seat, choice)
    }

    pub fn answer_to(&mut self, question: QuestionId, seat: u32, choice: u8) -> Verdict {
        self.answer_read(self.now, question, seat, choice)
    }

    /// An answer that was read at this time reaches the show now.
    pub fn answer_read(&mut self, at: Millis, question: QuestionId, seat: u32, choice: u8) -> Verdict {
        let (seat, choice) = (Seat(seat), Choice(choice));
        let by = self.game.people.held(seat);
        let claim = Claim { round: question, key: ClaimKey(0), value: choice.into() };
        match self.game.pre_check(by, &claim, at) {
            PreCheck::Decided(verdict) => verdict,
            PreCheck::MayCount { .. } => {
                let answers = vec![CountedAnswer { seat, choice, at }];
                self.apply(&Command::Answers { question, answers }).unwrap();
                Verdict::Accepted(choice.into())
            }
        }
    }

    /// A whole question: each seat's choice, all at once; those left out are silent.
    pub fn round(&mut self, answers: &[(u32, u8)]) {
        self.ask();
        for &(seat, choice) in answers {
            assert_eq!(self.answer(seat, choice), Verdict::Accepted(Choice(choice).into()));
        }
        self.close_and_reveal();
    }

    pub fn ask(&mut self) {
        self.host(Action::Next);
        self.wait(0);
    }

    pub fn close_and_reveal(&mut self) {
        if self.game.phase() == Phase::Question {
            self.host(Action::Close);
            self.tally();
        }
        self.host(Action::Reveal);
    }

    /// Whether the last messages that were some seats' own were also this one's.
    pub fn was_told(&self, seat: u32) -> bool {
        self.personal.as_ref().is_some_and(|personal| personal.shape_of(Seat(seat)).is_some())
    }

    /// The last message that was this seat's own.
    pub fn own(&self, seat: u32) -> &ToPlayer {
        let personal = self.personal.as_ref().expect("everybody was told something of their own");
        &personal.shapes[personal.shape_of(Seat(seat)).expect("this seat too")]
    }

    pub fn result(&self, seat: u32) -> PlayerResult {
        match self.own(seat) {
            ToPlayer::Result(result) => *result,
            other => panic!("{other:?}"),
        }
    }

    pub fn told_you(&self, seat: u32) -> You {
        match self.own(seat) {
            ToPlayer::You(you) => *you,
            other => panic!("{other:?}"),
        }
    }

    pub fn alive(&self) -> Vec<u32> {
        self.game.seats.alive.iter().map(|seat| seat.0).collect()
    }

    pub fn score(&self, seat: u32) -> u32 {
        self.game.you(Some(Seat(seat))).score
    }

    pub fn end(&mut self) -> Podium {
        self.host(Action::End { pay: true });
        self.podium()
    }

    pub fn podium(&self) -> Podium {
        self.game.snapshot(self.now).podium.expect("the show is over")
    }

    /// What each seat won.
    pub fn prizes(&self) -> Vec<u64> {
        (0..self.game.people.roster.seated())
            .map(|seat| self.game.you(Some(Seat(seat))).prize.expect("the show is over"))
            .collect()
    }
}

/// A command that names a player as shows say it whose journals name nobody.
pub fn as_shows_say(game: &Trivia, command: &Command) -> Command {
    let people = &game.people;
    let sit = |seat, player: &PlayerId, name: &Name| Command::Sit {
        seat,
        guest: player.is_guest(),
        who: Apart::known(Person { player: player.clone(), name: name.clone() }),
    };
    match command {
        _ if !people.are_apart() => command.clone(),
        Command::Join { player, name, role: Role::Player } => sit(Seat(people.roster.seated()), player, name),
        // The next seat would be a join.
        Command::Reseat { seat, player, name } if people.has_seat(*seat) => sit(*seat, player, name),
        Command::Reseat { player, name, .. } => sit(Seat(u32::MAX), player, name),
        Command::SeatOrigin { seat, origin } => {
            let of = |player: &PlayerId| PersonOrigin { player: player.clone(), origin: *origin };
            let from = people.roster.player(*seat).map(of).map_or_else(Apart::unknown, Apart::known);
            Command::SeatHasOrigin { seat: *seat, from }
        }
        other => other.clone(),
    }
}
