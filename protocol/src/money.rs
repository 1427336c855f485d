//! Amounts of money and other large numbers, as people read them.

/// The currencies of ISO 4217 whose minor unit is not a hundredth: the number of decimal digits, and the currencies'
/// codes.
const DIGITS: [(usize, &[&str]); 3] = [
    (
        0,
        &[
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
            "XOF", "XPF",
        ],
    ),
    (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
    (4, &["CLF", "UYW"]),
];

/// The number of decimal digits of a currency's minor unit; 2 if ISO 4217 does not have the currency.
#[must_use]
pub fn minor_digits(currency: &str) -> usize {
    DIGITS.iter().find(|(_, codes)| codes.contains(&currency)).map_or(2, |&(digits, _)| digits)
}

/// An amount in minor units: 123456 is `1,234.56 EUR`, `123,456 JPY` and `123.456 KWD`.
#[must_use]
pub fn money(minor: u64, currency: &str) -> String {
    let digits = minor_digits(currency);
    let unit = 10_u64.pow(u32::try_from(digits).unwrap_or_default());
    let whole = grouped(minor / unit);
    match digits {
        0 => format!("{whole} {currency}"),
        _ => format!("{whole}.{:0digits$} {currency}", minor % unit),
    }
}

/// 1234567 as `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_as_many_decimals_as_its_currency() {
        assert_eq!(money(123_456, "EUR"), "1,234.56 EUR");
        assert_eq!(money(123_456, "JPY"), "123,456 JPY");
        assert_eq!(money(123_456, "KWD"), "123.456 KWD");
        assert_eq!(money(123_456, "CLF"), "12.3456 CLF");
        assert_eq!(money(5, "EUR"), "0.05 EUR");
        assert_eq!(money(5, "TND"), "0.005 TND");
        assert_eq!(money(0, "KRW"), "0 KRW");
        assert_eq!(money(u64::MAX, "USD"), "184,467,440,737,095,516.15 USD");
    }

    #[test]
    fn a_code_is_listed_once_and_one_that_nobody_knows_has_hundredths() {
        let mut codes: Vec<&str> = DIGITS.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
        assert!(codes.iter().all(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())));
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
        assert_eq!((minor_digits("EUR"), minor_digits("ZZZ"), minor_digits("")), (2, 2, 2));
    }

    #[test]
    fn large_numbers_are_grouped_by_three() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
