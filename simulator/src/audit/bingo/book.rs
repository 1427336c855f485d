//! A rundown's journal played again by the rules of bingo: what each event must tell, and how things stood after each.

use std::collections::{BTreeMap, BTreeSet};

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::bingo::{Ball, BingoEvent, BingoOwn, BingoView, TicketPrize};
use klaxon_protocol::games::rundown::{PartKind, Setup};
use klaxon_protocol::host::Action;
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat, Seq};
use klaxon_protocol::journal::{BegunShow, Command, Record};
use klaxon_protocol::player::{GameEvent, Podium, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde_json::Value;

use super::numbers::Bytes32;
use super::part::{Calls, PartBook, PartState, Verdicts};
use crate::messages::{RoundNews, RoundTimes};

/// A show with parts of bingo, by the rules.
#[derive(Debug, Default)]
pub(in crate::audit) struct BingoBook {
    parts: BTreeMap<u8, PartBook>,
    lead: Span,
    /// The part that began last.
    current: u8,
    /// The last round of the show, whatever part it is of.
    last_round: Option<RoundId>,
    /// The rounds of other parts.
    others: BTreeSet<RoundId>,
    /// When each seat's player sat down.
    sat_at: Vec<Millis>,
    pub(super) removed: BTreeSet<Seat>,
    /// The seats that are out by the rules of other parts.
    pub out: BTreeSet<Seat>,
    /// The rounds, in order.
    pub(super) balls: BTreeMap<RoundId, BallRound>,
    /// How things stood after each event.
    moments: Vec<(Seq, Option<PartBook>)>,
    /// When the seed was told of.
    pub(super) opened: BTreeMap<Seq, Bytes32>,
    pub(super) podium: Option<Podium>,
    pub(super) problems: Vec<(Option<RoundId>, String)>,
}

/// The round of a ball.
#[derive(Debug)]
pub(super) struct BallRound {
    pub begun_at: Millis,
    pub calls: Calls,
    /// What its calls came to, and in which event that was told.
    pub verdicts: Option<(Seq, Verdicts)>,
    /// The part as it was when the ball was drawn.
    pub part: PartBook,
    /// What a void goes back to.
    before: PartState,
    pub is_void: bool,
}

impl BingoBook {
    /// The book of a show that begins with this record; none if it has no bingo.
    pub fn begun(record: &Record) -> Option<Self> {
        let BegunShow::Game(begun) = record.command.begun()?.show else { return None };
        let setup: Setup = begun.setup.read().ok()?;
        let mut book = Self { lead: setup.lead, ..Self::default() };
        for (index, part) in (0..).zip(setup.parts) {
            if let (PartKind::Bingo(settings), Some(seed)) = (part.kind, part.seed) {
                book.parts.insert(index, PartBook::new(settings, seed.0));
            }
        }
        (!book.parts.is_empty()).then_some(book)
    }

    fn wrong(&mut self, round: Option<RoundId>, what: String) {
        self.problems.push((round, what));
    }

    /// Takes a record in.
    pub fn take(&mut self, record: &Record) {
        match &record.command {
            Command::Join { role: Role::Player, .. } => self.sat_at.push(record.at),
            Command::Reseat { seat, .. } => {
                if let Some(sat_at) = self.sat_at.get_mut(seat.index()) {
                    *sat_at = record.at;
                }
            }
            Command::Claims { round, claims } => {
                for claim in claims.iter().filter(|_| !self.others.contains(round)).cloned().collect::<Vec<_>>() {
                    self.count(*round, claim.seat, claim.key, claim.at);
                }
            }
            Command::Host { action: Action::Remove { seat, .. } | Action::BanAddress { seat, .. }, .. } => {
                self.removed.insert(*seat);
            }
            Command::Host { action: Action::Restore { seat }, .. } => _ = self.removed.remove(seat),
            _ => {}
        }
        for event in &record.events {
            self.follow(record, event);
        }
        if let Command::Tally { round, .. } = record.command
            && self.balls.get(&round).is_some_and(|ball| ball.verdicts.is_none() && !ball.is_void)
        {
            self.wrong(Some(round), "the calls were tallied, and not settled".to_owned());
        }
    }

    fn count(&mut self, round: RoundId, seat: Seat, key: ClaimKey, at: Millis) {
        let is_last = self.balls.last_key_value().is_some_and(|(&last, _)| last == round);
        let Some(ball) = self.balls.get_mut(&round).filter(|ball| is_last && ball.verdicts.is_none()) else {
            return self.wrong(Some(round), format!("a call of seat {seat} counts in a round that is over"));
        };
        let called = TicketPrize::of(key);
        let why = if ball.part.ticket(seat, called.ticket).is_none() || ball.part.prize(called.prize).is_none() {
            "of a ticket or a prize that there is not"
        } else if ball.part.state.gone.contains_key(&called.prize) {
            "of a prize that was gone"
        } else if ball.part.comes_after_another(called.prize) {
            "of a house before the one before it"
        } else if ball.part.is_barred(seat, called) {
            "that the ticket can't make any more"
        } else {
            ball.calls.insert((seat, key), at);
            return;
        };
        self.wrong(Some(round), format!("a call counts {why}: seat {seat}, key {key}"));
    }

    fn follow(&mut self, record: &Record, event: &ToPlayer) {
        match event {
            ToPlayer::GameEvent(told) => {
                if let Some(part) = told.body.0.get("part").and_then(Value::as_u64) {
                    self.current = u8::try_from(part).unwrap_or(u8::MAX);
                }
                if let Some(RoundNews::Voided(round)) = RoundNews::of(event) {
                    self.void(round);
                } else if let Ok(bingo) = told.body.read::<BingoEvent>() {
                    self.judge(record, told, bingo);
                } else {
                    self.others.extend(told.round);
                }
                self.last_round = told.round.or(self.last_round);
            }
            ToPlayer::Podium(podium) => self.podium = Some(podium.clone()),
            _ => {}
        }
        if let Some(seq) = event.seq() {
            self.moments.push((seq, self.parts.get(&self.current).cloned()));
        }
    }

    fn void(&mut self, round: RoundId) {
        let Some(ball) = self.balls.get_mut(&round) else { return };
        ball.is_void = true;
        let before = ball.before.clone();
        if let Some(part) = self.parts.get_mut(&self.current) {
            part.state = before;
        }
    }

    fn judge(&mut self, record: &Record, told: &GameEvent, event: BingoEvent) {
        let round = told.round.or_else(|| self.balls.last_key_value().map(|(&round, _)| round));
        let Some(part) = self.parts.get_mut(&self.current) else {
            return self.wrong(round, format!("an event of bingo in part {}, which is none", self.current));
        };
        let own = match &event {
            BingoEvent::Dealing(_) => {
                part.is_begun = true;
                Some(BingoEvent::Dealing(part.dealing()))
            }
            BingoEvent::Dealt(_) => {
                part.close_dealing(&self.sat_at);
                part.dealt().map(BingoEvent::Dealt)
            }
            BingoEvent::PublicValue { .. } => {
                part.public_value = value_told(&record.command).filter(|_| part.setup.public_value.is_some());
                part.public_value.clone().map(|value| BingoEvent::PublicValue { value })
            }
            BingoEvent::Ball(_) => {
                let ball = part.next_ball().filter(|_| !part.is_over());
                let before = part.state.clone();
                part.state.drawn.extend(ball);
                let number_of_ball = u8::try_from(part.state.drawn.len()).unwrap_or(u8::MAX);
                let opens_at = told.at + self.lead;
                let closes_at = opens_at + part.setup.settings.window;
                let expected = RoundId(self.last_round.map_or(1, |last| last.0.saturating_add(1)));
                let times = RoundTimes { round: expected, opens_at, closes_at };
                let news = RoundNews::of(&ToPlayer::GameEvent(told.clone()));
                let part = part.clone();
                if news != Some(RoundNews::Begins(times)) {
                    self.wrong(round, format!("the ball's round is {news:?}, by the book {times:?}"));
                }
                if let Some(round) = told.round {
                    let (begun_at, calls) = (told.at, Calls::new());
                    let ball = BallRound { begun_at, calls, verdicts: None, part, before, is_void: false };
                    self.balls.insert(round, ball);
                }
                ball.map(|ball| BingoEvent::Ball(Ball { ball, number_of_ball }))
            }
            BingoEvent::Settled(settled) => {
                let ball = self.balls.get_mut(&settled.round);
                let is_due = matches!(record.command, Command::Tally { round, .. } if round == settled.round);
                ball.filter(|ball| is_due && ball.verdicts.is_none()).map(|ball| {
                    let (removed, out) = (&self.removed, &self.out);
                    let plays = |seat| !removed.contains(&seat) && !out.contains(&seat);
                    let verdicts = part.settle(settled.round, &ball.calls, plays);
                    let own = BingoEvent::Settled(verdicts.settled.clone());
                    ball.verdicts = Some((told.seq, verdicts));
                    own
                })
            }
            BingoEvent::Opened(_) => {
                self.opened.insert(told.seq, part.seed);
                Some(BingoEvent::Opened(part.opened()))
            }
        };
        if own.as_ref() != Some(&event) {
            let json = |event: &Option<BingoEvent>| serde_json::to_string(event).unwrap_or_default();
            let (told, own) = (json(&Some(event)), json(&own));
            self.wrong(round, format!("{told} is told, the book has {own}"));
        }
    }

    /// The part as it stood after this event.
    fn at(&self, seq: Seq) -> Option<&PartBook> {
        let after = self.moments.partition_point(|&(other, _)| other <= seq);
        after.checked_sub(1).and_then(|index| self.moments[index].1.as_ref())
    }

    /// What a snapshot after this event must show.
    pub(super) fn view(&self, seq: Seq) -> Option<BingoView> {
        self.at(seq).filter(|part| part.is_begun).map(PartBook::view)
    }

    /// What a seat's own state after this event must be, without the calls; and whether its tickets may be missing still.
    pub(super) fn own(&self, seq: Seq, seat: Seat) -> Option<(BingoOwn, bool)> {
        let part = self.at(seq).filter(|part| part.is_begun)?;
        // Tickets are told before the dealing is closed, too; they are the same then.
        let dealt = self.parts.values().find(|other| other.seed == part.seed)?;
        let tickets = dealt.tickets.get(&seat).cloned().unwrap_or_default();
        Some((BingoOwn { tickets, ..part.own(seat) }, part.roster.is_none()))
    }

    /// The round of the ball that had been drawn last at this event.
    pub(super) fn ball_at(&self, round: Option<RoundId>) -> Option<&BallRound> {
        self.balls.get(&round?)
    }

    /// Whether a call that came in time is refused as untimely for another reason: the prize is gone, or the house before
    /// it is still to be won.
    pub(in crate::audit) fn explains(&self, round: RoundId, key: ClaimKey, code: ErrorCode) -> bool {
        let TicketPrize { prize, .. } = TicketPrize::of(key);
        self.balls.get(&round).is_some_and(|ball| match code {
            ErrorCode::TooLate => ball.part.state.gone.contains_key(&prize),
            ErrorCode::TooEarly => ball.part.comes_after_another(prize),
            _ => false,
        })
    }

    /// The SHA-256 of each part's seed, in hex.
    pub(super) fn commitments(&self) -> impl Iterator<Item = (u8, String)> {
        self.parts.iter().map(|(&index, part)| (index, part.dealing().commitment))
    }

    /// All parts of bingo.
    pub(super) fn parts(&self) -> impl Iterator<Item = &PartBook> {
        self.parts.values()
    }

    /// Whether all balls are drawn, or all prizes gone.
    pub(in crate::audit) fn is_over(&self, part: u8) -> bool {
        self.parts.get(&part).is_some_and(PartBook::is_over)
    }

    /// How many prizes the seat has won.
    pub(in crate::audit) fn won_by(&self, seat: Seat) -> u32 {
        self.parts.values().map(|part| u32::try_from(part.won_by(seat).len()).unwrap_or(u32::MAX)).sum()
    }

    /// What is paid beyond the prizes, because each winner gets a least share.
    pub(in crate::audit) fn paid_beyond(&self) -> u64 {
        let of_part = |part: &PartBook| -> u64 {
            let gone = part.state.gone.iter();
            gone.map(|(&prize, shares)| {
                let amount = part.prize(prize).map_or(0, |prize| prize.amount);
                shares.iter().map(|&(_, share)| share).sum::<u64>().saturating_sub(amount)
            })
            .sum()
        };
        self.parts.values().map(of_part).sum()
    }

    /// What each seat has won in all parts.
    pub(in crate::audit) fn winnings(&self) -> BTreeMap<Seat, u64> {
        let mut winnings = BTreeMap::new();
        for (winner, share) in self.parts.values().flat_map(|part| part.state.gone.values()).flatten() {
            *winnings.entry(winner.seat).or_default() += share;
        }
        winnings
    }
}

/// The public value in the host's command.
fn value_told(command: &Command) -> Option<String> {
    let Command::Host { action: Action::Play { body }, .. } = command else { return None };
    body.0.get("public_value").and_then(Value::as_str).map(str::to_owned)
}
