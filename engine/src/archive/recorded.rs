//! Journals of shows as the real rules make them, for the tests.

use klaxon_fixtures::{pack, trivia_show};
use klaxon_protocol::apart::{Apart, Person};
use klaxon_protocol::games::trivia::{Choice, Mode, Pack, PrizeRule, Settings, TriviaShow};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{CommandId, Fence, Name, PlayerId, Seat, ShowId};
use klaxon_protocol::journal::{Command, CountedAnswer, Record, RulesVersion};
use klaxon_protocol::player::{Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::ShowResults;
use super::sql::ArchivedAnswer;
use crate::game::{Game, Games};
use crate::replay::recorded_events;

/// A show and its journal so far.
pub struct Recorded {
    show: ShowId,
    game: Box<dyn Game>,
    now: Millis,
    fence: Fence,
    pub records: Vec<Record>,
}

impl Recorded {
    fn create(show: u64, questions: usize, rules: RulesVersion) -> Self {
        let pack = Pack { title: format!("Show {show}"), ..pack(questions, ["no", "yes", "perhaps"]) };
        let settings = Settings {
            mode: Mode::Both,
            lives: 1,
            lead: Span(0),
            open_for: Span(10_000),
            pot: 100_003 + show % 1_000,
            prize: PrizeRule::Podium { weights: vec![50, 30, 20] },
            ..Settings::default()
        };
        let create = TriviaShow { seed: show, ..trivia_show(pack, settings) };
        let (now, fence) = (Millis(1_000_000 + show % 1_000), Fence(1));
        let begin = Command::begin_by(rules, create);
        let game = Games::default().begin(now, begin.begun().unwrap()).unwrap();
        let mut recorded = Self { show: ShowId(show), game, now, fence, records: Vec::new() };
        recorded.record(begin, Vec::new());
        recorded
    }

    fn record(&mut self, command: Command, events: Vec<klaxon_protocol::player::ToPlayer>) {
        let number = self.records.len() as u64;
        let (show, fence, at, state) = (self.show, self.fence, self.now, self.game.state_hash());
        self.records.push(Record { show, number, fence, at, command, events, state });
    }

    fn apply(&mut self, command: Command) {
        self.now = self.now + Span(7);
        let effects = self.game.apply(self.now, &command).unwrap();
        let events = recorded_events(&*self.game, &effects);
        self.record(command, events);
    }

    fn host(&mut self, action: Action) {
        let id = command(&format!("command {}", self.records.len()));
        self.apply(Command::Host { id, action });
    }

    /// A question with two batches of answers, up to its reveal. In the middle another engine takes over.
    fn question(&mut self, players: u32) {
        self.host(Action::Next);
        let question = self.game.figures(self.now).question.unwrap();
        for half in 0..2 {
            self.now = self.now + Span(1_000);
            let at = self.now;
            let answers = (0..players).filter(|seat| seat % 2 == half).map(|seat| CountedAnswer {
                seat: Seat(seat),
                choice: Choice(u8::from((seat + u32::from(question.0)) % 5 > 0)),
                at,
            });
            let answers =
                answers.filter(|answer| matches!(self.game.own(Some(answer.seat)), ToPlayer::You(you) if you.alive));
            let answers = answers.collect();
            self.apply(Command::Answers { question, answers });
            if half == 0 {
                self.fence = Fence(self.fence.0 + 1);
                self.apply(Command::Recovered { away: Span(500) });
            }
        }
        self.host(Action::Close);
        if let Some(question) = self.game.closing() {
            self.apply(Command::Tally { round: question, silent: Vec::new() });
        }
        self.host(Action::Reveal);
    }

    /// Ends the show, and returns its records and results.
    fn end(mut self) -> (Vec<Record>, ShowResults) {
        self.host(Action::End { pay: true });
        let results = self.game.results(self.show).unwrap();
        (self.records, results)
    }
}

fn command(id: &str) -> CommandId {
    CommandId::parse(id).unwrap()
}

/// A show that is not over, by an edition of the rules whose journals name players.
pub fn open_show(show: u64, questions: usize, players: u32) -> Recorded {
    played(show, questions, players, RulesVersion::WITH_NAMES)
}

fn played(show: u64, questions: usize, players: u32, rules: RulesVersion) -> Recorded {
    let mut recorded = Recorded::create(show, questions, rules);
    recorded.host(Action::OpenLobby);
    for seat in (0..players).map(Seat) {
        let (player, name) = (format!("player {seat}"), format!("P{seat}"));
        let (player, name) = (PlayerId::parse(&player).unwrap(), Name::parse(&name).unwrap());
        recorded.apply(if rules == RulesVersion::WITH_NAMES {
            Command::Join { player, name, role: Role::Player }
        } else {
            Command::Sit { seat, guest: false, who: Apart::known(Person { player, name }) }
        });
    }
    for question in 1..=questions {
        recorded.question(players);
        if question == 2 {
            recorded.host(Action::Void { reason: "A typo.".into() });
        }
    }
    recorded
}

/// A whole show's journal, and how it ended.
pub fn whole_show(show: u64, questions: usize, players: u32) -> (Vec<Record>, ShowResults) {
    open_show(show, questions, players).end()
}

/// As [`whole_show`], by the newest rules: who is who stands apart.
#[cfg(feature = "cluster")]
pub fn whole_show_apart(show: u64, questions: usize, players: u32) -> (Vec<Record>, ShowResults) {
    played(show, questions, players, RulesVersion::NEWEST).end()
}

/// The answers in a journal, by question and seat.
pub fn answers_in(records: &[Record]) -> Vec<ArchivedAnswer> {
    let mut found = Vec::new();
    for record in records {
        if let Command::Answers { question, answers } = &record.command {
            found.extend(answers.iter().map(|answer| ArchivedAnswer {
                show: record.show,
                question: *question,
                seat: answer.seat,
                choice: answer.choice,
                read_at: answer.at,
            }));
        }
    }
    found.sort_unstable();
    found
}
