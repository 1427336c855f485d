//! The journal in the audit's form: the answers that counted, the events for all, and when each question took answers.

use std::collections::{BTreeMap, HashMap};

use klaxon_protocol::games::trivia::{Choice, QuestionId, Reveal, Settings};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{Seat, Seq};
use klaxon_protocol::journal::{Command, CountedAnswer, FrameError, Record};
use klaxon_protocol::player::{Podium, Role, ToPlayer};
use klaxon_protocol::time::Millis;

use super::holders::Holders;
use super::named::NamedRecords;
use super::windows::Windows;

/// An answer that the journal counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub choice: Choice,
    pub at: Millis,
}

/// A show's journal.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// The head of every record, in order.
    pub records: Vec<RecordHead>,
    /// The error that ended reading, if any.
    pub problem: Option<FrameError>,
    /// The show's settings.
    pub settings: Option<Settings>,
    /// The players of each seat.
    pub holders: Holders,
    /// The answers that count. More than one of a seat and question is a violation.
    pub counted: HashMap<(QuestionId, Seat), Vec<Counted>>,
    /// The events for all players, in order.
    pub events: Vec<ToPlayer>,
    /// When each question took answers.
    pub windows: BTreeMap<QuestionId, Windows>,
    /// Players that the host removed: some promises don't hold for them.
    pub removed: Vec<Seat>,
    /// For each removal, the last question that had been asked before.
    pub removals_in: Vec<QuestionId>,
    /// Whether the host gave lives.
    pub lives_given: bool,
    /// The numbers of records that name players, although the journal's names are kept apart.
    pub names: Vec<u64>,
    by_seq: HashMap<Seq, usize>,
}

/// What identifies a record's place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordHead {
    pub show: u64,
    pub number: u64,
    pub fence: u64,
    pub at: Millis,
}

impl Journal {
    /// Reads up to the end, or the first error.
    pub fn read(bytes: &[u8], people: &[u8]) -> Self {
        let mut journal = Self::default();
        match NamedRecords::new(bytes, people) {
            Err(problem) => journal.problem = Some(problem),
            Ok(records) => {
                let mut current = None;
                let mut records = records;
                for record in records.by_ref() {
                    match record {
                        Ok(record) => journal.take(record, &mut current),
                        Err(problem) => journal.problem = Some(problem),
                    }
                }
                journal.names = records.into_names_found();
            }
        }
        journal
    }

    /// The event with this sequence number.
    pub fn event(&self, seq: Seq) -> Option<&ToPlayer> {
        self.by_seq.get(&seq).map(|&index| &self.events[index])
    }

    /// The answer that counts.
    pub fn counted(&self, question: QuestionId, seat: Seat) -> Option<Counted> {
        self.counted.get(&(question, seat)).and_then(|all| all.first()).copied()
    }

    /// The number of counted answers, by choice.
    pub fn counts(&self) -> BTreeMap<QuestionId, Vec<u32>> {
        let mut counts: BTreeMap<QuestionId, Vec<u32>> = BTreeMap::new();
        for (&(question, _), answers) in &self.counted {
            let counts = counts.entry(question).or_default();
            for answer in answers {
                if counts.len() <= answer.choice.index() {
                    counts.resize(answer.choice.index() + 1, 0);
                }
                counts[answer.choice.index()] += 1;
            }
        }
        counts
    }

    /// The reveals, in order.
    pub fn reveals(&self) -> impl Iterator<Item = &Reveal> {
        self.events.iter().filter_map(|event| match event {
            ToPlayer::Reveal(reveal) => Some(reveal),
            _ => None,
        })
    }

    /// The right choice of a question, as it was revealed.
    pub fn right(&self, question: QuestionId) -> Option<Choice> {
        self.reveals().find(|reveal| reveal.question == question).map(|reveal| reveal.right)
    }

    /// The podiums; there should be one.
    pub fn podiums(&self) -> impl Iterator<Item = &Podium> {
        self.events.iter().filter_map(|event| match event {
            ToPlayer::Podium(podium) => Some(podium),
            _ => None,
        })
    }

    /// Whether the question was voided.
    pub fn voided(&self, question: QuestionId) -> bool {
        self.events.iter().any(|event| matches!(event, ToPlayer::Void(void) if void.question == question))
    }

    fn take(&mut self, record: Record, current: &mut Option<QuestionId>) {
        let Record { show, number, fence, at, command, events, state: _ } = record;
        self.records.push(RecordHead { show: show.0, number, fence: fence.0, at });
        // Another game's setup is reported by promise 10.
        if let Some(Ok(show)) = command.begun().and_then(|begun| begun.trivia()) {
            self.settings = Some(show.settings);
        }
        match command {
            Command::Join { role: Role::Player, name, .. } => self.holders.join(at, name),
            Command::Reseat { seat, name, .. } => self.holders.reseat(seat, at, name),
            Command::Answers { question, answers } => {
                for CountedAnswer { seat, choice, at } in answers {
                    self.counted.entry((question, seat)).or_default().push(Counted { choice, at });
                }
            }
            Command::Host { action: Action::Remove { seat, .. } | Action::BanAddress { seat, .. }, .. } => {
                self.removed.push(seat);
                self.removals_in.extend(*current);
            }
            Command::Host { action: Action::GiveLives { .. }, .. } => self.lives_given = true,
            Command::Recovered { away } => {
                let question = current.and_then(|question| self.windows.get_mut(&question));
                if let Some(windows) = question {
                    windows.cut(at - away);
                }
            }
            Command::Join { .. }
            | Command::Host { .. }
            | Command::Tick
            | Command::Tally { .. }
            | Command::Outage { .. }
            | Command::Reissue { .. }
            | Command::SeatOrigin { .. }
            // A seat out of order is reported by promise 10.
            | Command::Sit { .. }
            | Command::SeatHasOrigin { .. }
            | Command::Create(_)
            | Command::Begin { .. }
            | Command::BeginGame { .. }
            // Another game's claims are reported by promise 10.
            | Command::Claims { .. }
            // Sealed records can't be judged; promise 10 reports them.
            | Command::Sealed { .. } => {}
        }
        for event in events {
            self.receive(event, current);
        }
    }

    fn receive(&mut self, event: ToPlayer, current: &mut Option<QuestionId>) {
        if let ToPlayer::Question(question) = &event {
            *current = Some(question.question);
        }
        if let Some(question) = *current {
            self.windows.entry(question).or_default().receive(question, &event);
        }
        if let Some(seq) = event.seq() {
            self.by_seq.entry(seq).or_insert(self.events.len());
        }
        self.events.push(event);
    }
}
