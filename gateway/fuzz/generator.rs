//! Bytes that are mostly WebSocket frames of a client, and the reads in which they come.

use std::ops::Range;

use klaxon_protocol::player::LARGEST_MESSAGE;
use proptest::prelude::*;
use proptest::test_runner::TestRng;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Texts with characters of one to four bytes, which fragments and reads cut anywhere.
const TEXTS: [&str; 5] =
    [r#"{"type":"answer","question":3,"choice":1}"#, r#"{"type":"react","emoji":"❤️"}"#, "äöü", "👏😂🔥", "a"];
/// What is a fault in text: lone and missing continuations, overlong forms, surrogates, beyond the last character.
const NO_TEXTS: [&[u8]; 6] = [b"\x80", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x91"];
/// The lengths where something changes.
const LENGTHS: [usize; 8] = [0, 124, 125, 126, 127, LARGEST_MESSAGE - 1, LARGEST_MESSAGE, LARGEST_MESSAGE + 1];
const CLOSE_CODES: [u16; 16] =
    [0, 999, 1000, 1001, 1002, 1004, 1005, 1006, 1007, 1011, 1015, 1016, 2999, 3000, 4999, 5000];

fn one_in(rng: &mut TestRng, many: u32) -> bool {
    rng.random_ratio(1, many)
}

fn one_of<T: Copy>(rng: &mut TestRng, some: &[T]) -> T {
    some[rng.random_range(0..some.len())]
}

/// A client's frames; in some of the inputs damaged.
pub(super) fn bytes(rng: &mut TestRng) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What is still to come of a message in fragments.
    let mut open: Option<Vec<u8>> = None;
    for _ in 0..rng.random_range(1..8) {
        let kind = kind(rng, open.is_some());
        let control = kind >= CLOSE;
        let last = if control { !one_in(rng, 50) } else { rng.random_ratio(3, 5) };
        let payload = match kind {
            CLOSE => close(rng),
            control if control > CLOSE => noise(rng, 125),
            _ => {
                let mut message = match open.take() {
                    Some(rest) if kind == CONTINUATION => rest,
                    _ if kind == BINARY => noise(rng, 300),
                    _ => text(rng),
                };
                if !last {
                    let part = rng.random_range(0..=message.len());
                    open = Some(message.split_off(part));
                }
                message
            }
        };
        frame(rng, kind, last, &payload, &mut bytes);
    }
    if one_in(rng, 3) {
        for _ in 0..rng.random_range(1..4) {
            damage(rng, &mut bytes);
        }
    }
    bytes
}

/// A kind of frame that mostly may come now.
fn kind(rng: &mut TestRng, open: bool) -> u8 {
    match rng.random_range(0..100) {
        0..68 if open => CONTINUATION,
        0..45 => TEXT,
        45..68 => BINARY,
        68..80 => PING,
        80..90 => PONG,
        90..93 => CLOSE,
        93..95 => CONTINUATION,
        95..97 => TEXT,
        _ => rng.random_range(0..16),
    }
}

fn text(rng: &mut TestRng) -> Vec<u8> {
    let least = if one_in(rng, 8) { one_of(rng, &LENGTHS) } else { rng.random_range(0..100) };
    let mut text = Vec::new();
    while text.len() < least {
        let one = one_of(rng, &TEXTS);
        // The last ones are of one byte each, so that the length is met.
        text.extend_from_slice(if text.len() + one.len() <= least { one.as_bytes() } else { b"x" });
    }
    if one_in(rng, 15) {
        let at = rng.random_range(0..=text.len());
        text.splice(at..at, one_of(rng, &NO_TEXTS).iter().copied());
    }
    text
}

fn noise(rng: &mut TestRng, most: usize) -> Vec<u8> {
    let length = if one_in(rng, 12) { one_of(rng, &LENGTHS) } else { rng.random_range(0..=most) };
    let mut noise = vec![0; length];
    rng.fill_bytes(&mut noise);
    noise
}

fn close(rng: &mut TestRng) -> Vec<u8> {
    let code = if one_in(rng, 4) { rng.random() } else { one_of(rng, &CLOSE_CODES) };
    match rng.random_range(0..8) {
        0 => Vec::new(),
        1 => vec![3],
        2 => [&code.to_be_bytes()[..], one_of(rng, &NO_TEXTS)].concat(),
        3 => [&code.to_be_bytes()[..], &text(rng)].concat(),
        _ => code.to_be_bytes().to_vec(),
    }
}

fn frame(rng: &mut TestRng, kind: u8, last: bool, payload: &[u8], bytes: &mut Vec<u8>) {
    let reserved = if one_in(rng, 60) { rng.random_range(0..8) << 4 } else { 0 };
    let masked = !one_in(rng, 60);
    bytes.push(u8::from(last) << 7 | reserved | kind);
    let length = if one_in(rng, 100) { rng.random() } else { payload.len() as u64 };
    let marked = |form: u8| u8::from(masked) << 7 | form;
    // Some write a length longer than it need be.
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) if !one_in(rng, 12) => bytes.push(marked(length)),
        (_, Ok(length)) if !one_in(rng, 12) => {
            bytes.push(marked(126));
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(marked(127));
            bytes.extend(length.to_be_bytes());
        }
    }
    let mask: [u8; 4] = if !masked || one_in(rng, 10) { [0; 4] } else { rng.random() };
    if masked {
        bytes.extend(mask);
    }
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

fn damage(rng: &mut TestRng, bytes: &mut Vec<u8>) {
    let at = rng.random_range(0..=bytes.len());
    match (rng.random_range(0..5), bytes.get_mut(at)) {
        (0, Some(byte)) => *byte = rng.random(),
        (1, Some(byte)) => *byte ^= 1 << rng.random_range(0..8),
        (2, Some(_)) => drop(bytes.remove(at)),
        (3, _) => bytes.truncate(at),
        _ => bytes.insert(at, rng.random()),
    }
}

/// The reads in which so many bytes come: all in one, in two, in some, or each byte alone.
pub(super) fn reads(rng: &mut TestRng, bytes: usize) -> Vec<Range<usize>> {
    let style = rng.random_range(0..10);
    let (mut reads, mut from) = (Vec::new(), 0);
    while from < bytes {
        let left = bytes - from;
        let length = match style {
            0..4 => left,
            4..6 if from > 0 => left,
            4..6 => rng.random_range(1..=left),
            6..9 => rng.random_range(1..=left.min(40)),
            _ => 1,
        };
        reads.push(from..from + length);
        from += length;
    }
    reads
}
