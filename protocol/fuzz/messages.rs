//! True messages of every kind, and what damage makes of them.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::codec::Codec;
use crate::player::{FromPlayer, ToPlayer};

/// So many messages to each side.
const MESSAGES: usize = 500;

/// What JSON is made of, and numbers and texts that some reader may not expect.
const TOKENS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "1.5",
    "99999999999999999999",
    "\\u0000",
    "\\ud800",
    "\\",
    "\"type\":\"answer\",",
    "\"type\"",
    "\"seq\":1,",
    "\u{202e}",
    "👏",
    " ",
    "{\"a\":[{}]}",
];

/// True messages, in both codecs.
pub(super) struct Corpus {
    json: Vec<Vec<u8>>,
    bincode: Vec<Vec<u8>>,
}

impl Corpus {
    /// Always the same messages.
    pub fn new() -> Self {
        // proptest holds a message's strategy by value, which takes a deep stack.
        let make = || {
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
            let said: Vec<FromPlayer> = some(&mut runner);
            let heard: Vec<ToPlayer> = some(&mut runner);
            let encode = |codec: Codec| {
                let said = said.iter().map(|message| codec.encode(message));
                said.chain(heard.iter().map(|message| codec.encode(message))).collect()
            };
            Self { json: encode(Codec::Json), bincode: encode(Codec::Bincode) }
        };
        std::thread::Builder::new().stack_size(64 << 20).spawn(make).unwrap().join().unwrap()
    }

    /// One of the messages; most are damaged.
    pub fn damaged(&self, rng: &mut TestRng, codec: Codec) -> Vec<u8> {
        let messages = match codec {
            Codec::Json => &self.json,
            Codec::Bincode => &self.bincode,
        };
        let mut bytes = messages[rng.random_range(0..messages.len())].clone();
        if one_in(rng, 10) {
            // The front of one message, and the end of another.
            let other = &messages[rng.random_range(0..messages.len())];
            bytes.truncate(rng.random_range(0..=bytes.len()));
            bytes.extend_from_slice(&other[rng.random_range(0..=other.len())..]);
        }
        for _ in 0..rng.random_range(0..3) {
            if codec == Codec::Json && one_in(rng, 2) {
                let at = rng.random_range(0..=bytes.len());
                bytes.splice(at..at, one_of(rng, &TOKENS).bytes());
            } else {
                damage(rng, &mut bytes);
            }
        }
        bytes
    }
}

fn some<T: Arbitrary>(runner: &mut TestRunner) -> Vec<T> {
    let messages = any::<T>();
    (0..MESSAGES).map(|_| messages.new_tree(runner).unwrap().current()).collect()
}

pub(super) fn one_in(rng: &mut TestRng, many: u32) -> bool {
    rng.random_ratio(1, many)
}

pub(super) fn one_of<'t>(rng: &mut TestRng, some: &[&'t str]) -> &'t str {
    some[rng.random_range(0..some.len())]
}

/// Changes, adds or takes away a byte or some.
pub(super) fn damage(rng: &mut TestRng, bytes: &mut Vec<u8>) {
    let at = rng.random_range(0..=bytes.len());
    match (rng.random_range(0..6), bytes.get_mut(at)) {
        (0, Some(byte)) => *byte = rng.random(),
        (1, Some(byte)) => *byte ^= 1 << rng.random_range(0..8),
        (2, Some(_)) => drop(bytes.remove(at)),
        (3, Some(_)) => drop(bytes.drain(at..bytes.len().min(at + 4))),
        (4, _) => bytes.truncate(at),
        _ => bytes.insert(at, rng.random()),
    }
}
