//! Points for an answer.

use klaxon_protocol::games::quiz::{SPEED_STEPS, STREAK_MOST, Scoring};
use klaxon_protocol::time::Span;

use super::Mark;

/// When an answer was read, and what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The players' time that had passed.
    pub elapsed: Span,
    /// All the time that players had.
    pub total: Span,
    /// Right answers directly before it.
    pub streak: u8,
}

/// The points for an answer, negative if it costs points. `places` are the points by place, if the question is paid so.
pub fn gained(scoring: Scoring, places: &[u32], mark: Mark, timing: Timing) -> i64 {
    match mark {
        Mark::Silent => 0,
        Mark::Wrong => -i64::from(scoring.penalty),
        Mark::Partly(share) => by_speed(share.take(scoring.points), scoring.speed, timing).into(),
        Mark::Right if !places.is_empty() => 0,
        Mark::Right => {
            i64::from(by_speed(scoring.points, scoring.speed, timing)) + i64::from(for_streak(scoring, timing.streak))
        }
        Mark::Placed(place) => {
            let index = usize::try_from(place).unwrap_or(usize::MAX).saturating_sub(1);
            places.get(index).map_or(0, |&points| points.into())
        }
    }
}

/// What is left of the points after `elapsed` of the time: the part that depends on speed goes down to nothing, in 50 steps, so that many
/// players have equal results.
fn by_speed(points: u32, speed: u8, Timing { elapsed, total, .. }: Timing) -> u32 {
    let for_speed = u64::from(points) * u64::from(speed) / 100;
    let remaining = u64::from(total.0.saturating_sub(elapsed.0));
    let step = u64::from(SPEED_STEPS) * remaining / u64::from(total.0.max(1));
    let left = u64::from(points) - for_speed + for_speed * step / u64::from(SPEED_STEPS);
    u32::try_from(left).expect("it is no more than the points")
}

/// What right answers directly before this one add; nothing to a question without points.
fn for_streak(scoring: Scoring, streak: u8) -> u32 {
    if scoring.points == 0 { 0 } else { scoring.streak * u32::from(streak.min(STREAK_MOST)) }
}
