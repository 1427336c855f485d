//! The first players with the right answer.

use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Span;

use super::best::smallest;

/// The first of those whose answer is one of the right ones, best first: by when the answer was read, then by seat.
pub fn first(places: usize, rights: &[u64], answers: impl Iterator<Item = (Seat, u64, Span)>) -> Vec<Seat> {
    let right = answers.filter(|(_, said, _)| rights.contains(said)).map(|(seat, _, elapsed)| (elapsed, seat));
    smallest(places, right).into_iter().map(|(_, seat)| seat).collect()
}
