//! What the values of claims mean: numbers, sets of choices and orders in the 64 bits of a claim.

/// A claim's value for this number: zig-zag, so that small negative numbers are small values (0, -1, 1, -2 are 0, 1, 2, 3).
#[must_use]
pub const fn number_to_bits(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The number that a claim's value means.
#[must_use]
pub const fn number_of_bits(bits: u64) -> i64 {
    (bits >> 1).cast_signed() ^ -((bits & 1).cast_signed())
}

/// A claim's value for a set of choices: bit n is choice n.
#[must_use]
pub fn set_to_bits(choices: &[u8]) -> u64 {
    choices.iter().fold(0, |bits, choice| bits | 1 << (choice & 63))
}

/// A claim's value for an order: the item at place n is in the four bits from bit 4n.
#[must_use]
pub fn order_to_bits(items: &[u8]) -> u64 {
    items.iter().take(16).rev().fold(0, |bits, item| bits << 4 | u64::from(item & 15))
}

/// The item that an order has at this place.
#[must_use]
pub const fn item_at(bits: u64, place: u32) -> u8 {
    (bits >> (4 * place) & 15) as u8
}

/// Whether the value is an order of so many items, each once.
#[must_use]
pub fn is_order(bits: u64, items: u32) -> bool {
    let fits = items >= 16 || bits >> (4 * items) == 0;
    let seen = (0..items.min(16)).fold(0u32, |seen, place| seen | 1 << item_at(bits, place));
    fits && seen == (1 << items.min(16)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_values_of_the_rule_book() {
        assert_eq!([0, -1, 1, -2, 314].map(number_to_bits), [0, 1, 2, 3, 628]);
        assert_eq!(set_to_bits(&[0, 3]), 0b1001);
        assert_eq!(order_to_bits(&[2, 0, 1]), 0x102);
        assert!(is_order(0x102, 3));
        assert!(!is_order(0x112, 3) && !is_order(0x1102, 3) && !is_order(0x302, 3));
    }

    proptest! {
        #[test]
        fn every_number_comes_back(number: i64) {
            prop_assert_eq!(number_of_bits(number_to_bits(number)), number);
        }

        #[test]
        fn every_order_comes_back(order in (2u8..=16).prop_flat_map(|items| Just((0..items).collect::<Vec<_>>()).prop_shuffle())) {
            let bits = order_to_bits(&order);
            prop_assert!(is_order(bits, u32::try_from(order.len()).unwrap()));
            for (place, &item) in (0..).zip(&order) {
                prop_assert_eq!(item_at(bits, place), item);
            }
        }
    }
}
