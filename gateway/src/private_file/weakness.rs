//! Detection of secrets that can be guessed because they have a pattern.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// The shortest period of a secret, in bytes.
const FEWEST_BYTES: usize = 32;
/// The shortest period, in bytes, if the text is an encoding of the secret: 128 bits.
const FEWEST_DECODED_BYTES: usize = 16;
/// The fewest different bytes. Of 32 random hexadecimal digits, one text in 25 million has fewer; of other texts even
/// less.
const FEWEST_DIFFERENT: usize = 8;
/// The number of bytes whose recurrence counts as a repetition, not as chance.
const REPETITION: usize = 10;
/// The keys of a keyboard, in order.
const KEYBOARD: &[u8] = b"1234567890qwertyuiopasdfghjklzxcvbnm";
/// Secrets that are published in manuals and on web sites.
const PUBLISHED: [&str; 4] =
    ["a-string-secret-at-least-256-bits-long", "your-256-bit-secret", "your-384-bit-secret", "your-512-bit-secret"];

/// Why a secret can be guessed, if that is detected: it repeats, it counts, it has few different bytes, or it was
/// published. The text itself is checked and, if it is hexadecimal or base64, the bytes that it encodes.
#[must_use]
pub fn weakness(secret: &[u8]) -> Option<&'static str> {
    if PUBLISHED.iter().any(|published| secret.eq_ignore_ascii_case(published.as_bytes())) {
        return Some("it is a published example");
    }
    pattern(secret, FEWEST_BYTES).or_else(|| {
        std::str::from_utf8(secret)
            .ok()
            .into_iter()
            .flat_map(decodings)
            .find_map(|decoded| pattern(&decoded, FEWEST_DECODED_BYTES))
    })
}

fn pattern(secret: &[u8], fewest_bytes: usize) -> Option<&'static str> {
    let different = |bytes: &mut dyn Iterator<Item = u8>| bytes.collect::<BTreeSet<u8>>().len();
    if different(&mut secret.iter().copied()) < FEWEST_DIFFERENT {
        return Some("it has too few different characters");
    }
    if period(secret).is_some_and(|period| period < fewest_bytes) {
        return Some("it is a short text, repeated");
    }
    let steps = |apart: usize| secret.iter().zip(&secret[apart..]).map(|(one, next)| next.wrapping_sub(*one));
    // A sequence repeats the same few steps; two interleaved sequences do so at every second byte.
    if [1, 2].iter().any(|&apart| different(&mut steps(apart)) < FEWEST_DIFFERENT) {
        return Some("it is a sequence");
    }
    let keys: Vec<u8> = secret.iter().map(|byte| key(*byte)).collect();
    [secret, &keys].iter().any(|bytes| goes_on(bytes)).then_some("it is a sequence")
}

/// Whether most bytes are neighbours of the byte before them.
fn goes_on(bytes: &[u8]) -> bool {
    let steps = bytes.iter().zip(&bytes[1..]).map(|(one, next)| next.wrapping_sub(*one));
    steps.filter(|step| matches!(*step, 0 | 1 | u8::MAX)).count() * 3 > bytes.len() * 2
}

/// A character's position on the keyboard; for others the character itself.
fn key(byte: u8) -> u8 {
    let place = KEYBOARD.iter().position(|key| key.eq_ignore_ascii_case(&byte));
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(byte)
}

/// The period after which the secret repeats, allowing for a few changed bytes.
fn period(secret: &[u8]) -> Option<usize> {
    let longest = secret.len().checked_sub(REPETITION)?;
    (1..=longest).find(|&period| {
        let again = secret.iter().zip(&secret[period..]).filter(|(one, again)| one == again).count();
        again * 4 >= (secret.len() - period) * 3
    })
}

/// The bytes that the text encodes, if it is an encoding of at least 128 bits.
fn decodings(text: &str) -> Vec<Vec<u8>> {
    let base64 = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|form| form.decode(text).ok());
    hexadecimal(text).into_iter().chain(base64).filter(|decoded| decoded.len() >= FEWEST_DECODED_BYTES).collect()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_in_which_a_pattern_shows_are_weak() {
        let counting: Vec<u8> = (0..64).collect();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut weak: Vec<String> = [
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "abababababababababababababababababababab",
            "passwordpasswordpasswordpassword",
            "changemechangemechangemechangeme!",
            "0123456789abcdef0123456789abcdef",
            "qwertyuiopasdfghjklzxcvbnmqwertyu",
            "QwErTyUiOpAsDfGhJkLzXcVbNm123456",
            "mnbvcxzlkjhgfdsapoiuytrewq098765",
            "0123456789012345678901234567890123456789",
            "0123456789abcdefghijklmnopqrstuvwxyz",
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            "0123456789abcdeffedcba9876543210",
            "00112233445566778899aabbccddeeff",
            "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb",
            "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
            "your-256-bit-secret-your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "11111111112222222222333333333344",
            "                                ",
        ]
        .map(str::to_owned)
        .into();
        weak.extend([hex(&counting[..32]), hex(&counting[..16]), hex(&[0; 32]), hex(&[1, 2, 3, 4].repeat(8))]);
        weak.extend([
            STANDARD.encode(&counting[1..33]),
            URL_SAFE_NO_PAD.encode(&counting[..32]),
            STANDARD.encode([7; 32]),
        ]);
        for secret in weak {
            assert!(weakness(secret.as_bytes()).is_some(), "{secret}");
        }
        assert!(weakness(&[0; 32]).is_some() && weakness(&counting).is_some() && weakness(&[255; 64]).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]
        #[test]
        fn no_random_secret_is_weak_in_whatever_form_it_is_written(bytes in any::<[u8; 32]>().no_shrink()) {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            // 128 bits in hexadecimal are the shortest that anybody generates.
            let forms = [bytes.to_vec(), hex.clone().into(), hex.to_uppercase().into(), hex[..32].into(),
                         STANDARD.encode(bytes).into(), URL_SAFE_NO_PAD.encode(bytes).into(), hex.repeat(2).into()];
            for form in forms {
                prop_assert_eq!(weakness(&form), None, "{:?}", String::from_utf8_lossy(&form));
            }
        }
    }
}
