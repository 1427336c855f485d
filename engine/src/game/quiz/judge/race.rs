//! The first players with the right answer.

use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Span;

use super::best;
use crate::game::rundown::Teams;

/// The first of those whose answer is one of the right ones, best first: by when the answer was read, then by seat; with teams one of each.
pub fn first(
    rights: &[u64],
    places: usize,
    teams: Option<&Teams>,
    answers: impl Iterator<Item = (Seat, u64, Span)>,
) -> Vec<Seat> {
    let right = answers.filter(|(_, said, _)| rights.contains(said)).map(|(seat, _, elapsed)| (elapsed, seat));
    best::first(teams, places, right)
}
