//! JSON like an answer's: right, nearly right, and right in ways that nobody writes.

use proptest::prelude::*;
use proptest::test_runner::TestRng;

use super::messages::{damage, one_in, one_of};

const KEYS: [&str; 3] = ["type", "question", "choice"];
const ODD_KEYS: [&str; 8] = ["seat", "Type", "typ\\u0065", "que\\stion", "choices", "", "types", "a\\\"b"];
const ODD_TYPES: [&str; 8] =
    ["\"leave\"", "\"answe\\u0072\"", "\"answers\"", "\"Answer\"", "\"\"", "null", "1", "[\"answer\"]"];
/// At, over and far over the limits of both numbers, and what is no number or no whole one.
const ODD_NUMBERS: [&str; 26] = [
    "255",
    "256",
    "257",
    "511",
    "65535",
    "65536",
    "65537",
    "131071",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211457",
    "00",
    "01",
    "-0",
    "-1",
    "1.0",
    "1.",
    "1e0",
    "1E2",
    "+1",
    "0x1",
    "\"1\"",
    "null",
    "[1]",
    "{\"a\":{}}",
];
const SPACES: [&str; 7] = [" ", "\n", "\r\n\t", "  ", "\u{a0}", "\u{c}", "\0"];
const ENDS: [&str; 8] = ["}", "}}", "", ",}", "} ", "}\n", "}x", "]"];

/// An answer in JSON, or what could be taken for one.
pub(super) fn json(rng: &mut TestRng) -> Vec<u8> {
    let mut keys = KEYS.to_vec();
    for last in (1..keys.len()).rev() {
        keys.swap(last, rng.random_range(0..=last));
    }
    match rng.random_range(0..20) {
        0 => drop(keys.pop()),
        1 => keys.push(one_of(rng, &KEYS)),
        2 | 3 => keys.insert(rng.random_range(0..=keys.len()), one_of(rng, &ODD_KEYS)),
        4 => keys[rng.random_range(0..3)] = one_of(rng, &ODD_KEYS),
        _ => {}
    }
    let mut tokens = vec!["{".to_owned()];
    for (place, key) in keys.iter().enumerate() {
        if place > 0 {
            tokens.push(if one_in(rng, 100) { ";" } else { "," }.into());
        }
        tokens.push(format!("\"{key}\""));
        tokens.push(if one_in(rng, 100) { "=" } else { ":" }.into());
        tokens.push(value(rng, key));
    }
    tokens.push(if one_in(rng, 15) { one_of(rng, &ENDS) } else { "}" }.into());
    let spaced = one_in(rng, 4);
    let mut json = String::new();
    for token in tokens {
        if spaced && one_in(rng, 3) {
            // Some of them are not white to JSON.
            let most = if one_in(rng, 20) { SPACES.len() } else { 4 };
            json.push_str(one_of(rng, &SPACES[..most]));
        }
        json.push_str(&token);
    }
    let mut json = json.into_bytes();
    if one_in(rng, 6) {
        damage(rng, &mut json);
    }
    json
}

fn value(rng: &mut TestRng, key: &str) -> String {
    let odd = one_in(rng, 8);
    match key {
        "type" if odd => one_of(rng, &ODD_TYPES).into(),
        "type" => "\"answer\"".into(),
        _ if odd => one_of(rng, &ODD_NUMBERS).into(),
        "question" => rng.random_range(0..300_u32).to_string(),
        _ => rng.random_range(0..8_u32).to_string(),
    }
}
