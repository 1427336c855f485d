//! The rules (docs/rules/trivia.md) implemented a second time: from the journal's commands it computes the events that all
//! players must have been sent. It uses neither the outcomes in the journal nor the engine's code.

mod clock;
mod course;
mod entry;
mod host;
mod podium;
mod prizes;
mod seats;
mod views;

use std::collections::{BTreeMap, HashSet};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{
    Choice, PackQuestion, PlayerResult, Question, QuestionId, Reveal, Settings, TriviaShow,
};
use klaxon_protocol::ids::{CommandId, PlayerId, Seat, Seq};
use klaxon_protocol::journal::{Command, CountedAnswer, Record, RulesVersion};
use klaxon_protocol::player::{Phase, Podium, Role, Standings, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

pub use self::clock::Clock;
use self::podium::Ending;
pub use self::seats::Held;
use self::seats::{Change, RoundAnswers};

/// For each question, the order in which its choices were sent: the rules let the server shuffle them.
pub type Orders = BTreeMap<QuestionId, Vec<String>>;

/// Why the rules do not allow a command now, for people.
pub type Refused = String;

/// Why a show can't be checked by this implementation.
const ANOTHER_GAME: &str = "this is of another game than trivia";

/// A question that was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The question as it was sent.
    pub question: Question,
    pub right: Choice,
    pub clock: Clock,
    pub answers: RoundAnswers,
    pub counts: Vec<u32>,
    pub reveal: Option<Reveal>,
    /// When it was voided, if it was.
    pub voided: Option<Millis>,
    /// The pauses of its clock: when each began, and when the question opened again, if it did.
    pub pauses: Vec<(Millis, Option<Millis>)>,
}

/// Whether a seat was in play from a moment on; replies are judged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    pub at: Millis,
    pub alive: bool,
}

/// A show's state by the rules.
#[derive(Debug)]
pub struct Book {
    orders: Orders,
    edition: RulesVersion,
    pub settings: Settings,
    title: String,
    pack: Vec<PackQuestion>,
    pub phase: Phase,
    pub seq: Seq,
    paused: bool,
    autopilot: bool,
    /// When the script's next step is due, or how long until it while the show is paused.
    step: Option<Millis>,
    step_left: Option<Span>,
    done: HashSet<CommandId>,
    pub asked: Vec<Asked>,
    pub seats: Vec<Held>,
    /// Whether the host refuses new players.
    locked: bool,
    /// Players who can't get another seat: the host removed them.
    barred: HashSet<PlayerId>,
    /// The rank of each score, as of the last reveal or void.
    ranks: BTreeMap<u32, u32>,
    changes: Vec<Change>,
    pub ending: Option<Ending>,
    pub podium: Option<Podium>,
    /// What each seat is sent after each reveal.
    pub results: BTreeMap<QuestionId, Vec<PlayerResult>>,
    pub standings: BTreeMap<QuestionId, Standings>,
    /// When each seat came into play or was out.
    pub turns: Vec<Vec<Turn>>,
    /// When each seat was taken.
    pub joins: Vec<Millis>,
    /// The seat whose address the journal's last record of that kind contains, for a ban of it.
    named_by_address: Option<Seat>,
}

impl Book {
    /// The state before the first command, for questions whose choices were sent in these orders, or else in the pack's
    /// order.
    pub fn new(orders: Orders) -> Self {
        Self {
            orders,
            edition: RulesVersion::FIRST,
            settings: Settings::default(),
            title: String::new(),
            pack: Vec::new(),
            phase: Phase::Created,
            seq: Seq(0),
            paused: false,
            autopilot: false,
            step: None,
            step_left: None,
            done: HashSet::new(),
            asked: Vec::new(),
            seats: Vec::new(),
            locked: false,
            barred: HashSet::new(),
            ranks: BTreeMap::new(),
            changes: Vec::new(),
            ending: None,
            podium: None,
            results: BTreeMap::new(),
            standings: BTreeMap::new(),
            turns: Vec::new(),
            joins: Vec::new(),
            named_by_address: None,
        }
    }

