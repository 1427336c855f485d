//! Numbers: how near they are.

use klaxon_protocol::games::quiz::SPEED_STEPS;
use klaxon_protocol::ids::Seat;
use klaxon_protocol::time::Span;

use super::Share;
use super::best;
use crate::game::rundown::Teams;

/// The share of an answer that earns nothing if it is off by `zero` or more, and the more the nearer it is: in 50 steps, so that many players
/// have equal results. Only the right number itself earns all.
pub fn by_curve(right: i64, zero: u64, said: i64) -> Share {
    let off = right.abs_diff(said);
    if off == 0 {
        return Share::WHOLE;
    }
    let steps = u128::from(SPEED_STEPS);
    let step = u128::from(zero.saturating_sub(off)) * steps / u128::from(zero.max(1));
    Share::of(u64::try_from(step).unwrap_or(0), u64::from(SPEED_STEPS))
}

/// The `places` nearest to one of the right numbers, best first: by how far off, then by when the answer was read, then by seat; with teams one
/// of each.
pub fn nearest(
    rights: &[i64],
    places: usize,
    teams: Option<&Teams>,
    answers: impl Iterator<Item = (Seat, i64, Span)>,
) -> Vec<Seat> {
    let off = |said: i64| rights.iter().map(|right| right.abs_diff(said)).min();
    best::first(teams, places, answers.map(|(seat, said, elapsed)| ((off(said), elapsed), seat)))
}
