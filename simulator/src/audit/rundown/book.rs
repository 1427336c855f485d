//! A rundown's journal played again by its rules: which events each command must lead to, and how things stand after it.

use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::games::rundown::{PartKind, Setup};
use klaxon_protocol::ids::{CommandId, Name, PlayerId, RoundId, Seat, Seq};
use klaxon_protocol::journal::{BegunShow, Command, Record};
use klaxon_protocol::player::{Body, GameEvent, Phase, Podium, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde::Serialize;
use serde_json::Value;

use super::super::bingo::BingoBook;
use super::super::named::NamedRecords;
use super::super::quiz::{QuestionBook, QuizBook};
use super::clock::ClockBook;
use super::ledger::SeatLedger;

/// A show of a rundown, by the rules.
#[derive(Debug)]
pub(in crate::audit) struct RundownBook {
    pub setup: Setup,
    pub(super) title: String,
    pub bingo: Option<BingoBook>,
    pub(super) quizzes: BTreeMap<u8, QuizBook>,
    pub ledger: SeatLedger,
    pub(super) people: Vec<(PlayerId, Name)>,
    pub(super) phase: Phase,
    pub seq: Seq,
    /// The part that began last.
    pub(super) part: Option<u8>,
    /// Whether it is over.
    pub(super) finished: bool,
    /// When it began.
    pub(super) part_began_at: Millis,
    pub(super) round: Option<RoundBook>,
    /// What replies to claims are judged by, for each round of a quiz.
    pub rounds: BTreeMap<RoundId, QuizRound>,
    /// Who was out in each round of bingo.
    pub(super) outs: BTreeMap<RoundId, BTreeSet<Seat>>,
    pub(super) paused: bool,
    pub(super) autopilot: bool,
    /// When the script takes its next step, and how long until it while the show is paused.
    pub(super) step: Option<Millis>,
    pub(super) step_left: Option<Span>,
    /// Before this no part can close a round early.
    pub(super) not_before: Millis,
    /// For each seat whose player is removed: the first round that the player missed.
    pub(super) removals: BTreeMap<Seat, RoundId>,
    /// All seats that were ever removed.
    pub(super) removals_ever: BTreeSet<Seat>,
    pub(super) done: BTreeSet<CommandId>,
    pub podium: Option<Podium>,
    /// What seats are told by the last record, beside what all are told.
    pub(super) personal: Personal,
    /// What counts and must not, or the other way round.
    pub problems: Vec<(RoundId, String)>,
}

/// The last round.
#[derive(Debug, Clone)]
pub(super) struct RoundBook {
    pub id: RoundId,
    pub part: u8,
    pub clock: ClockBook,
    pub voided: bool,
}

/// A round of a quiz, as it was for those who claimed in it.
#[derive(Debug)]
pub(in crate::audit) struct QuizRound {
    pub part: u8,
    pub question: QuestionBook,
    pub begun_at: Millis,
    /// The seats' points when it began, if they are staked in it.
    pub points: Vec<i64>,
    /// Seats whose points the host corrected in it.
    pub corrected: BTreeSet<Seat>,
    /// Those who could not answer: out, late, or wrong in an earlier round of the question.
    pub kept_out: BTreeSet<Seat>,
    pub voided: bool,
}

/// What seats are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Personal {
    #[default]
    Nothing,
    /// Each seat its result, with what it has.
    Results,
    /// Each seat what it has.
    Standings,
    /// Each seat in play its lives.
    Lives,
    /// This seat its whole state.
    Own(Seat),
}

impl RundownBook {
    /// The book of this journal with these person records, played to its end; none if it begins no rundown.
    pub fn of(journal: &[u8], people: &[u8]) -> Option<Self> {
        let mut records = NamedRecords::new(journal, people).ok()?.map_while(Result::ok);
        let mut book = Self::begun(&records.next()?)?;
        for record in records {
            // What is wrong is found when the book is played beside what players were told.
            let _ = book.take(&record);
        }
        Some(book)
    }

    /// The book of a show that begins with this record.
    pub fn begun(record: &Record) -> Option<Self> {
        let begun = record.command.begun()?;
        let BegunShow::Game(show) = begun.show else { return None };
        let setup: Setup = show.setup.read().ok()?;
        let mut quizzes = BTreeMap::new();
        for (index, part) in (0..).zip(&setup.parts) {
            if let PartKind::Quiz(quiz) = &part.kind {
                quizzes.insert(index, QuizBook::new(quiz.clone()));
            }
        }
        Some(Self {
            title: show.title.clone(),
            bingo: BingoBook::begun(record),
            quizzes,
            ledger: SeatLedger::new(setup.lives),
            people: Vec::new(),
            phase: Phase::Created,
            seq: Seq(0),
            part: None,
            finished: false,
            part_began_at: record.at,
            round: None,
            rounds: BTreeMap::new(),
            outs: BTreeMap::new(),
            paused: false,
            autopilot: setup.script.on,
            step: None,
            step_left: None,
            not_before: record.at,
            removals: BTreeMap::new(),
            removals_ever: BTreeSet::new(),
            done: BTreeSet::new(),
            podium: None,
            personal: Personal::Nothing,
            problems: Vec::new(),
            setup,
        })
    }

