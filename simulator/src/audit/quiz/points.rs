//! What an answer gains.

use super::marks::Mark;
use super::question::Pay;

/// The most right answers directly before one that add to it.
const STREAK_MOST: u32 = 5;
/// Points for speed go down in so many steps.
const STEPS: u64 = 50;

/// When an answer was read, and what came before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerTiming {
    /// The players' time that had passed, and all of it, in ms.
    pub elapsed: u64,
    pub total: u64,
    /// How many right answers came directly before.
    pub streak: u32,
}

/// The points for an answer; below 0 if it costs some.
pub(super) fn gained(pay: Pay, places: &[u32], mark: Mark, timing: AnswerTiming) -> i64 {
    match mark {
        Mark::Silent => 0,
        Mark::Wrong => -i64::from(pay.penalty),
        Mark::Part(share) => with_speed(u64::from(pay.points) * u64::from(share) / 10_000, pay, timing),
        Mark::Right if places.is_empty() => {
            let streak = if pay.points == 0 { 0 } else { pay.streak * timing.streak.min(STREAK_MOST) };
            with_speed(pay.points.into(), pay, timing) + i64::from(streak)
        }
        Mark::Right => 0,
        Mark::Place(place) => places.get(place - 1).copied().unwrap_or_default().into(),
    }
}

fn with_speed(points: u64, pay: Pay, timing: AnswerTiming) -> i64 {
    let for_speed = points * u64::from(pay.speed) / 100;
    let remaining = timing.total.saturating_sub(timing.elapsed);
    let steps = STEPS * remaining / timing.total.max(1);
    i64::try_from(points - for_speed + for_speed * steps / STEPS).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_amounts_of_the_rule_book() {
        let pay = Pay { points: 1000, speed: 50, streak: 100, penalty: 200 };
        let of = |elapsed, streak, mark| gained(pay, &[], mark, AnswerTiming { elapsed, total: 10_000, streak });
        let right = |elapsed, streak| of(elapsed, streak, Mark::Right);
        assert_eq!([right(0, 0), right(5_000, 0), right(10_000, 0), right(0, 7)], [1000, 750, 500, 1500]);
        assert_eq!([of(0, 3, Mark::Part(5_000)), of(0, 0, Mark::Wrong), of(0, 0, Mark::Silent)], [500, -200, 0]);
        assert_eq!(gained(pay, &[500, 300], Mark::Place(2), AnswerTiming { elapsed: 0, total: 1, streak: 4 }), 300);
    }
}
