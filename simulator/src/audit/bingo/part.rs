//! One part of bingo by the rule book: tickets, balls, calls and what they come to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use klaxon_protocol::games::bingo::{
    Barred, BingoOwn, BingoPrize, BingoSetup, BingoView, CallBy, CallResult, Dealing, Dealt, FalseCall, LastBall,
    Opened, Pattern, PrizeWon, Settled, ShareBy, TicketOfSeat, TicketPrize, WINNERS_NAMED, Won,
};
use klaxon_protocol::ids::{ClaimKey, RoundId, Seat};
use klaxon_protocol::time::Millis;

use super::dealing::{Ticket, deal};
use super::numbers::{Bytes32, hash, hex, order_of_balls};
use super::patterns::is_complete;

/// The calls of a round, with the time at which each was read.
pub(super) type Calls = BTreeMap<(Seat, ClaimKey), Millis>;

/// A part of bingo.
#[derive(Debug, Clone)]
pub(super) struct PartBook {
    pub setup: BingoSetup,
    pub seed: Bytes32,
    /// Whether the part has begun.
    pub is_begun: bool,
    /// The tickets of all seats that had sat down when the dealing was closed.
    pub tickets: Arc<BTreeMap<Seat, Vec<Ticket>>>,
    /// The hash of the roster, once the dealing is closed.
    pub roster: Option<Bytes32>,
    pub public_value: Option<String>,
    pub state: PartState,
}

/// What balls change, and a void takes back.
#[derive(Debug, Clone, Default)]
pub(super) struct PartState {
    pub drawn: Vec<u8>,
    /// By prize: who won it, by seat and ticket, and what each got.
    pub gone: BTreeMap<u8, Vec<(TicketOfSeat, u64)>>,
    /// What tickets can't win because they won.
    satisfied: BTreeSet<(TicketOfSeat, u8)>,
    callers: BTreeMap<Seat, (u16, Barred)>,
}

/// What the calls of a ball come to.
#[derive(Debug, Clone)]
pub(super) struct Verdicts {
    pub settled: Settled,
    /// What each seat with a result is sent.
    pub results: BTreeMap<Seat, CallResult>,
}

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallIs {
    Valid,
    Late,
    False,
}

impl PartBook {
    pub fn new(setup: BingoSetup, seed: Bytes32) -> Self {
        let (tickets, state) = (Arc::default(), PartState::default());
        Self { setup, seed, is_begun: false, tickets, roster: None, public_value: None, state }
    }

    /// Closes the dealing, with these seats and the times at which they sat down.
    pub fn close_dealing(&mut self, sat_at: &[Millis]) {
        let seats = || (0..).map(Seat).zip(sat_at);
        let mut roster = Vec::new();
        for (seat, at) in seats() {
            roster.extend(seat.0.to_be_bytes());
            roster.extend(at.0.to_be_bytes());
            roster.push(self.setup.tickets);
        }
        self.roster = Some(hash(&roster));
        let dealt = deal(&self.seed, self.setup.balls, self.setup.tickets, seats().map(|(seat, _)| seat));
        self.tickets = Arc::new(dealt);
    }

    /// The ball that is to come next; none if there is none, or it is not determined yet.
    pub fn next_ball(&self) -> Option<u8> {
        let roster = self.roster.as_ref()?;
        let public_value = match (&self.setup.public_value, &self.public_value) {
            (Some(_), None) => return None,
            (_, value) => value.as_deref().unwrap_or_default(),
        };
        let order = order_of_balls(&self.seed, self.setup.balls.count(), roster, public_value);
        order.get(self.state.drawn.len()).copied()
    }

    pub fn is_over(&self) -> bool {
        self.state.gone.len() == self.setup.prizes.len()
            || self.state.drawn.len() == usize::from(self.setup.balls.count())
    }

    pub fn prize(&self, prize: u8) -> Option<&BingoPrize> {
        self.setup.prizes.get(usize::from(prize))
    }

    pub fn ticket(&self, seat: Seat, ticket: u8) -> Option<&Ticket> {
        self.tickets.get(&seat)?.get(usize::from(ticket))
    }

    /// Whether another house has to be won before this prize.
    pub fn comes_after_another(&self, prize: u8) -> bool {
        let first = match self.prize(prize).map(|prize| prize.pattern) {
            Some(Pattern::SecondHouse) => Pattern::FullHouse,
            Some(Pattern::ThirdHouse) => Pattern::SecondHouse,
            _ => return false,
        };
        let is_gone =
            |(index, prize): (u8, &BingoPrize)| prize.pattern == first && self.state.gone.contains_key(&index);
        !(0..).zip(&self.setup.prizes).any(is_gone)
    }

