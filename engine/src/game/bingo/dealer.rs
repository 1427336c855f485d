//! Deals tickets to seats. No two tickets of a show are alike.

use std::collections::HashSet;

use super::draws::{Draws, Purpose, Seed};
use super::strip::{Strip, TICKETS_OF_A_STRIP};
use super::ticket75::Ticket75;
use super::ticket90::Ticket90;

/// The most tickets that a seat can have: a strip.
pub const MAX_TICKETS: u8 = TICKETS_OF_A_STRIP as u8;
/// How a strip is named among kinds of tickets.
const STRIP: u8 = TICKETS_OF_A_STRIP as u8;

/// Which tickets a show has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketKind {
    /// With 75 balls.
    Balls75,
    /// With 90 balls.
    Balls90,
}

/// The tickets of a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tickets {
    /// With 75 balls.
    Balls75(Vec<Ticket75>),
    /// With 90 balls. Six of them are a strip.
    Balls90(Vec<Ticket90>),
}

/// Deals the tickets of one show.
#[derive(Debug)]
pub struct Dealer {
    seed: Seed,
    dealt: Dealt,
}

#[derive(Debug)]
enum Dealt {
    Balls75(HashSet<Ticket75>),
    Balls90(HashSet<Ticket90>),
}

impl Dealer {
    /// A dealer of a show whose tickets follow from this seed.
    #[must_use]
    pub fn new(kind: TicketKind, seed: Seed) -> Self {
        let dealt = match kind {
            TicketKind::Balls75 => Dealt::Balls75(HashSet::new()),
            TicketKind::Balls90 => Dealt::Balls90(HashSet::new()),
        };
        Self { seed, dealt }
    }

    /// Deals to a seat, 1 to [`MAX_TICKETS`] tickets. A ticket that another seat, or this one, has already is dealt again, so the tickets
    /// follow from the order in which seats are dealt to, too: that is the order of their numbers.
    ///
    /// # Panics
    /// If it is another number of tickets.
    pub fn deal(&mut self, seat: u32, tickets: u8) -> Tickets {
        assert!((1..=MAX_TICKETS).contains(&tickets), "a seat has 1 to {MAX_TICKETS} tickets, not {tickets}");
        let seed = &self.seed;
        match &mut self.dealt {
            Dealt::Balls75(dealt) => {
                let ticket = |number| {
                    let (kind, number) = (75, u32::from(number));
                    new_one(dealt, |again| {
                        let purpose = Purpose::Ticket { kind, seat, number, again };
                        [Ticket75::draw(&mut Draws::new(seed, purpose))]
                    })
                };
                Tickets::Balls75((0..tickets).flat_map(ticket).collect())
            }
            Dealt::Balls90(dealt) if tickets == MAX_TICKETS => {
                let strip = new_one(dealt, |again| {
                    let purpose = Purpose::Ticket { kind: STRIP, seat, number: 0, again };
                    Strip::draw(&mut Draws::new(seed, purpose)).0
                });
                Tickets::Balls90(strip.to_vec())
            }
            Dealt::Balls90(dealt) => {
                let ticket = |number| {
                    let (kind, number) = (90, u32::from(number));
                    new_one(dealt, |again| {
                        let purpose = Purpose::Ticket { kind, seat, number, again };
                        [Ticket90::draw(&mut Draws::new(seed, purpose))]
                    })
                };
                Tickets::Balls90((0..tickets).flat_map(ticket).collect())
            }
        }
    }
}

/// The first of these that has no ticket which was dealt already.
fn new_one<T: Copy + Eq + std::hash::Hash, const N: usize>(
    dealt: &mut HashSet<T>,
    mut draw: impl FnMut(u32) -> [T; N],
) -> [T; N] {
    for again in 0.. {
        let tickets = draw(again);
        if tickets.iter().all(|ticket| !dealt.contains(ticket)) {
            dealt.extend(tickets);
            return tickets;
        }
    }
    unreachable!("there are more tickets than a show has seats")
}
