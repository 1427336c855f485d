//! The settlement of a ball's calls in a part, and how it is taken back.

use std::collections::HashMap;
use std::hash::Hash;

use klaxon_protocol::games::bingo::{
    Barred, BingoEvent, CallBy, CallResult, FalseCall, LastBall, PrizeWon, Settled, TicketOfSeat, TicketPrize,
    WINNERS_NAMED, Won,
};
use klaxon_protocol::ids::{ClaimKey, Seat};
use klaxon_protocol::link::Personal;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Millis;
use serde::Serialize;

use super::calls::{Call, Judgement, Settlement, Shares, settle};
use super::near::TicketNumber;
use super::part::{BingoPart, Playing};
use crate::game::rundown::Stage;

/// A prize that was won.
pub(super) struct Gone {
    /// By seat and ticket.
    pub winners: Vec<TicketOfSeat>,
    pub shares: Shares,
}

/// A seat that made false calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    pub false_calls: u16,
    pub barred: Barred,
}

/// What takes back the settlement of a round.
#[derive(Default)]
pub(super) struct Undo {
    /// The prizes that were won.
    prizes: Vec<u8>,
    /// Seats that made false calls, as they were before.
    callers: Vec<(Seat, Option<Caller>)>,
    /// Tickets that won and can't win all others, as they were before.
    satisfied: Vec<(TicketNumber, Option<u32>)>,
    paid_beyond: u64,
}

impl BingoPart {
    /// Judges the calls of the last ball, and tells what came of them.
    pub(super) fn settle_calls(&mut self, stage: &mut Stage<'_>) {
        let calls = self.calls_to_judge(stage);
        let settled = settle(&self.setup.prizes, &self.setup.settings, &calls, |call| self.judge(call));
        let round = self.rounds.last().expect("a ball is settled after it was drawn").round;
        let mut results: HashMap<Seat, CallResult> = HashMap::new();
        let mut result = |seat: Seat, change: &mut dyn FnMut(&mut CallResult)| {
            let nothing = || CallResult {
                round,
                won: Vec::new(),
                false_calls: Vec::new(),
                late_calls: Vec::new(),
                barred: Barred::default(),
            };
            change(results.entry(seat).or_insert_with(nothing));
        };
        for win in &settled.won {
            for (index, &TicketOfSeat { seat, ticket }) in win.winners.iter().enumerate() {
                let won = Won { prize: win.prize, ticket, share: win.shares.of(index) };
                result(seat, &mut |result| result.won.push(won));
            }
        }
        for call in &settled.false_calls {
            result(call.ticket.seat, &mut |result| result.false_calls.push(key(call)));
        }
        for call in &settled.late_calls {
            result(call.ticket.seat, &mut |result| result.late_calls.push(key(call)));
        }
        let won = self.apply(stage, settled);
        for (seat, result) in &mut results {
            if let Some(caller) = self.callers.get(seat) {
                result.barred = caller.barred.clone();
            }
        }
        let false_calls = self.rounds.last().map_or(0, |drawn| drawn.false_calls);
        let personal = self.personal(stage, results);
        stage.tell_with(Phase::Revealed, BingoEvent::Settled(Settled { round, won, false_calls }), personal);
    }

    /// The calls of the last round, by seat and key, without those of players who don't play any more. If the server calls, they are what
    /// the ball completed.
    fn calls_to_judge(&self, stage: &Stage<'_>) -> Vec<Call> {
        let Some(Playing { cards, index, .. }) = self.playing() else { return Vec::new() };
        let mut calls: Vec<Call> = match self.setup.settings.call {
            CallBy::Player => {
                let call = |(&(seat, key), &at): (&(Seat, ClaimKey), &Millis)| {
                    let TicketPrize { ticket, prize } = TicketPrize::of(key);
                    Call { ticket: TicketOfSeat { seat, ticket }, prize, at }
                };
                self.calls.made.iter().map(call).collect()
            }
            CallBy::Auto => {
                let call = |&(prize, number): &(u8, TicketNumber)| {
                    let (seat, ticket) = cards.holder(number);
                    Call { ticket: TicketOfSeat { seat, ticket }, prize, at: stage.now }
                };
                index.completed().iter().map(call).filter(|call| self.is_open(usize::from(call.prize))).collect()
            }
        };
        calls.retain(|call| stage.plays(call.ticket.seat));
        calls.sort_unstable_by_key(|call| (call.ticket, call.prize));
        calls
    }