    /// Whether the ticket can't win this prize, because of what it won or of false calls.
    pub fn is_barred(&self, seat: Seat, TicketPrize { ticket, prize }: TicketPrize) -> bool {
        let by_false_calls = self.state.callers.get(&seat).is_some_and(|(_, barred)| {
            barred.seat
                || barred.tickets.contains(&ticket)
                || barred.prizes.contains(&TicketPrize { ticket, prize }.key())
        });
        by_false_calls || self.state.satisfied.contains(&(TicketOfSeat { seat, ticket }, prize))
    }

    /// What a call is by the balls that are drawn.
    pub fn judge(&self, seat: Seat, called: TicketPrize) -> CallIs {
        self.judge_by(self.setup.settings.last_ball, seat, called)
    }

    fn judge_by(&self, last_ball: LastBall, seat: Seat, TicketPrize { ticket, prize }: TicketPrize) -> CallIs {
        let (Some(cells), Some(wanted)) = (self.ticket(seat, ticket), self.prize(prize)) else { return CallIs::False };
        let complete = |drawn: &[u8]| {
            is_complete(cells, self.setup.balls, wanted, &drawn.iter().copied().collect::<BTreeSet<u8>>())
        };
        let Some((_, before)) = self.state.drawn.split_last() else { return CallIs::False };
        match last_ball {
            _ if !complete(&self.state.drawn) => CallIs::False,
            LastBall::Required if complete(before) => CallIs::Late,
            LastBall::Required | LastBall::Any => CallIs::Valid,
        }
    }

    /// All calls that the server makes, if it does.
    fn all_valid(&self) -> Calls {
        let mut calls = Calls::new();
        for (&seat, tickets) in &*self.tickets {
            for ticket in (0..).take(tickets.len()) {
                for prize in (0..).take(self.setup.prizes.len()) {
                    let called = TicketPrize { ticket, prize };
                    let is_open = !self.state.gone.contains_key(&prize)
                        && !self.comes_after_another(prize)
                        && !self.is_barred(seat, called);
                    if is_open && self.judge_by(LastBall::Required, seat, called) == CallIs::Valid {
                        calls.insert((seat, called.key()), Millis(0));
                    }
                }
            }
        }
        calls
    }

    /// Settles the calls of the last ball, and pays the prizes.
    pub fn settle(&mut self, round: RoundId, calls: &Calls, plays: impl Fn(Seat) -> bool) -> Verdicts {
        let by_server;
        let calls = match self.setup.settings.call {
            CallBy::Player => calls,
            CallBy::Auto => {
                by_server = self.all_valid();
                &by_server
            }
        };
        let mut by_prize: BTreeMap<u8, Vec<(Millis, TicketOfSeat)>> = BTreeMap::new();
        let mut results: BTreeMap<Seat, CallResult> = BTreeMap::new();
        let mut false_calls = 0;
        let mut mistaken = Vec::new();
        for (&(seat, key), &at) in calls.iter().filter(|((seat, _), _)| plays(*seat)) {
            let called = TicketPrize::of(key);
            let result = || nothing(round);
            match self.judge(seat, called) {
                CallIs::Valid => {
                    let ticket = TicketOfSeat { seat, ticket: called.ticket };
                    by_prize.entry(called.prize).or_default().push((at, ticket));
                }
                CallIs::Late => results.entry(seat).or_insert_with(result).late_calls.push(key),
                CallIs::False => {
                    results.entry(seat).or_insert_with(result).false_calls.push(key);
                    false_calls += 1;
                    mistaken.push((seat, called));
                }
            }
        }
        let mut won = Vec::new();
        let mut winning: BTreeSet<TicketOfSeat> = BTreeSet::new();
        for (prize, mut valid) in by_prize {
            valid.retain(|(_, ticket)| !winning.contains(ticket));
            if self.setup.settings.share == ShareBy::First {
                valid = valid.into_iter().min().into_iter().collect();
            }
            let mut winners: Vec<TicketOfSeat> = valid.into_iter().map(|(_, ticket)| ticket).collect();
            winners.sort_unstable();
            if winners.is_empty() {
                continue;
            }
            if self.setup.settings.one_prize_per_ticket {
                winning.extend(&winners);
            }
            won.push(self.pay(prize, winners));
        }
        for prize in &won {
            for &(TicketOfSeat { seat, ticket }, share) in &self.state.gone[&prize.prize] {
                let own = Won { prize: prize.prize, ticket, share };
                results.entry(seat).or_insert_with(|| nothing(round)).won.push(own);
            }
        }
        mistaken.into_iter().for_each(|(seat, called)| self.note_false_call(seat, called));
        for (seat, result) in &mut results {
            result.barred = self.state.callers.get(seat).map(|(_, barred)| barred.clone()).unwrap_or_default();
        }
        Verdicts { settled: Settled { round, won, false_calls }, results }
    }

