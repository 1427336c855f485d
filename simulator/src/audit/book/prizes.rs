//! The division of a pot by docs/rules/trivia.md: in whole minor units; every unit is either paid or kept.

use klaxon_protocol::games::trivia::PrizeRule;

/// Each winner's prize, in the order of the ranking; winners of equal rank have equal `places`.
pub fn divide(pot: u64, rule: &PrizeRule, places: &[u32]) -> Vec<u64> {
    match rule {
        PrizeRule::Split => share(pot, places.len()),
        PrizeRule::Podium { weights } => {
            let weights = &weights[..weights.len().min(places.len())];
            let whole: u128 = weights.iter().copied().map(u128::from).sum();
            let part = |weight: u32| u128::from(pot) * u128::from(weight) / whole.max(1);
            let mut parts: Vec<u64> =
                weights.iter().map(|&weight| u64::try_from(part(weight)).unwrap_or(u64::MAX)).collect();
            let left = if parts.is_empty() { 0 } else { pot - parts.iter().sum::<u64>() };
            for part in parts.iter_mut().take(usize::try_from(left).unwrap_or(usize::MAX)) {
                *part += 1;
            }
            let mut prizes: Vec<u64> = Vec::with_capacity(places.len());
            while prizes.len() < places.len() {
                let first = prizes.len();
                let equals = places[first..].iter().take_while(|&&place| place == places[first]).count();
                let theirs = parts.iter().skip(first).take(equals).sum();
                prizes.extend(share(theirs, equals));
            }
            prizes
        }
    }
}

/// Equal shares; each of the first ones gets one unit of the remainder.
fn share(amount: u64, among: usize) -> Vec<u64> {
    let among = among as u64;
    (0..among).map(|number| amount / among + u64::from(number < amount % among)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rules() {
        let podium = PrizeRule::Podium { weights: vec![50, 30, 20] };
        assert_eq!(divide(100, &PrizeRule::Split, &[1, 1, 3]), [34, 33, 33]);
        assert_eq!(divide(1001, &podium, &[1, 2, 3, 4]), [501, 300, 200, 0]);
        assert_eq!(divide(800, &podium, &[1, 2]), [500, 300]);
        assert_eq!(divide(1000, &podium, &[1, 2, 2, 2]), [500, 167, 167, 166]);
        assert_eq!(divide(1000, &podium, &[]), Vec::<u64>::new());
        assert_eq!(divide(1000, &PrizeRule::Split, &[]), Vec::<u64>::new());
    }
}
