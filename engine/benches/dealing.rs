//! What dealing bingo tickets costs: `cargo bench -p klaxon-engine --bench dealing` deals a million tickets of each kind on one core, and prints
//! for each how long it took.

use std::time::Instant;

use klaxon_engine::game::bingo::{Dealer, Seed, TicketKind};

const TICKETS: u32 = 1_000_000;

/// What is dealt, and how many tickets to a seat.
const KINDS: [(&str, TicketKind, u8); 3] = [
    ("75 balls", TicketKind::Balls75, 1),
    ("90 balls", TicketKind::Balls90, 1),
    ("strips of six", TicketKind::Balls90, 6),
];

fn main() {
    for (name, kind, tickets) in KINDS {
        let began = Instant::now();
        let mut dealer = Dealer::new(kind, Seed([7; 32]));
        for seat in 0..TICKETS / u32::from(tickets) {
            std::hint::black_box(dealer.deal(seat, tickets));
        }
        let took = began.elapsed();
        println!(
            "{name:<14} {TICKETS} tickets in {:.2} s, {} ns each",
            took.as_secs_f64(),
            took.as_nanos() / u128::from(TICKETS)
        );
    }
}