    /// What a call is, by the balls that are drawn.
    fn judge(&self, call: &Call) -> Judgement {
        let TicketOfSeat { seat, ticket } = call.ticket;
        let playing = self.playing().expect("a call is judged after a ball was drawn");
        let Some(number) = playing.cards.number(seat, ticket) else { return Judgement::False };
        if playing.index.to_go(number, call.prize) > 0 {
            return Judgement::False;
        }
        if self.setup.settings.last_ball == LastBall::Any {
            return Judgement::Valid;
        }
        let last = playing.order[playing.drawn - 1];
        let place = playing.cards.place(number, last);
        let is_completed_by_it = place.is_some_and(|place| playing.index.to_go_without(number, call.prize, place) > 0);
        if is_completed_by_it { Judgement::Valid } else { Judgement::Late }
    }

    /// Pays prizes and notes false calls. Returns the prizes that are gone.
    fn apply(&mut self, stage: &mut Stage<'_>, settled: Settlement) -> Vec<PrizeWon> {
        let mut undo = Undo { paid_beyond: self.paid_beyond, ..Undo::default() };
        let mut told = Vec::with_capacity(settled.won.len());
        for win in settled.won {
            let amounts = (0..).map(|index| win.shares.of(index));
            let mut paid = 0;
            for (&TicketOfSeat { seat, ticket }, share) in win.winners.iter().zip(amounts) {
                paid += share;
                stage.ledger.pay(seat, share);
                self.note_winner(&mut undo, win.prize, seat, ticket);
            }
            let index = usize::from(win.prize);
            self.paid_beyond += paid.saturating_sub(self.setup.prizes[index].amount);
            let gone = Gone { winners: win.winners, shares: win.shares };
            told.push(gone.told(win.prize));
            self.history.note(&(win.prize, gone.shares.share, gone.winners.len() as u64));
            gone.winners.iter().for_each(|winner| self.history.note(&(winner.seat, winner.ticket)));
            self.gone[index] = Some(gone);
            self.play_on().index.close(win.prize);
            undo.prizes.push(win.prize);
        }
        for call in &settled.false_calls {
            self.history.note(&(call.ticket.seat, key(call)));
            self.note_false_call(&mut undo, call);
        }
        let round = self.rounds.last_mut().expect("a ball is settled after it was drawn");
        round.won.clone_from(&told);
        round.false_calls = u32::try_from(settled.false_calls.len()).unwrap_or(u32::MAX);
        self.history.note(&round.round);
        self.undo = Some(undo);
        told
    }

    /// A ticket that won can't win some others.
    fn note_winner(&mut self, undo: &mut Undo, prize: u8, seat: Seat, ticket: u8) {
        let prizes = &self.setup.prizes;
        let loses = |other: usize| {
            let both_houses = prizes[usize::from(prize)].pattern.is_house() && prizes[other].pattern.is_house();
            both_houses || self.setup.settings.one_prize_per_ticket
        };
        let mask = (0..prizes.len()).filter(|&other| loses(other)).fold(0_u32, |mask, other| mask | 1 << other);
        let Some(number) = self.playing().and_then(|playing| playing.cards.number(seat, ticket)) else { return };
        if mask != 0 {
            undo.satisfied.push((number, self.satisfied.get(&number).copied()));
            *self.satisfied.entry(number).or_default() |= mask;
            self.bar(number);
        }
    }

    fn note_false_call(&mut self, undo: &mut Undo, call: &Call) {
        let TicketOfSeat { seat, ticket } = call.ticket;
        undo.callers.push((seat, self.callers.get(&seat).cloned()));
        let settings = &self.setup.settings;
        let caller = self.callers.entry(seat).or_default();
        caller.false_calls = caller.false_calls.saturating_add(1);
        if caller.false_calls < u16::from(settings.false_call_limit) {
            return;
        }
        match settings.false_call {
            FalseCall::None => return,
            FalseCall::Prize => insert(&mut caller.barred.prizes, key(call)),
            FalseCall::Ticket => insert(&mut caller.barred.tickets, ticket),
            FalseCall::Round => caller.barred.seat = true,
        }
        self.bar_seat(seat);
    }

    fn bar_seat(&mut self, seat: Seat) {
        let numbers = self.playing().map(|playing| playing.cards.of(seat));
        numbers.into_iter().flatten().for_each(|number| self.bar(number));
    }

