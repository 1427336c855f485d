//! Whether each ticket is as probable as every other, by chi-square tests over how many numbers the columns have: 1,554 shapes whose
//! probabilities are known exactly.

use std::collections::HashMap;

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::super::strip::Strip;
use super::super::ticket90::{ColumnCounts, SHAPES, Ticket90};
use super::super::{Draws, Seed};
use super::{draws, seed};

/// Single tickets in a test: 26 to a shape in the mean.
const TICKETS: u32 = 40_000;
/// Strips in a test, of each of which one ticket counts: the tickets of a strip are not independent.
const STRIPS: u32 = 20_000;

fn shape_of(ticket: &Ticket90) -> ColumnCounts {
    std::array::from_fn(|column| ticket.cells().iter().filter(|row| row[column] > 0).count() as u8)
}

/// The probability that tickets differ from what is expected as much as these do, if all are equally probable.
fn p_value(tickets: impl Iterator<Item = Ticket90>, probability: impl Fn(usize) -> f64) -> f64 {
    let indices: HashMap<ColumnCounts, usize> =
        SHAPES.iter().enumerate().map(|(index, shape)| (shape.counts, index)).collect();
    let (mut seen, mut all) = (vec![0_u32; SHAPES.len()], 0.0);
    for ticket in tickets {
        seen[indices[&shape_of(&ticket)]] += 1;
        all += 1.0;
    }
    let part = |(index, &seen): (usize, &u32)| {
        let expected = probability(index) * all;
        (f64::from(seen) - expected).powi(2) / expected
    };
    let sum: f64 = seen.iter().enumerate().map(part).sum();
    ChiSquared::new(SHAPES.len() as f64 - 1.0).unwrap().sf(sum)
}

/// How probable a shape is among single tickets.
fn of_single(index: usize) -> f64 {
    let before = index.checked_sub(1).map_or(0, |before| SHAPES[before].up_to);
    (SHAPES[index].up_to - before) as f64 / Ticket90::count() as f64
}

/// Fails if these are not spread evenly from 0 to 1, by the test of Kolmogorov and Smirnov at 1 %.
pub(super) fn assert_uniform(mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let apart = |(index, value): (usize, &f64)| {
        let index = index as f64;
        (value - index / count).abs().max(((index + 1.0) / count - value).abs())
    };
    let most = values.iter().enumerate().map(apart).fold(0.0, f64::max);
    assert!(most < 1.63 / count.sqrt(), "{most}: {values:?}");
}

#[test]
fn single_tickets_are_uniform() {
    let p_of = |number| {
        let seed = seed(number);
        p_value((0..TICKETS).map(|seat| Ticket90::draw(&mut draws(&seed, 90, seat))), of_single)
    };
    assert_uniform((1..=20).map(p_of).collect());
}

/// The weights by which strips are drawn are those of whole strips, so the first ticket of one is as the last.
#[test]
fn the_tickets_of_strips_are_uniform_at_each_place() {
    let of_a_strip = super::super::strip::first_shapes();
    let p_of = |number| {
        let seed = seed(number);
        let place = usize::from(number) % 6;
        p_value((0..STRIPS).map(|seat| Strip::draw(&mut draws(&seed, 6, seat)).0[place]), |index| of_a_strip[index])
    };
    assert_uniform((1..=20).map(p_of).collect());
}

/// A dealer as many are: no column gets a third number as long as another can take one.
fn capped(seed: &Seed, seat: u32) -> Ticket90 {
    let mut draws: Draws = draws(seed, 90, seat);
    loop {
        let ticket = Ticket90::draw(&mut draws);
        if shape_of(&ticket).iter().all(|&count| count <= 2) {
            return ticket;
        }
    }
}

#[test]
fn a_dealer_that_caps_columns_at_two_numbers_is_found() {
    let seed = seed(1);
    assert!(p_value((0..TICKETS / 4).map(|seat| capped(&seed, seat)), of_single) < 1e-9);
    let of_a_strip = super::super::strip::first_shapes();
    assert!(p_value((0..TICKETS / 4).map(|seat| capped(&seed, seat)), |index| of_a_strip[index]) < 1e-9);
    // Single tickets are no tickets of strips: a dealer that makes strips of them would be found.
    let single = (0..TICKETS).map(|seat| Ticket90::draw(&mut draws(&seed, 90, seat)));
    assert!(p_value(single, |index| of_a_strip[index]) < 1e-9);
}