    /// Applies the record's command at its time; returns the events that all players must receive, in order.
    ///
    /// # Errors
    /// Why the rules do not allow the command now.
    pub fn take(&mut self, record: &Record) -> Result<Vec<ToPlayer>, Refused> {
        let now = record.at;
        let told = match &record.command {
            Command::Create(_) | Command::Begin { .. } | Command::BeginGame { .. } => self.begin(&record.command),
            Command::Join { player, name, role: Role::Player } => self.join(now, player, name),
            Command::Reseat { seat, player, name } => self.reseat(*seat, player, name),
            Command::Join { role: Role::Spectator, .. } => Ok(Vec::new()),
            Command::Answers { question, answers } => {
                answers.iter().for_each(|answer| self.count(*question, answer));
                Ok(Vec::new())
            }
            Command::Host { id, action } => {
                if self.done.contains(id) {
                    return Ok(Vec::new());
                }
                let told = self.obey(now, action)?;
                self.done.insert(id.clone());
                Ok(told)
            }
            Command::Tick => Ok(self.tick(now)),
            Command::Tally { round, .. } => self.tally(now, *round),
            Command::Recovered { away } => Ok(self.recover(now, *away)),
            Command::Outage { round, .. } => self.outage(now, *round),
            // No effect on the show: the seat keeps its answers and winnings, whoever has the tokens.
            Command::Reissue { .. } => Ok(Vec::new()),
            Command::SeatOrigin { seat, .. } => {
                self.named_by_address = Some(*seat);
                Ok(Vec::new())
            }
            Command::Sit { seat, .. } | Command::SeatHasOrigin { seat, .. } => {
                Err(format!("seat {seat} is taken before those below it"))
            }
            Command::Claims { .. } => Err(ANOTHER_GAME.into()),
            Command::Sealed { .. } => Err("this is sealed: the journal must be saved by who has the key".into()),
        };
        self.note_turns(now);
        told
    }

    fn begin(&mut self, command: &Command) -> Result<Vec<ToPlayer>, Refused> {
        if !self.pack.is_empty() {
            return Err("the show has begun before".into());
        }
        let begun = command.begun().ok_or("it begins no show")?;
        let TriviaShow { id, pack, settings, .. } =
            begun.trivia().ok_or(ANOTHER_GAME)?.map_err(|refusal| refusal.to_string())?;
        self.edition = begun.rules;
        self.autopilot = settings.autopilot.on;
        self.settings = settings;
        self.title = pack.title;
        self.pack = pack.questions;
        self.done.insert(id);
        Ok(Vec::new())
    }

    /// Counts an answer if the rules allow it.
    fn count(&mut self, question: QuestionId, answer: &CountedAnswer) {
        let Ok(elapsed) = self.standing(question, answer) else { return };
        let Some(asked) = self.asked.last_mut() else { return };
        asked.answers.insert(answer.seat, (answer.choice, elapsed));
        asked.counts[answer.choice.index()] += 1;
    }

    /// How much of the question's time had passed when this answer was read, or why it does not count.
    fn standing(&self, question: QuestionId, answer: &CountedAnswer) -> Result<Span, ErrorCode> {
        let asked = self.asked.last().filter(|asked| asked.question.question == question);
        let asked = asked.ok_or(ErrorCode::TooLate)?;
        if asked.answers.contains_key(&answer.seat) {
            return Err(ErrorCode::AlreadyAnswered);
        }
        if asked.voided.is_some() {
            return Err(ErrorCode::Voided);
        }
        if !matches!(self.phase, Phase::Question | Phase::Closing) {
            return Err(ErrorCode::TooLate);
        }
        if !self.seats.get(answer.seat.index()).is_some_and(|held| held.alive) {
            return Err(ErrorCode::NotInPlay);
        }
        if answer.choice.index() >= asked.counts.len() {
            return Err(ErrorCode::BadChoice);
        }
        asked.clock.elapsed(answer.at)
    }

    /// The number of seats in play.
    pub fn alive(&self) -> u32 {
        count(self.seats.iter().filter(|held| held.alive).count())
    }

    fn total(&self) -> u16 {
        u16::try_from(self.pack.len()).unwrap_or(u16::MAX)
    }

    fn next_seq(&mut self) -> Seq {
        self.seq = self.seq.next();
        self.seq
    }

    /// Whether the seat was in play at some time from `from` to `until`, and whether it was out at some time.
    pub fn was(&self, seat: Seat, from: Millis, until: Millis) -> (bool, bool) {
        let turns = self.turns.get(seat.index()).map_or(&[][..], Vec::as_slice);
        let before = turns.iter().rev().find(|turn| turn.at <= from);
        let during = turns.iter().filter(|turn| turn.at > from && turn.at <= until);
        let (mut alive, mut out) = (false, false);
        for turn in before.into_iter().chain(during) {
            if turn.alive { alive = true } else { out = true }
        }
        (alive, out || turns.first().is_none_or(|first| first.at > from))
    }

    fn note_turns(&mut self, at: Millis) {
        self.turns.resize(self.seats.len(), Vec::new());
        for (turns, held) in self.turns.iter_mut().zip(&self.seats) {
            if turns.last().is_none_or(|last| last.alive != held.alive) {
                turns.push(Turn { at, alive: held.alive });
            }
        }
    }
}

/// A number as messages carry it.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
