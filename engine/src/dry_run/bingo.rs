//! What simulated players of bingo call: each sees what a ball completes on their tickets, and most call it.

use klaxon_protocol::games::bingo::{BingoOwn, BingoSetup, CallBy, LastBall, TicketPrize};
use klaxon_protocol::ids::Seat;

use super::dice::Dice;
use crate::game::bingo::NearIndex;

/// How often a player does not notice what a ball has completed, in percent.
const ASLEEP: u64 = 3;
/// On how many balls of a hundred somebody calls what they do not have.
const FALSE_CALLS: u64 = 2;

/// The tickets of a part of bingo, as its players see them.
pub(super) struct DryTickets {
    setup: BingoSetup,
    index: NearIndex,
    seats: u32,
    /// What was complete and not called.
    missed: Vec<(Seat, TicketPrize)>,
}

impl DryTickets {
    /// The tickets of all seats, once they are dealt.
    pub fn dealt(setup: &BingoSetup, owns: impl Iterator<Item = BingoOwn>) -> Self {
        let mut index = NearIndex::new(setup.balls, &setup.prizes);
        let mut seats = 0;
        for own in owns {
            seats += 1;
            own.tickets.iter().for_each(|rows| index.add(&rows.concat()));
        }
        Self { setup: setup.clone(), index, seats, missed: Vec::new() }
    }

    /// A ball was drawn: who calls what.
    pub fn calls(&mut self, dice: &mut Dice, ball: u8) -> Vec<(Seat, TicketPrize)> {
        let each = u32::from(self.setup.tickets);
        let completed = self.index.draw(ball);
        if self.setup.settings.call == CallBy::Auto {
            return Vec::new();
        }
        let mut calls = std::mem::take(&mut self.missed);
        for &(prize, ticket) in completed {
            let ticket_of_seat = u8::try_from(ticket % each).unwrap_or(0);
            let call = (Seat(ticket / each), TicketPrize { ticket: ticket_of_seat, prize });
            if !dice.chance(ASLEEP) {
                calls.push(call);
            } else if self.setup.settings.last_ball == LastBall::Any {
                self.missed.push(call);
            }
        }
        if self.seats > 0 && dice.chance(FALSE_CALLS) {
            let seat = u32::try_from(dice.below(self.seats.into())).unwrap_or(0);
            let prize = u8::try_from(dice.place(self.setup.prizes.len())).unwrap_or(0);
            calls.push((Seat(seat), TicketPrize { ticket: 0, prize }));
        }
        calls
    }

    /// A prize is gone.
    pub fn gone(&mut self, prize: u8) {
        self.index.close(prize);
        self.missed.retain(|(_, call)| call.prize != prize);
    }
}
