//! What every ticket is.

use std::collections::HashSet;

use super::super::{Dealer, MAX_TICKETS, Strip, Ticket75, Ticket90, TicketKind, Tickets};
use super::{draws, seed};

const MANY: u32 = 10_000;

/// The column that a number belongs to with 90 balls.
fn column_of(number: u8) -> usize {
    usize::from(number / 10).min(8)
}

/// Fails if this is no ticket of 90 balls.
fn check_90(ticket: &Ticket90) {
    let rows = ticket.cells();
    for row in rows {
        assert_eq!(row.iter().filter(|&&cell| cell > 0).count(), 5, "{ticket:?}");
    }
    for column in 0..9 {
        let numbers: Vec<u8> = rows.iter().map(|row| row[column]).filter(|&cell| cell > 0).collect();
        assert!((1..=3).contains(&numbers.len()) && numbers.is_sorted_by(|a, b| a < b), "{ticket:?}");
        assert!(numbers.iter().all(|&number| (1..=90).contains(&number) && column_of(number) == column), "{ticket:?}");
    }
}

#[test]
fn tickets_with_90_balls_have_five_numbers_a_row_and_no_empty_column() {
    let seed = seed(1);
    (0..MANY).for_each(|seat| check_90(&Ticket90::draw(&mut draws(&seed, 90, seat))));
}

#[test]
fn each_number_below_their_count_is_another_ticket() {
    assert_eq!(Ticket90::count(), 3_669_688_706_217_187_500);
    let ends = [0, Ticket90::count() - u64::from(MANY)];
    let near_the_ends = ends.into_iter().flat_map(|end| end..end + u64::from(MANY));
    let spread = (0..u64::from(MANY)).map(|number| number * (Ticket90::count() / u64::from(MANY)) + 77_777);
    let (mut all, mut count) = (HashSet::new(), 0);
    for number in near_the_ends.chain(spread) {
        let ticket = Ticket90::numbered(number);
        check_90(&ticket);
        all.insert(ticket);
        count += 1;
    }
    assert_eq!(all.len(), count);
}

#[test]
#[should_panic(expected = "below the count")]
fn there_is_no_ticket_behind_the_last() {
    let _ = Ticket90::numbered(Ticket90::count());
}

#[test]
fn a_strip_has_each_number_once() {
    let seed = seed(2);
    for seat in 0..MANY {
        let Strip(tickets) = Strip::draw(&mut draws(&seed, 6, seat));
        tickets.iter().for_each(check_90);
        let mut numbers: Vec<u8> =
            tickets.iter().flat_map(|ticket| ticket.cells().as_flattened()).copied().filter(|&cell| cell > 0).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..=90));
    }
}

#[test]
fn tickets_with_75_balls_have_numbers_of_each_column_s_fifteen_and_a_free_middle() {
    let seed = seed(3);
    for seat in 0..MANY {
        let ticket = Ticket75::draw(&mut draws(&seed, 75, seat));
        let mut numbers = HashSet::new();
        for (row, cells) in ticket.cells().iter().enumerate() {
            for (column, &cell) in cells.iter().enumerate() {
                if (row, column) == (2, 2) {
                    assert_eq!(cell, 0);
                } else {
                    assert_eq!(usize::from((cell - 1) / 15), column, "{ticket:?}");
                    numbers.insert(cell);
                }
            }
        }
        assert_eq!(numbers.len(), 24, "{ticket:?}");
    }
}

#[test]
fn the_same_seed_deals_the_same_tickets_and_another_seed_others() {
    let deal = |number| {
        let mut dealer = Dealer::new(TicketKind::Balls90, seed(number));
        (0..100).map(|seat| dealer.deal(seat, 1 + (seat % 6) as u8)).collect::<Vec<_>>()
    };
    assert_eq!(deal(1), deal(1));
    assert_ne!(deal(1), deal(2));
    let count = |tickets: &Tickets| match tickets {
        Tickets::Balls90(tickets) => tickets.len(),
        Tickets::Balls75(_) => 0,
    };
    assert!(deal(1).iter().map(count).eq((0..100).map(|seat| 1 + seat % 6)));
}

#[test]
fn no_two_tickets_of_a_show_are_alike() {
    for kind in [TicketKind::Balls75, TicketKind::Balls90] {
        let mut dealer = Dealer::new(kind, seed(4));
        let mut all = HashSet::new();
        for seat in 0..2000 {
            let tickets = match dealer.deal(seat, 1 + (seat % u32::from(MAX_TICKETS)) as u8) {
                Tickets::Balls75(tickets) => tickets.iter().map(|ticket| ticket.cells().concat()).collect::<Vec<_>>(),
                Tickets::Balls90(tickets) => tickets.iter().map(|ticket| ticket.cells().concat()).collect(),
            };
            assert!(tickets.into_iter().all(|ticket| all.insert(ticket)));
        }
    }
}

#[test]
fn a_ticket_that_was_dealt_before_is_dealt_again() {
    // Whoever is dealt to twice as the same seat would have the same tickets twice.
    for (kind, tickets) in [(TicketKind::Balls75, 2), (TicketKind::Balls90, 2), (TicketKind::Balls90, 6)] {
        let mut dealer = Dealer::new(kind, seed(5));
        let first = dealer.deal(7, tickets);
        assert_ne!(dealer.deal(7, tickets), first);
        assert_eq!(Dealer::new(kind, seed(5)).deal(7, tickets), first);
    }
}

#[test]
#[should_panic(expected = "1 to 6 tickets")]
fn more_than_a_strip_is_dealt_to_nobody() {
    Dealer::new(TicketKind::Balls90, seed(1)).deal(0, 7);
}

#[test]
fn a_seed_s_commitment_is_its_sha256_and_it_is_never_written() {
    let told = format!("{:?}", seed(0));
    assert!(told.contains("66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"), "{told}");
    let seed = seed(0xab);
    assert!(!format!("{seed:?} {:?}", Dealer::new(TicketKind::Balls75, seed)).contains("abab"));
}
