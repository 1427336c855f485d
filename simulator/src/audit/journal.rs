//! The journal in the audit's form: the claims that counted, the events for all, and when each round took claims.

use std::collections::{BTreeMap, HashMap};

use klaxon_protocol::claim::ClaimValue;
use klaxon_protocol::games::trivia::{Choice, Reveal, Settings};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{RoundId, Seat, Seq};
use klaxon_protocol::journal::{Command, CountedAnswer, CountedClaim, FrameError, Record};
use klaxon_protocol::player::{Podium, Role, ToPlayer};
use klaxon_protocol::time::Millis;

use super::claims::Claimed;
use super::holders::Holders;
use super::named::NamedRecords;
use super::windows::Windows;
use crate::messages::RoundNews;

/// A claim that the journal counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    pub value: ClaimValue,
    pub at: Millis,
}

/// A show's journal.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// The head of every record, in order.
    pub records: Vec<RecordHead>,
    /// The error that ended reading, if any.
    pub problem: Option<FrameError>,
    /// The settings of a show of trivia.
    pub settings: Option<Settings>,
    /// The players of each seat.
    pub holders: Holders,
    /// The claims that count. More than one value of a seat's claim is a violation.
    pub counted: HashMap<(Claimed, Seat), Vec<Counted>>,
    /// The events for all players, in order.
    pub events: Vec<ToPlayer>,
    /// When each round took claims.
    pub windows: BTreeMap<RoundId, Windows>,
    /// Players that the host removed: some promises don't hold for them.
    pub removed: Vec<Seat>,
    /// For each removal, the last round that had begun before.
    pub removals_in: Vec<RoundId>,
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

    /// The round that had begun last when this was the last event.
    pub fn round_at(&self, seq: Seq) -> Option<RoundId> {
        let &last = self.by_seq.get(&seq)?;
        self.events[..=last].iter().rev().find_map(ToPlayer::begins_round)
    }

    /// The value of this claim that counts.
    pub fn counted(&self, claimed: Claimed, seat: Seat) -> Option<&Counted> {
        self.counted.get(&(claimed, seat)).and_then(|all| all.first())
    }

    /// The choice of trivia that counts.
    pub fn answer(&self, question: RoundId, seat: Seat) -> Option<Choice> {
        self.counted(Claimed::answer(question), seat).and_then(|counted| Choice::claimed(&counted.value))
    }

    /// The number of counted answers of trivia, by choice.
    pub fn counts(&self) -> BTreeMap<RoundId, Vec<u32>> {
        let mut counts: BTreeMap<RoundId, Vec<u32>> = BTreeMap::new();
        for (&(claimed, _), answers) in &self.counted {
            let counts = counts.entry(claimed.round).or_default();
            for choice in answers.iter().filter_map(|answer| Choice::claimed(&answer.value)) {
                if counts.len() <= choice.index() {
                    counts.resize(choice.index() + 1, 0);
                }
                counts[choice.index()] += 1;
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
    pub fn right(&self, question: RoundId) -> Option<Choice> {
        self.reveals().find(|reveal| reveal.question == question).map(|reveal| reveal.right)
    }

    /// The podiums; there should be one.
    pub fn podiums(&self) -> impl Iterator<Item = &Podium> {
        self.events.iter().filter_map(|event| match event {
            ToPlayer::Podium(podium) => Some(podium),
            _ => None,
        })
    }

    /// Whether the round was voided.
    pub fn voided(&self, round: RoundId) -> bool {
        self.events.iter().any(|event| RoundNews::of(event) == Some(RoundNews::Voided(round)))
    }

    fn take(&mut self, record: Record, current: &mut Option<RoundId>) {
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
                    let counted = Counted { value: choice.into(), at };
                    self.counted.entry((Claimed::answer(question), seat)).or_default().push(counted);
                }
            }
            Command::Claims { round, claims } => {
                for CountedClaim { seat, key, value, at } in claims {
                    self.counted.entry((Claimed { round, key }, seat)).or_default().push(Counted { value, at });
                }
            }
            Command::Host { action: Action::Remove { seat, .. } | Action::BanAddress { seat, .. }, .. } => {
                self.removed.push(seat);
                self.removals_in.extend(*current);
            }
            Command::Host { action: Action::GiveLives { .. }, .. } => self.lives_given = true,
            Command::Recovered { away } => {
                let round = current.and_then(|round| self.windows.get_mut(&round));
                if let Some(windows) = round {
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
            // Sealed records can't be judged; promise 10 reports them.
            | Command::Sealed { .. } => {}
        }
        for event in events {
            self.receive(event, current);
        }
    }

    fn receive(&mut self, event: ToPlayer, current: &mut Option<RoundId>) {
        *current = event.begins_round().or(*current);
        if let Some(round) = *current {
            self.windows.entry(round).or_default().receive(round, &event);
        }
        if let Some(seq) = event.seq() {
            self.by_seq.entry(seq).or_insert(self.events.len());
        }
        self.events.push(event);
    }
}
