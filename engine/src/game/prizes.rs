//! How the pot is divided: in whole minor units, each of which is either paid or kept. docs/rules/trivia.md has the rule.

use klaxon_protocol::games::trivia::PrizeRule;

/// Each winner's part of the pot. `places` are the winners' places (from 1, ties share a place) in ranking order; the
/// parts have the same order. Without winners the result is empty; otherwise the parts sum to the pot exactly.
pub fn divide(pot: u64, rule: &PrizeRule, places: &[u32]) -> Vec<u64> {
    if places.is_empty() {
        return Vec::new();
    }
    match rule {
        PrizeRule::Split => evenly(pot, places.len()),
        PrizeRule::Podium { weights } => by_weight(pot, weights, places),
    }
}

/// The pot in `count` parts that are as equal as possible: the remainder goes to the first parts, one unit each.
pub fn evenly(pot: u64, count: usize) -> Vec<u64> {
    let count = count as u64;
    (0..count).map(|index| pot / count + u64::from(index < pot % count)).collect()
}

/// A part for each weight that has a winner; tied winners divide the sum of their parts equally.
fn by_weight(pot: u64, weights: &[u32], places: &[u32]) -> Vec<u64> {
    let paid = &weights[..weights.len().min(places.len())];
    let sum: u128 = paid.iter().map(|&weight| u128::from(weight)).sum();
    let mut parts: Vec<u64> = paid
        .iter()
        .map(|&weight| {
            u64::try_from(u128::from(pot) * u128::from(weight) / sum).expect("a part is no more than the pot")
        })
        .collect();
    // Each part was rounded down by less than one unit, so the remainder has fewer units than there are parts.
    let left = pot - parts.iter().sum::<u64>();
    let left = usize::try_from(left).expect("fewer units are left than there are parts");
    assert!(left <= parts.len(), "{left} units are left of {} parts", parts.len());
    parts.iter_mut().take(left).for_each(|part| *part += 1);

    by_place(&parts, places)
}

/// What the winners get if each place pays an amount: tied winners divide the sum of the amounts of the places that they take equally.
pub fn by_place(amounts: &[u64], places: &[u32]) -> Vec<u64> {
    let mut prizes = Vec::with_capacity(places.len());
    for equals in places.chunk_by(|a, b| a == b) {
        let shared = amounts.iter().skip(prizes.len()).take(equals.len()).sum();
        prizes.extend(evenly(shared, equals.len()));
    }
    prizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn podium(weights: &[u32]) -> PrizeRule {
        PrizeRule::Podium { weights: weights.to_vec() }
    }

    #[test]
    fn survivors_share_evenly_and_the_first_get_what_does_not_divide() {
        assert_eq!(divide(100, &PrizeRule::Split, &[1, 2, 3]), [34, 33, 33]);
        assert_eq!(divide(2, &PrizeRule::Split, &[1, 1, 1]), [1, 1, 0]);
    }

    #[test]
    fn a_podium_is_paid_by_weight() {
        assert_eq!(divide(1000, &podium(&[50, 30, 20]), &[1, 2, 3, 4]), [500, 300, 200, 0]);
        assert_eq!(divide(1001, &podium(&[50, 30, 20]), &[1, 2, 3]), [501, 300, 200]);
    }

    #[test]
    fn fewer_winners_than_places_share_the_whole_pot_by_their_weights() {
        assert_eq!(divide(800, &podium(&[50, 30, 20]), &[1, 2]), [500, 300]);
    }

    #[test]
    fn equals_share_the_parts_of_the_places_they_take() {
        assert_eq!(divide(1000, &podium(&[50, 30, 20]), &[1, 1, 3]), [400, 400, 200]);
        assert_eq!(divide(1000, &podium(&[50, 30, 20]), &[1, 2, 2, 2]), [500, 167, 167, 166]);
    }

    proptest! {
        #[test]
        fn prizes_sum_to_the_pot_and_a_better_place_never_wins_less(
            pot in 0u64..(1 << 53),
            split: bool,
            mut weights in proptest::collection::vec(1u32..=1_000_000, 1..100),
            ties in proptest::collection::vec(any::<bool>(), 1..300),
        ) {
            weights.sort_unstable_by(|a, b| b.cmp(a));
            let mut places = Vec::new();
            for (index, &tie) in ties.iter().enumerate() {
                let place = u32::try_from(index).unwrap() + 1;
                places.push(if tie { places.last().copied().unwrap_or(place) } else { place });
            }
            let rule = if split { PrizeRule::Split } else { podium(&weights) };
            let prizes = divide(pot, &rule, &places);
            prop_assert_eq!(prizes.len(), places.len());
            prop_assert_eq!(prizes.iter().sum::<u64>(), pot);
            for pair in 1..prizes.len() {
                if places[pair] == places[pair - 1] {
                    prop_assert!(prizes[pair - 1] - prizes[pair] <= 1);
                } else if pair < weights.len() || split {
                    // A rounding unit may go to the worse of two equal weights' places only if it went to the better too.
                    prop_assert!(prizes[pair - 1] + 1 >= prizes[pair]);
                }
            }
        }
    }
}
