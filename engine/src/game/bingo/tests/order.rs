//! The order of the balls.

use std::collections::HashMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::super::order::shuffle;
use super::super::{Draws, Purpose, RosterHash, RosterHasher, TicketKind, order};
use super::seed;
use super::uniform::assert_uniform;

fn roster(seats: &[(u32, u64, u8)]) -> RosterHash {
    let mut roster = RosterHasher::default();
    seats.iter().for_each(|&(seat, sat_at, tickets)| roster.add(seat, sat_at, tickets));
    roster.hash()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const SEATS: [(u32, u64, u8); 3] = [(0, 1000, 1), (1, 1001, 6), (5, 1 << 40, 3)];

/// Computed by another program, from the words of docs/rules/bingo.md.
#[test]
fn the_order_is_what_the_rules_say() {
    let roster = roster(&SEATS);
    assert_eq!(hex(&roster.0), "cbdf7ca6734d6f9b5318f85bcf686588c3fcd88298c869a78366d010bff925bf");
    let of_75 = [
        57, 41, 2, 37, 69, 4, 21, 33, 48, 71, 67, 64, 26, 28, 50, 39, 63, 55, 61, 44, 53, 36, 40, 32, 47, 65, 34, 25,
        24, 58, 42, 10, 30, 12, 45, 15, 27, 3, 14, 35, 29, 70, 73, 18, 9, 5, 66, 23, 68, 60, 19, 17, 46, 72, 75, 8, 31,
        59, 49, 7, 11, 20, 62, 13, 38, 74, 56, 51, 16, 22, 1, 54, 43, 6, 52,
    ];
    assert_eq!(order(TicketKind::Balls75, &seed(1), roster, None), of_75);
    let of_90 = [
        30, 54, 15, 85, 70, 23, 45, 51, 53, 7, 2, 61, 47, 48, 12, 78, 79, 3, 89, 77, 11, 81, 5, 41, 39, 56, 26, 66, 36,
        10, 18, 21, 17, 37, 75, 43, 49, 27, 84, 55, 60, 88, 74, 20, 58, 4, 71, 44, 1, 24, 46, 32, 8, 73, 34, 90, 29,
        65, 31, 67, 6, 64, 33, 69, 9, 42, 50, 25, 86, 14, 38, 76, 87, 63, 62, 82, 19, 28, 72, 59, 83, 13, 22, 16, 80,
        57, 40, 35, 52, 68,
    ];
    assert_eq!(order(TicketKind::Balls90, &seed(1), roster, Some("DAX 24,123.45 €")), of_90);
}

#[test]
fn the_hash_of_no_seats_is_that_of_no_bytes() {
    assert_eq!(hex(&roster(&[]).0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[test]
fn each_of_what_the_order_depends_on_changes_it() {
    let all = SEATS.as_slice();
    let kind = TicketKind::Balls75;
    let first = order(kind, &seed(1), roster(all), None);
    let mut others = vec![
        order(kind, &seed(2), roster(all), None),
        order(kind, &seed(1), roster(all), Some("1")),
        order(kind, &seed(1), roster(&all[..2]), None),
        order(TicketKind::Balls90, &seed(1), roster(all), None).into_iter().filter(|&ball| ball <= 75).collect(),
    ];
    for change in [(6, 1 << 40, 3), (5, (1 << 40) + 1, 3), (5, 1 << 40, 4)] {
        others.push(order(kind, &seed(1), roster(&[all[0], all[1], change]), None));
    }
    others.push(first);
    for (index, order) in others.iter().enumerate() {
        let mut balls = order.clone();
        balls.sort_unstable();
        assert!(balls.into_iter().eq(1..=75), "each ball once");
        assert!(!others[..index].contains(order), "{index}");
    }
}

#[test]
#[should_panic(expected = "comes after")]
fn no_seat_is_twice_in_a_roster() {
    roster(&[(3, 0, 1), (3, 0, 1)]);
}

/// The probability that orders of four differ from equally frequent ones as much as these do.
fn p_of_orders(number: u8, shuffle: impl Fn(&mut [u8], &mut Draws)) -> f64 {
    const SHUFFLES: u32 = 24_000;
    let mut seen: HashMap<[u8; 4], f64> = HashMap::new();
    for shuffled in 0..SHUFFLES {
        let mut roster = [0; 32];
        roster[..4].copy_from_slice(&shuffled.to_be_bytes());
        let purpose = Purpose::Balls { balls: 4, roster, public_value: [0; 32] };
        let mut balls = [1, 2, 3, 4];
        shuffle(&mut balls, &mut Draws::new(&seed(number), purpose));
        *seen.entry(balls).or_default() += 1.0;
    }
    assert_eq!(seen.len(), 24);
    chi_square(seen.into_values(), f64::from(SHUFFLES) / 24.0, 23.0)
}

fn chi_square(seen: impl Iterator<Item = f64>, expected: f64, freedom: f64) -> f64 {
    let sum: f64 = seen.map(|seen| (seen - expected).powi(2) / expected).sum();
    ChiSquared::new(freedom).unwrap().sf(sum)
}

#[test]
fn each_order_is_as_probable_as_every_other() {
    assert_uniform((1..=20).map(|number| p_of_orders(number, shuffle)).collect());
}

/// Exchanging each place with any place makes 256 equally probable ways of 24 orders.
#[test]
fn the_test_of_orders_notices_a_shuffle_that_is_wrong() {
    let wrong = |balls: &mut [u8], draws: &mut Draws| {
        for place in 0..balls.len() {
            balls.swap(place, draws.below(balls.len() as u128) as usize);
        }
    };
    assert!((1..=20).all(|number| p_of_orders(number, wrong) < 1e-6));
}

#[test]
fn each_ball_is_as_probable_at_each_place() {
    for kind in [TicketKind::Balls75, TicketKind::Balls90] {
        let balls = usize::from(kind.balls());
        let orders: Vec<Vec<u8>> =
            (0..9000).map(|shuffled| order(kind, &seed(9), roster(&[(shuffled, 0, 1)]), None)).collect();
        let p_of = |place: usize| {
            let mut seen = vec![0.0; balls];
            orders.iter().for_each(|order| seen[usize::from(order[place]) - 1] += 1.0);
            chi_square(seen.into_iter(), orders.len() as f64 / balls as f64, balls as f64 - 1.0)
        };
        assert_uniform((0..balls).map(p_of).collect());
    }
}