    /// Divides a prize among winners, who are in order: to the last unit, what remains to the first of them.
    fn pay(&mut self, prize: u8, winners: Vec<TicketOfSeat>) -> PrizeWon {
        let amount = self.prize(prize).map_or(0, |prize| prize.amount);
        let count = winners.len() as u64;
        let least = self.setup.settings.min_share;
        let (share, more) = if amount / count < least { (least, 0) } else { (amount / count, amount % count) };
        let shares = (0..).zip(winners).map(|(place, winner)| (winner, share + u64::from(place < more)));
        let shares: Vec<(TicketOfSeat, u64)> = shares.collect();
        let is_house = |prize: u8| {
            self.prize(prize).is_some_and(|prize| {
                matches!(prize.pattern, Pattern::FullHouse | Pattern::SecondHouse | Pattern::ThirdHouse)
            })
        };
        let lost = (0..)
            .take(self.setup.prizes.len())
            .filter(|&other| self.setup.settings.one_prize_per_ticket || is_house(prize) && is_house(other));
        let lost: Vec<u8> = lost.collect();
        for &(winner, _) in &shares {
            self.state.satisfied.extend(lost.iter().map(|&other| (winner, other)));
        }
        let told = PrizeWon {
            prize,
            winners: shares.iter().map(|&(winner, _)| winner).take(WINNERS_NAMED).collect(),
            count: u32::try_from(count).unwrap_or(u32::MAX),
            share,
            one_more: u32::try_from(more).unwrap_or(u32::MAX),
        };
        self.state.gone.insert(prize, shares);
        told
    }

    fn note_false_call(&mut self, seat: Seat, called: TicketPrize) {
        let settings = &self.setup.settings;
        let (times, barred) = self.state.callers.entry(seat).or_default();
        *times = times.saturating_add(1);
        if *times < u16::from(settings.false_call_limit) {
            return;
        }
        match settings.false_call {
            FalseCall::None => {}
            FalseCall::Prize => add(&mut barred.prizes, called.key()),
            FalseCall::Ticket => add(&mut barred.tickets, called.ticket),
            FalseCall::Round => barred.seat = true,
        }
    }

    /// What a seat has won so far.
    pub fn won_by(&self, seat: Seat) -> Vec<Won> {
        let mut won = Vec::new();
        for (&prize, shares) in &self.state.gone {
            let own = shares.iter().filter(|(winner, _)| winner.seat == seat);
            won.extend(own.map(|&(TicketOfSeat { ticket, .. }, share)| Won { prize, ticket, share }));
        }
        won
    }

    /// A seat's own state, without the calls of the open round.
    pub fn own(&self, seat: Seat) -> BingoOwn {
        let (false_calls, barred) = self.state.callers.get(&seat).cloned().unwrap_or_default();
        let tickets = self.tickets.get(&seat).cloned().unwrap_or_default();
        BingoOwn { tickets, calls: Vec::new(), won: self.won_by(seat), false_calls, barred }
    }

    pub fn dealing(&self) -> Dealing {
        let BingoSetup { balls, tickets, prizes, settings, public_value, .. } = self.setup.clone();
        Dealing { balls, tickets, prizes, settings, commitment: hex(&hash(&self.seed)), public_value }
    }

    pub fn dealt(&self) -> Option<Dealt> {
        let roster = hex(self.roster.as_ref()?);
        let seats = u32::try_from(self.tickets.len()).unwrap_or(u32::MAX);
        Some(Dealt { seats, tickets: seats * u32::from(self.setup.tickets), roster })
    }

    pub fn opened(&self) -> Opened {
        Opened {
            seed: hex(&self.seed),
            public_value: self.public_value.clone(),
            roster: self.roster.as_ref().map(|roster| hex(roster)),
            drawn: u8::try_from(self.state.drawn.len()).unwrap_or(u8::MAX),
        }
    }

    pub fn view(&self) -> BingoView {
        let won = self.state.gone.iter().map(|(&prize, shares)| {
            let share = shares.iter().map(|&(_, share)| share).min().unwrap_or_default();
            PrizeWon {
                prize,
                winners: shares.iter().map(|&(winner, _)| winner).take(WINNERS_NAMED).collect(),
                count: u32::try_from(shares.len()).unwrap_or(u32::MAX),
                share,
                one_more: u32::try_from(shares.iter().filter(|&&(_, own)| own > share).count()).unwrap_or(u32::MAX),
            }
        });
        BingoView {
            dealing: self.dealing(),
            dealt: self.dealt(),
            public_value: self.public_value.clone(),
            drawn: self.state.drawn.clone(),
            won: won.collect(),
        }
    }
}

const fn nothing(round: RoundId) -> CallResult {
    let barred = Barred { seat: false, tickets: Vec::new(), prizes: Vec::new() };
    CallResult { round, won: Vec::new(), false_calls: Vec::new(), late_calls: Vec::new(), barred }
}

/// Adds to a sorted list what is not in it.
fn add<T: Ord>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
        list.sort_unstable();
    }
}
