//! The dealing of a part: from its beginning until it is closed.

use klaxon_protocol::games::bingo::{BingoOwn, BingoSetup};
use klaxon_protocol::ids::Seat;
use klaxon_protocol::link::Personal;
use klaxon_protocol::time::{Millis, Span};

use super::cards::Cards;
use super::dealer::{Dealer, TicketKind};
use super::draws::Seed;
use super::near::NearIndex;
use super::order::{RosterHash, RosterHasher};
use crate::game::rundown::Stage;

/// How many tickets are dealt at once: so many messages are made in one step.
const AT_ONCE: u32 = 10_000;
/// The time between two such steps: a million tickets take 10 s.
const STEP: Span = Span(100);

/// Deals tickets to seats in their order, and remembers the roster.
pub(super) struct Dealing {
    dealer: Dealer,
    roster: RosterHasher,
    pub cards: Cards,
    pub index: NearIndex,
    each: u8,
    /// When the next tickets are dealt; none if all seats have theirs.
    pub next: Option<Millis>,
}

/// What is left of the dealing when it is closed.
pub(super) struct Dealt {
    pub roster: RosterHash,
    pub cards: Cards,
    pub index: NearIndex,
}

impl Dealing {
    pub fn new(setup: &BingoSetup, kind: TicketKind, seed: Seed) -> Self {
        Self {
            dealer: Dealer::new(kind, seed),
            roster: RosterHasher::default(),
            cards: Cards::new(setup.balls, setup.tickets),
            index: NearIndex::new(setup.balls, &setup.prizes),
            each: setup.tickets,
            next: None,
        }
    }

    /// Deals to the next seats that have no tickets yet, and sends them.
    pub fn deal_some(&mut self, stage: &mut Stage<'_>) {
        let (first, all) = (self.cards.seats(), stage.ledger.seats());
        let last = all.min(first + AT_ONCE / u32::from(self.each));
        let mut personal = Personal { shapes: Vec::new(), by_seat: vec![Personal::NONE; first as usize] };
        for seat in (first..last).map(Seat) {
            self.deal(stage, seat);
            personal.by_seat.push(seat.0 - first);
            let tickets = self.cards.of(seat).map(|number| self.cards.rows(number)).collect();
            personal.shapes.push(stage.own(BingoOwn { tickets, ..BingoOwn::default() }));
        }
        self.next = (last < all).then(|| stage.now + STEP);
        if !personal.shapes.is_empty() {
            stage.tell_some(personal);
        }
    }

    /// A player took this seat. The tickets are sent with the seat's own state, unless others wait for theirs.
    pub fn seat_taken(&mut self, stage: &Stage<'_>, seat: Seat) {
        if self.cards.seats() == seat.0 {
            self.deal(stage, seat);
        }
    }

    fn deal(&mut self, stage: &Stage<'_>, seat: Seat) {
        self.cards.add(&self.dealer.deal(seat.0, self.each));
        self.cards.of(seat).for_each(|number| self.index.add(self.cards.cells(number)));
        self.roster.add(seat.0, stage.ledger.sat_at(seat).0, self.each);
    }

    pub fn close(self) -> Dealt {
        Dealt { roster: self.roster.hash(), cards: self.cards, index: self.index }
    }
}