    /// What the show has that no promise is judged for yet: such a show is not confirmed.
    pub fn unjudged(&self) -> Vec<&'static str> {
        let parts = self.setup.parts.iter().map(|part| &part.kind);
        let mut unjudged: Vec<&str> = parts
            .filter_map(|kind| match kind {
                PartKind::Preload(_) | PartKind::Podium(_) => Some(kind.name()),
                PartKind::Quiz(quiz) => quiz.prizes.is_some().then_some("prizes of a quiz"),
                PartKind::Break(_) | PartKind::Bingo(_) => None,
            })
            .collect();
        unjudged.extend(self.setup.teams.is_some().then_some("teams"));
        unjudged.extend((self.setup.stream_delay > Span(0)).then_some("stream_delay"));
        unjudged
    }

    /// The quiz that the show is in.
    pub(super) fn quiz(&self) -> Option<&QuizBook> {
        self.quizzes.get(&self.part?)
    }

    /// The quiz that the show is in, and what seats have.
    pub(super) fn quiz_and_ledger(&mut self) -> Option<(&mut QuizBook, &mut SeatLedger)> {
        Some((self.quizzes.get_mut(&self.part?)?, &mut self.ledger))
    }

    pub(super) fn next_seq(&mut self) -> Seq {
        self.seq = self.seq.next();
        self.seq
    }

    /// An event of the part that the show is in, in this phase.
    pub(super) fn event(&mut self, at: Millis, phase: Phase, body: &impl Serialize) -> ToPlayer {
        self.phase = phase;
        let mut body = Body::of(body);
        body.0.insert("part".into(), Value::from(self.part.unwrap_or_default()));
        ToPlayer::GameEvent(GameEvent { seq: self.next_seq(), at, phase, round: None, body })
    }

    /// The phase between rounds.
    pub(super) const fn between(&self) -> Phase {
        if self.round.is_some() { Phase::Revealed } else { Phase::Lobby }
    }

    /// When the open round closes; none while the show is paused.
    pub(super) fn closes(&self) -> Option<Millis> {
        let round = self.round.as_ref()?;
        let runs_out = round.clock.runs_out()?;
        let early = self.quizzes.get(&round.part).and_then(QuizBook::closes_early);
        Some(early.map_or(runs_out, |early| early.max(self.not_before).min(runs_out)))
    }

    /// Applies a record's command. Returns the events that it must have.
    pub fn take(&mut self, record: &Record) -> Result<Vec<ToPlayer>, String> {
        self.personal = Personal::Nothing;
        if let Some(bingo) = &mut self.bingo {
            if matches!(record.command, Command::Tally { .. }) {
                bingo.out = self.ledger.all().filter(|&seat| self.ledger.line(seat).out.is_some()).collect();
            }
            bingo.take(record);
        }
        let told = self.apply(record);
        if self.bingo.is_some() {
            self.note_winnings();
        }
        told
    }

    fn apply(&mut self, record: &Record) -> Result<Vec<ToPlayer>, String> {
        let now = record.at;
        match &record.command {
            Command::Join { player, name, .. } => self.sit(player, name)?,
            Command::Reseat { seat, player, name } => {
                if self.phase != Phase::Lobby || self.part.is_some() {
                    return Err("a seat is given to another player after the first part began".to_owned());
                }
                if let Some(person) = self.people.get_mut(seat.index()) {
                    *person = (player.clone(), name.clone());
                    self.ledger.begin_anew(*seat);
                    self.removals.remove(seat);
                }
            }
            Command::Claims { round, claims } => {
                for claim in claims {
                    self.count(*round, claim);
                }
            }
            Command::Host { id, action } => {
                if self.done.contains(id) {
                    return Ok(Vec::new());
                }
                let told = self.act(now, action, &record.events)?;
                self.done.insert(id.clone());
                return Ok(told);
            }
            Command::Tick => return self.tick(now, &record.events),
            Command::Tally { round, .. } => {
                let told = self.tally(now, *round, &record.events)?;
                self.plan(now);
                return Ok(told);
            }
            Command::Outage { round, .. } => {
                self.must_close(*round)?;
                let told = self.void(now, "Not all claims could be counted, through no fault of yours.");
                self.plan(now);
                return Ok(told);
            }
            Command::Recovered { away } => return Ok(self.recover(now, *away)),
            _ => {}
        }
        Ok(Vec::new())
    }

    fn sit(&mut self, player: &PlayerId, name: &Name) -> Result<(), String> {
        let is_open = self.quiz().is_none_or(QuizBook::takes_players);
        if matches!(self.phase, Phase::Created | Phase::Ended) || !is_open {
            return Err("a player takes a seat when none can be taken".to_owned());
        }
        let seat = Seat(self.ledger.seats());
        self.people.push((player.clone(), name.clone()));
        self.ledger.sit();
        let (phase, finished) = (self.phase, self.finished);
        if let Some((quiz, ledger)) = self.quiz_and_ledger().filter(|_| !finished) {
            quiz.sits(seat, phase, ledger);
            if matches!(phase, Phase::Closing | Phase::Closed)
                && let Some(round) = self.round.as_ref().and_then(|round| self.rounds.get_mut(&round.id))
            {
                round.kept_out.insert(seat);
            }
        }
        Ok(())
    }

    /// Whether this seat was out in a round of bingo.
    pub fn was_out(&self, round: RoundId, seat: Seat) -> bool {
        self.outs.get(&round).is_some_and(|out| out.contains(&seat))
    }

    /// The winnings by the book of bingo.
    fn note_winnings(&mut self) {
        let winnings = self.bingo.as_ref().map(BingoBook::winnings).unwrap_or_default();
        for seat in self.ledger.all() {
            self.ledger.line_mut(seat).winnings = winnings.get(&seat).copied().unwrap_or_default();
        }
    }
}
