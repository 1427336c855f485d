//! Numbers as people read them.

/// 1234567 as `1,234,567`.
pub fn count(number: u64) -> String {
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

/// Milliseconds in the unit that fits: `0.25 ms`, `12 ms`, `3.4 s`.
pub fn time(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}

/// Bytes in the unit that fits.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{amount:.1} {}", UNITS[unit]) }
}

/// Minor units as money: 123456 EUR as `1,234.56 EUR`.
pub fn money(minor: u64, currency: &str) -> String {
    format!("{}.{:02} {currency}", count(minor / 100), minor % 100)
}

/// A part of a whole in percent; nothing of nothing is 0.
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// The letter of a choice: A for 0.
pub fn letter(choice: u8) -> char {
    char::from(b'A'.saturating_add(choice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.254, 12.3, 3400.0].map(time), ["0.25 ms", "12 ms", "3.4 s"]);
        assert_eq!([5, 2048, 3 << 20].map(bytes), ["5 B", "2.0 KiB", "3.0 MiB"]);
        assert_eq!(money(123_456, "EUR"), "1,234.56 EUR");
        assert_eq!(percent(1, 4), 25.0);
        assert_eq!(percent(0, 0), 0.0);
        assert_eq!(letter(2), 'C');
    }
}
