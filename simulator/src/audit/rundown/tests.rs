use klaxon_protocol::claim::{ClaimText, ClaimValue};
use klaxon_protocol::games::quiz::{QuizEvent, number_to_bits};
use klaxon_protocol::games::rundown::game_name;
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{ClaimKey, CommandId, Fence, Name, PlayerId, RoundId, Seat, ShowCode, ShowId};
use klaxon_protocol::journal::{BegunGame, Command, CountedClaim, Record, RulesVersion};
use klaxon_protocol::player::{Body, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde_json::{Value, json};

use super::book::RundownBook;

/// A show that is played by the book alone. Questions open at once.
struct Played {
    book: RundownBook,
    now: u64,
    number: u64,
    /// The events of the last command.
    told: Vec<ToPlayer>,
}

impl Played {
    fn new(parts: &Value, lives: u8, players: u32) -> Self {
        let setup = Body::of(&json!({ "parts": parts, "lead": 0, "lives": lives }));
        let show = BegunGame {
            id: CommandId::parse("create").unwrap(),
            code: ShowCode::parse("ABCDEF").unwrap(),
            seed: 1,
            game: game_name(),
            title: "A quiz".into(),
            seats: 10,
            barrier: Span(100),
            setup,
        };
        let begin = Command::BeginGame { rules: RulesVersion::FIRST, show: Box::new(show) };
        let book = RundownBook::begun(&record(0, Millis(1_000), begin)).unwrap();
        let mut played = Self { book, now: 1_000, number: 1, told: Vec::new() };
        played.host(Action::OpenLobby);
        for seat in 0..players {
            let player = PlayerId::parse(&format!("p{seat}")).unwrap();
            let name = Name::parse(&format!("Player {seat}")).unwrap();
            played.take(Command::Join { player, name, role: Role::Player });
        }
        played
    }

    fn take(&mut self, command: Command) {
        let record = record(self.number, Millis(self.now), command);
        self.number += 1;
        self.told = self.book.take(&record).unwrap();
    }

    fn host(&mut self, action: Action) {
        let id = CommandId::parse(&self.number.to_string()).unwrap();
        self.take(Command::Host { id, action });
    }

    fn play(&mut self, body: &Value) {
        self.host(Action::Play { body: Body::of(body) });
    }

    fn round(&self) -> RoundId {
        self.book.round.as_ref().unwrap().id
    }

    /// Claims of these seats, each after so many milliseconds.
    fn claim(&mut self, claims: &[(u32, ClaimValue, u64)]) {
        let round = self.round();
        let claim = |(seat, value, after): &(u32, ClaimValue, u64)| CountedClaim {
            seat: Seat(*seat),
            key: ClaimKey(0),
            value: value.clone(),
            at: Millis(self.now + after),
        };
        let claims = claims.iter().map(claim).collect();
        self.take(Command::Claims { round, claims });
    }

    fn tally(&mut self) {
        self.now += 10_000;
        self.take(Command::Tick);
        let round = self.round();
        self.take(Command::Tally { round, silent: vec![] });
    }

    fn reveal(&mut self) {
        self.tally();
        self.host(Action::Reveal);
    }

    fn points(&self) -> Vec<i64> {
        self.book.ledger.all().map(|seat| self.book.ledger.line(seat).points).collect()
    }

    /// The lives of each seat in play.
    fn lives(&self) -> Vec<Option<u8>> {
        let ledger = &self.book.ledger;
        ledger.all().map(|seat| Some(ledger.line(seat).lives).filter(|_| ledger.plays(seat))).collect()
    }

    fn event(&self) -> QuizEvent {
        let Some(ToPlayer::GameEvent(event)) = self.told.first() else { panic!("{:?}", self.told) };
        event.body.read().unwrap()
    }
}

fn record(number: u64, at: Millis, command: Command) -> Record {
    Record { show: ShowId(1), number, fence: Fence(1), at, command, events: vec![], state: 0 }
}

const fn bits(bits: u64) -> ClaimValue {
    ClaimValue::Bits(bits)
}

fn text(text: &str) -> ClaimValue {
    ClaimValue::Text(ClaimText::parse(text).unwrap())
}

#[test]
fn the_example_of_the_quiz_s_rule_book() {
    let mut show = Played::new(
        &json!([{ "part": "quiz", "mode": "points", "penalty": 200, "shuffle": false, "questions": [
            { "text": "Which planet is the largest?", "kind": "choice", "choices": ["Jupiter", "Mars"], "right": 0 },
            { "text": "When?", "kind": "number", "right": 1889, "score": { "by": "nearest", "places": [500, 300] } },
            { "text": "How much do you stake?", "kind": "wager" },
            { "text": "Which river?", "kind": "text", "spellings": ["Nile", "the Nile"], "typos": 1 },
        ] }]),
        0,
        3,
    );
    show.host(Action::Next);
    assert!(show.told.is_empty(), "a quiz begins with its first question");
    show.host(Action::Next);
    show.claim(&[(0, bits(0), 5_000), (1, bits(1), 10)]);
    show.reveal();
    assert_eq!(show.points(), [750, 0, 0]);
    show.host(Action::Next);
    show.claim(&[(0, bits(number_to_bits(1900)), 10), (2, bits(number_to_bits(1890)), 20)]);
    show.reveal();
    assert_eq!(show.points(), [1050, 0, 500]);
    show.host(Action::Void { reason: "A mistake.".into() });
    assert_eq!(show.points(), [750, 0, 0]);
    show.host(Action::Next);
    assert!(show.book.problems.is_empty());
    show.claim(&[(0, bits(700), 10), (1, bits(1), 20)]);
    assert_eq!(show.book.problems.len(), 1, "Ben has nothing to stake");
    show.tally();
    show.host(Action::Next);
    show.claim(&[(0, text(" the NIEL"), 10), (1, text("nil"), 20)]);
    show.reveal();
    assert_eq!(show.points(), [1450, 0, 0]);
    let QuizEvent::Reveal(reveal) = show.event() else { panic!("{:?}", show.told) };
    assert_eq!((reveal.right_answers, reveal.answered, reveal.leaders.len()), (2, 2, 3));
    show.host(Action::End { pay: true });
    let podium = show.book.podium.unwrap();
    let places: Vec<_> = podium.places.iter().map(|place| (place.place, place.seat.0, place.score)).collect();
    assert_eq!((places, podium.winners), (vec![(1, 0, 1450), (2, 1, 0), (2, 2, 0)], 1));
}

#[test]
fn lives_are_lost_given_back_and_owed_by_who_was_removed() {
    let question = json!({ "text": "Heads?", "kind": "choice", "choices": ["Heads", "Tails"], "right": 0 });
    let quiz = json!({ "part": "quiz", "mode": "elimination", "shuffle": false, "questions": [question, question] });
    let mut again = quiz.clone();
    again["keep"] = json!({ "lives": false, "out": false });
    let mut show = Played::new(&json!([quiz, again]), 1, 4);
    show.host(Action::Next);
    show.host(Action::Next);
    show.host(Action::Remove { seat: Seat(3), ban: false });
    show.claim(&[(0, bits(0), 10), (1, bits(1), 10)]);
    show.reveal();
    assert_eq!(show.lives(), [Some(1), Some(0), Some(0), None]);
    show.host(Action::Void { reason: "A mistake.".into() });
    assert_eq!(show.lives(), [Some(1), Some(1), Some(1), None]);
    show.host(Action::Next);
    show.host(Action::GiveLives { seat: Some(Seat(1)), lives: 1 });
    show.claim(&[(0, bits(0), 10), (1, bits(1), 10)]);
    show.reveal();
    assert_eq!(show.lives(), [Some(1), Some(1), Some(0), None]);
    // The void question costs who was removed nothing, the other one a life.
    show.host(Action::Restore { seat: Seat(3) });
    assert_eq!(show.lives(), [Some(1), Some(1), Some(0), Some(0)]);
    show.host(Action::Next);
    assert_eq!(show.lives(), [Some(1); 4], "the second quiz begins with all lives");
    show.play(&json!({ "points": { "seat": 2, "by": -50 } }));
    assert_eq!(show.points(), [0, 0, -50, 0]);
    show.play(&json!({ "skip": true }));
    show.host(Action::End { pay: true });
    assert_eq!(show.book.podium.unwrap().winners, 0, "nobody is out, and nobody has points");
}

#[test]
fn the_floor_goes_by_the_stamps_and_the_buzzers_are_opened_again() {
    let buzzer =
        json!({ "text": "Who?", "kind": "buzzer", "wrong": "reopen", "window": 1_000, "penalty": 30, "points": 70 });
    let mut show = Played::new(&json!([{ "part": "quiz", "below_zero": true, "questions": [buzzer] }]), 0, 3);
    show.host(Action::Next);
    show.host(Action::Next);
    show.claim(&[(2, bits(0), 300), (0, bits(0), 200), (1, bits(0), 200)]);
    show.tally();
    let QuizEvent::Floor(floor) = show.event() else { panic!("{:?}", show.told) };
    assert_eq!((floor.seat, floor.order), (Some(Seat(0)), vec![Seat(0), Seat(1), Seat(2)]));
    show.play(&json!({ "judge": "wrong" }));
    assert!(matches!(show.event(), QuizEvent::Question(_)));
    show.claim(&[(0, bits(0), 100), (2, bits(0), 150)]);
    assert_eq!(show.book.problems.len(), 1, "who was wrong can't buzz again");
    show.tally();
    show.play(&json!({ "judge": "right" }));
    assert_eq!(show.points(), [-30, 0, 70]);
}