    /// Brings to the index what a ticket can't win.
    fn bar(&mut self, number: TicketNumber) {
        let Some(playing) = self.playing() else { return };
        let (seat, ticket) = playing.cards.holder(number);
        let satisfied = self.satisfied.get(&number).copied().unwrap_or_default();
        let by_false_calls = self.callers.get(&seat).map_or(0, |caller| {
            let Barred { seat, tickets, prizes } = &caller.barred;
            if *seat || tickets.contains(&ticket) {
                return u32::MAX;
            }
            let of_ticket = prizes.iter().map(|&key| TicketPrize::of(key)).filter(|called| called.ticket == ticket);
            of_ticket.fold(0, |mask, called| mask | 1 << called.prize)
        });
        self.play_on().index.bar(number, satisfied | by_false_calls);
    }

    /// Takes the last ball back, with all that was won and lost on it: it is the next ball again. Returns the state of the seats that this
    /// changes.
    pub(super) fn take_back(&mut self, stage: &mut Stage<'_>) -> Option<Personal> {
        let drawn = self.rounds.last_mut().expect("only a ball that was drawn is taken back");
        (drawn.is_void, drawn.won, drawn.false_calls) = (true, Vec::new(), 0);
        let (round, ball) = (drawn.round, drawn.ball);
        self.history.note(&("void", round));
        let playing = self.play_on();
        playing.index.take_back(ball);
        playing.drawn -= 1;
        let Undo { prizes, callers, satisfied, paid_beyond } = self.undo.take()?;
        self.paid_beyond = paid_beyond;
        let mut seats: Vec<Seat> = callers.iter().map(|&(seat, _)| seat).collect();
        for prize in prizes {
            let Some(gone) = self.gone[usize::from(prize)].take() else { continue };
            for (index, winner) in gone.winners.iter().enumerate() {
                stage.ledger.take_back(winner.seat, gone.shares.of(index));
                seats.push(winner.seat);
            }
            self.play_on().index.reopen(prize);
        }
        for (number, before) in satisfied.into_iter().rev() {
            match before {
                Some(mask) => _ = self.satisfied.insert(number, mask),
                None => _ = self.satisfied.remove(&number),
            }
            self.bar(number);
        }
        for (seat, before) in callers.into_iter().rev() {
            match before {
                Some(caller) => _ = self.callers.insert(seat, caller),
                None => _ = self.callers.remove(&seat),
            }
            self.bar_seat(seat);
        }
        let states = seats.into_iter().map(|seat| (seat, self.state_of(seat))).collect();
        self.personal(stage, states)
    }

    /// A message for each of these seats; equal ones are one message.
    fn personal<T: Eq + Hash + Serialize>(&self, stage: &Stage<'_>, messages: HashMap<Seat, T>) -> Option<Personal> {
        let mut messages: Vec<(Seat, T)> = messages.into_iter().collect();
        messages.sort_unstable_by_key(|&(seat, _)| seat);
        let seats = messages.last()?.0.index() + 1;
        let mut personal = Personal { shapes: Vec::new(), by_seat: vec![Personal::NONE; seats] };
        let mut shapes: HashMap<T, u32> = HashMap::new();
        for (seat, message) in messages {
            let shape = *shapes.entry(message).or_insert_with_key(|message| {
                personal.shapes.push(stage.own(message));
                u32::try_from(personal.shapes.len() - 1).expect("there are no more messages than seats")
            });
            personal.by_seat[seat.index()] = shape;
        }
        Some(personal)
    }
}

impl Gone {
    /// As it is told.
    pub fn told(&self, prize: u8) -> PrizeWon {
        PrizeWon {
            prize,
            winners: self.winners.iter().copied().take(WINNERS_NAMED).collect(),
            count: u32::try_from(self.winners.len()).expect("an index has room for all tickets"),
            share: self.shares.share,
            one_more: self.shares.one_more,
        }
    }
}

const fn key(call: &Call) -> ClaimKey {
    TicketPrize { ticket: call.ticket.ticket, prize: call.prize }.key()
}

/// Adds to a sorted list what is not in it.
fn insert<T: Ord + Copy>(list: &mut Vec<T>, item: T) {
    if let Err(place) = list.binary_search(&item) {
        list.insert(place, item);
    }
}
