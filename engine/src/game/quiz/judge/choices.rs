//! Several choices of which several are right: all, or by share.

use super::Share;

/// The share of a set of choices that is right, by the weight of each choice: what the chosen ones add up to, of what the right ones do. Wrong
/// choices take away from it, so that who chooses all of them gains nothing by it.
pub fn by_weights(weights: &[i8], chosen: u64) -> Share {
    let sum: i64 = weights
        .iter()
        .enumerate()
        .filter(|(choice, _)| chosen >> choice & 1 == 1)
        .map(|(_, &weight)| i64::from(weight))
        .sum();
    let whole: i64 = weights.iter().filter(|weight| **weight > 0).map(|&weight| i64::from(weight)).sum();
    let has_wrong = weights.iter().enumerate().any(|(choice, weight)| chosen >> choice & 1 == 1 && *weight <= 0);
    let share = Share::of(u64::try_from(sum).unwrap_or(0), whole.unsigned_abs());
    // With a weight of 0 a wrong choice costs nothing, but the answer is not right.
    if has_wrong && share == Share::WHOLE { Share::of(9_999, 10_000) } else { share }
}
