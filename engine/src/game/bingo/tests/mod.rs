mod book;
mod near;
mod order;
mod referee;
mod rules;
mod table;
mod tickets;
mod uniform;

use super::{Draws, Purpose, Seed};

/// A seed for tests.
fn seed(number: u8) -> Seed {
    Seed([number; 32])
}

/// The numbers of one ticket of this kind, the only one of its seat.
fn draws(seed: &Seed, kind: u8, seat: u32) -> Draws {
    Draws::new(seed, Purpose::Ticket { kind, seat, number: 0, again: 0 })
}
