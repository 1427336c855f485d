//! Points for a right answer: the faster the more, and more for a streak. docs/rules/trivia.md has the formula.

use klaxon_protocol::time::Span;

/// The points that a right answer earns at least.
pub const LEAST: u32 = 500;
/// The additional points of the fastest possible answer.
pub const SPEED: u32 = 500;
/// Points for speed are multiples of this, so that many players have equal results and share their frames.
pub const STEP: u32 = 10;
/// Points for each consecutive right answer right before this one.
pub const STREAK_STEP: u32 = 100;
/// How many consecutive right answers earn points at most.
pub const STREAK_MOST: u32 = 5;

/// The points for a right answer after `elapsed` of `total`, following `streak` right answers in a row: 500 to 1500. Unless the show pays
/// for speed, the time counts for nothing.
pub fn points(elapsed: Span, total: Span, streak: u8, speed_points: bool) -> u32 {
    let elapsed = if speed_points { elapsed } else { Span(0) };
    // A question is open for 10 min at most, so this does not overflow 32 bits, whose division is faster than that of
    // 64 bits.
    let remaining = total.0.saturating_sub(elapsed.0);
    let speed = (SPEED / STEP).saturating_mul(remaining) / total.0.max(1) * STEP;
    LEAST + speed + STREAK_STEP * u32::from(streak).min(STREAK_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rule_book() {
        let ten = Span(10_000);
        let points = |elapsed, total, streak| points(elapsed, total, streak, true);
        assert_eq!(points(Span(0), ten, 0), 1000);
        assert_eq!(points(Span(5_000), ten, 0), 750);
        assert_eq!(points(Span(9_999), ten, 0), 500);
        assert_eq!(points(Span(0), ten, 2), 1200);
        assert_eq!(points(Span(0), ten, 200), 1500);
    }

    proptest! {
        #[test]
        fn without_points_for_speed_only_the_streak_counts(elapsed in 0u32..10_000, streak in 0u8..9) {
            let expected = 1000 + 100 * u32::from(streak.min(5));
            prop_assert_eq!(points(Span(elapsed), Span(10_000), streak, false), expected);
        }

        #[test]
        fn a_faster_answer_never_earns_less(a in 0u32..10_000, b in 0u32..10_000, streak in 0u8..9) {
            let (fast, slow) = (a.min(b), a.max(b));
            let points = |elapsed| points(Span(elapsed), Span(10_000), streak, true);
            prop_assert!(points(fast) >= points(slow));
        }
    }
}
