//! A short scripted show: the messages of its players, and its journal, as a server that keeps every promise would have
//! left them.
//!
//! The rules are minimal: the right choice is [`RIGHT`], players with a wrong or no answer are out, the survivors share
//! the pot.

mod coming;
mod host;
mod script;

use std::cmp::Reverse;

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{
    Answer, AnswerReply, Choice, Close, Outcome, Pack, PackQuestion, PlayerResult, Question, QuestionId, Reveal,
    Settings, Snapshot,
};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Fence, Name, Seat, Seq, ShowId};
use klaxon_protocol::journal::{Command, CountedAnswer, Record};
use klaxon_protocol::player::{FromPlayer, Mark, Phase, Place, Podium, Prize, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use klaxon_simulator::evidence::Micros;

pub use script::{Line, Script};

/// The right choice of every question.
pub const RIGHT: Choice = Choice(1);
/// A wrong choice of every question.
pub const WRONG: Choice = Choice(2);
const CHOICES: usize = 3;
const QUESTIONS: u16 = 3;
/// How long a question is open, in milliseconds.
pub const OPEN_FOR: u64 = 5000;

#[derive(Debug, Clone)]
struct Person {
    player: u32,
    alive: bool,
    removed: bool,
    lives: u8,
    answered: Option<Choice>,
    /// The time of the present answer, and the total of all earlier right answers, in milliseconds.
    took: u64,
    time: u64,
    out_at: u16,
}

/// The state of the scripted show.
#[derive(Debug, Clone)]
pub struct Show {
    pub records: Vec<Record>,
    pub connections: Vec<Script>,
    pub resident: Vec<(Micros, u64)>,
    /// Milliseconds since 1970.
    pub now: u64,
    settings: Settings,
    seq: u64,
    /// How much of the question's time had passed when its clock was last stopped, in milliseconds.
    passed: u64,
    people: Vec<Person>,
    snapshot: Snapshot,
}

impl Show {
    /// A show with an open lobby and without players.
    pub fn new(settings: Settings) -> Self {
        let snapshot = Snapshot {
            at: Millis(0),
            phase: Phase::Created,
            mode: settings.mode,
            total: QUESTIONS,
            joined: 0,
            alive: 0,
            pot: settings.pot,
            currency: settings.currency.clone(),
            ..klaxon_fixtures::lobby(Seq(0))
        };
        let mut show = Self {
            records: Vec::new(),
            connections: Vec::new(),
            resident: Vec::new(),
            now: 1_800_000_000_000,
            settings: settings.clone(),
            seq: 0,
            passed: 0,
            people: Vec::new(),
            snapshot,
        };
        show.measure(30 << 20);
        let question = |number| PackQuestion {
            open_for: Some(Span(u32::try_from(OPEN_FOR).unwrap())),
            ..PackQuestion::new(format!("Question {number}?"), ["a", "b", "c"], RIGHT)
        };
        let pack = Pack { title: "A show".into(), questions: (1..=QUESTIONS).map(question).collect() };
        show.record(Command::begin(klaxon_fixtures::trivia_show(pack, settings)), vec![]);
        let opened = ToPlayer::Opened(show.mark());
        show.snapshot.phase = Phase::Lobby;
        show.host(Action::OpenLobby, opened);
        show
    }

    /// A whole show of three questions, with a repeated right answer, another choice after one that counted, a late
    /// answer, a player who loses the connection during a question, one with two devices, a spectator, and both codecs.
    pub fn played() -> Self {
        let mut show = Self::new(Settings { pot: 1001, ..Settings::default() });
        for _ in 0..6 {
            show.join();
        }
        let spectator = show.watch();
        show.ask();
        for seat in 0..4 {
            show.answer(seat, RIGHT);
        }
        show.answer(0, RIGHT);
        show.answer(1, WRONG);
        show.answer(5, WRONG);
        show.close();
        show.refused(4, RIGHT, ErrorCode::TooLate);
        show.reveal();
        show.ask();
        show.answer(0, RIGHT);
        show.answer(1, RIGHT);
        show.hang_up(1);
        show.come_back(1);
        show.come_back(2);
        show.answer(2, RIGHT);
        show.answer(3, WRONG);
        show.refused(5, RIGHT, ErrorCode::NotInPlay);
        show.close();
        show.reveal();
        show.ask();
        for seat in 0..3 {
            show.answer(seat, RIGHT);
        }
        show.close();
        show.reveal();
        show.end();
        show.hang_up_connection(spectator);
        show
    }

    /// Advances the time, in milliseconds.
    pub fn wait(&mut self, span: u64) {
        self.now += span;
    }

    /// Adds a sample of the server's resident memory.
    pub fn measure(&mut self, bytes: u64) {
        self.resident.push((Micros(self.now * 1000), bytes));
    }

    /// Sends and opens the next question.
    pub fn ask(&mut self) {
        let number = self.snapshot.question.as_ref().map_or(1, |question| question.question.0 + 1);
        let Mark { seq, at } = self.mark();
        let question = Question {
            seq,
            at,
            question: QuestionId(number),
            total: QUESTIONS,
            text: format!("Question {number}?"),
            choices: vec!["a".into(), "b".into(), "c".into()],
            category: None,
            opens_at: Millis(self.now + 500),
            closes_at: Millis(self.now + 500 + OPEN_FOR),
        };
        self.passed = 0;
        for person in &mut self.people {
            person.answered = None;
        }
        self.snapshot.phase = Phase::Question;
        self.snapshot.question = Some(question.clone());
        self.snapshot.reveal = None;
        self.snapshot.voided = false;
        self.host(Action::Next, ToPlayer::Question(question));
        self.wait(600);
    }

    /// The number of the last question.
    pub fn question(&self) -> QuestionId {
        self.snapshot.question.as_ref().unwrap().question
    }

    /// Adds a seat's answer, and its reply.
    pub fn answer(&mut self, seat: usize, choice: Choice) {
        let verdict = match self.people[seat].answered {
            None => {
                self.people[seat].answered = Some(choice);
                let opens_at = self.snapshot.question.as_ref().unwrap().opens_at.0;
                self.people[seat].took = self.passed + self.now + 1 - opens_at;
                let counted =
                    CountedAnswer { seat: Seat(u32::try_from(seat).unwrap()), choice, at: Millis(self.now + 1) };
                let question = self.question();
                let index = self.connection_of(seat);
                self.send(index, FromPlayer::Answer(Answer { question, choice }));
                self.wait(1);
                self.record(Command::Answers { question, answers: vec![counted] }, vec![]);
                let reply = AnswerReply::new(question, &Verdict::Accepted(choice.into()));
                self.wait(1);
                self.receive(index, ToPlayer::AnswerReply(reply));
                return;
            }
            Some(counted) if counted == choice => Verdict::Accepted(choice.into()),
            Some(counted) => Verdict::AlreadyAnswered(counted.into()),
        };
        self.reply_to(seat, choice, verdict);
    }

    /// Adds a seat's answer, and its refusal.
    pub fn refused(&mut self, seat: usize, choice: Choice, code: ErrorCode) {
        self.reply_to(seat, choice, Verdict::Refused(code));
    }

    fn reply_to(&mut self, seat: usize, choice: Choice, verdict: Verdict) {
        let index = self.connection_of(seat);
        let question = self.question();
        self.send(index, FromPlayer::Answer(Answer { question, choice }));
        self.wait(2);
        self.receive(index, ToPlayer::AnswerReply(AnswerReply::new(question, &verdict)));
    }

    /// Closes the question.
    pub fn close(&mut self) {
        let closes_at = self.snapshot.question.as_ref().unwrap().closes_at;
        self.now = self.now.max(closes_at.0 + 3);
        let Mark { seq, at } = self.mark();
        let question = self.question();
        self.snapshot.phase = Phase::Closed;
        self.event(Command::Tick, ToPlayer::Close(Close { seq, at, question }));
        self.wait(100);
        self.record(Command::Tally { round: question, silent: vec![] }, vec![]);
    }

    /// Reveals the right choice, and sends each player the result.
    pub fn reveal(&mut self) {
        self.wait(500);
        let question = self.question();
        let mut counts = vec![0; CHOICES];
        let mut silent = 0;
        let mut results = Vec::new();
        for person in &mut self.people {
            if let Some(choice) = person.answered {
                counts[choice.index()] += 1;
            }
            let outcome = match person.answered {
                _ if !person.alive => Outcome::Watched,
                Some(RIGHT) => Outcome::Right,
                Some(_) => Outcome::Wrong,
                None => Outcome::Silent,
            };
            silent += u32::from(outcome == Outcome::Silent);
            if outcome == Outcome::Right {
                person.time += person.took;
            } else if person.alive && person.lives > 0 {
                person.lives -= 1;
            } else if person.alive {
                (person.alive, person.out_at) = (false, question.0);
            }
            results.push(PlayerResult {
                question,
                outcome,
                alive: person.alive,
                lives: person.lives,
                gained: 0,
                score: 0,
                rank: 0,
            });
        }
        let Mark { seq, at } = self.mark();
        let alive = u32::try_from(self.people.iter().filter(|person| person.alive).count()).unwrap();
        let reveal = Reveal { seq, at, question, right: RIGHT, counts, silent, alive };
        self.snapshot.phase = Phase::Revealed;
        self.snapshot.alive = alive;
        self.snapshot.reveal = Some(reveal.clone());
        self.host(Action::Reveal, ToPlayer::Reveal(reveal));
        self.each_seat(|seat| Some(ToPlayer::Result(results[seat])));
        self.wait(1000);
    }

    /// Sends the podium, the prizes and the end.
    pub fn end(&mut self) {
        let merit = |person: &Person| {
            let out_at = if person.alive { u16::MAX } else { person.out_at };
            (Reverse(out_at), person.time)
        };
        let there = self.people.iter().zip(0u32..).filter(|(person, _)| !person.removed);
        let mut ranked: Vec<_> = there.map(|(person, seat)| (merit(person), seat)).collect();
        ranked.sort_unstable();
        let winners = self.people.iter().filter(|person| person.alive).count();
        let share = |index: usize| {
            let among = winners as u64;
            self.settings.pot / among + u64::from((index as u64) < self.settings.pot % among)
        };
        let place = |(index, (merit, seat)): (usize, &(_, u32))| Place {
            place: u32::try_from(ranked.iter().position(|(other, _)| other == merit).unwrap() + 1).unwrap(),
            seat: Seat(*seat),
            name: Name::parse(&format!("Player {}", self.people[*seat as usize].player)).unwrap(),
            score: 0,
            prize: if index < winners { share(index) } else { 0 },
        };
        let places: Vec<Place> = ranked.iter().enumerate().map(place).collect();
        let paid = places.iter().map(|place| place.prize).sum();
        let Mark { seq, at } = self.mark();
        let podium = Podium {
            seq,
            at,
            winners: u32::try_from(winners).unwrap(),
            places: places.clone(),
            pot: self.settings.pot,
            paid,
            rolled_over: self.settings.pot - paid,
            currency: self.settings.currency.clone(),
        };
        self.snapshot.phase = Phase::Ended;
        self.snapshot.podium = Some(podium.clone());
        self.host(Action::End { pay: true }, ToPlayer::Podium(podium));
        let currency = self.settings.currency.clone();
        self.each_seat(|seat| {
            let place = places.iter().find(|place| place.seat.index() == seat && place.prize > 0)?;
            Some(ToPlayer::Prize(Prize { amount: place.prize, currency: currency.clone() }))
        });
        self.seq += 1;
        let end = ToPlayer::End(Mark { seq: Seq(self.seq), at });
        self.records.last_mut().unwrap().events.push(end.clone());
        self.wait(1);
        self.tell(&end);
        // The connections stay open long enough that messages missing by now count as missing.
        self.wait(10_000);
        let late = ToPlayer::Lobby(klaxon_protocol::player::Lobby { joined: self.snapshot.joined });
        for index in 0..self.connections.len() {
            if self.connections[index].listening {
                self.receive(index, late.clone());
            }
        }
        self.measure(31 << 20);
    }

    fn mark(&self) -> Mark {
        Mark { seq: Seq(self.seq + 1), at: Millis(self.now) }
    }

    fn host(&mut self, action: Action, event: ToPlayer) {
        let id = CommandId::parse(&format!("h{}", self.records.len())).unwrap();
        self.event(Command::Host { id, action }, event);
    }

    fn event(&mut self, command: Command, event: ToPlayer) {
        self.seq += 1;
        self.record(command, vec![event.clone()]);
        self.wait(1);
        self.tell(&event);
    }

    fn tell(&mut self, event: &ToPlayer) {
        for index in 0..self.connections.len() {
            if self.connections[index].listening {
                self.receive(index, event.clone());
            }
        }
    }

    fn each_seat(&mut self, message: impl Fn(usize) -> Option<ToPlayer>) {
        for index in 0..self.connections.len() {
            if let (Some(seat), true) = (self.connections[index].seat, self.connections[index].listening)
                && let Some(message) = message(seat.index())
            {
                self.receive(index, message);
            }
        }
    }

    /// Adds a record to the journal.
    pub fn record(&mut self, command: Command, events: Vec<ToPlayer>) {
        let number = self.records.len() as u64;
        let at = Millis(self.now);
        self.records.push(Record { show: ShowId(7), number, fence: Fence(1), at, command, events, state: number });
    }
}
