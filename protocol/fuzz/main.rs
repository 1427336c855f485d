//! Players' messages, damaged and written in unusual ways, go through every reader: nothing panics, what is read and written
//! again is read as the same, and the fast way to read an answer says what serde says.
//!
//! `make fuzz` runs millions of inputs, `cargo test` some thousands. Each is made from its number alone. The unit tests have these files among
//! them, for the messages' strategies of proptest are theirs.

mod answers;
mod messages;

use std::env;
use std::fmt::Debug;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde::Serialize;

use super::{FROM_PLAYER_TYPES, FromPlayer, ToPlayer};
use crate::binary::Encode;
use crate::codec::{Codec, Message};
use crate::games::trivia::quick_answer;
use messages::Corpus;

/// What the inputs were to their readers.
#[derive(Debug, Default)]
struct Tally {
    /// JSON made to be like an answer: read the fast way, left to serde which read it, refused.
    answers_fast: usize,
    answers_by_serde: usize,
    answers_refused: usize,
    /// Damaged messages, by codec: read all the same, refused.
    json_read: usize,
    json_refused: usize,
    bincode_read: usize,
    bincode_refused: usize,
}

/// The fast way says nothing, or what serde says. Whether it was read, and the fast way.
fn agrees_with_serde(json: &[u8]) -> (bool, bool) {
    let by_serde = serde_json::from_slice::<FromPlayer>(json).ok();
    let fast = quick_answer(json).map(FromPlayer::Answer);
    let shown = String::from_utf8_lossy(json);
    if fast.is_some() {
        assert_eq!(fast, by_serde, "{shown}");
    }
    let read = FromPlayer::decode(Codec::Json, json).ok();
    // Serde refuses a null where something has a default.
    let may_differ = by_serde.is_none() && shown.contains("null");
    assert!(read == by_serde || may_differ, "{shown}: {read:?} and {by_serde:?}");
    (by_serde.is_some(), fast.is_some())
}

/// Whether these bytes are such a message; if so it comes back from what either codec makes of it.
fn comes_back<T>(codec: Codec, bytes: &[u8]) -> bool
where
    T: Debug + PartialEq + Serialize + Encode + Message,
{
    let Ok(message) = codec.decode::<T>(bytes, FROM_PLAYER_TYPES) else { return false };
    for codec in Codec::ALL {
        let back = codec.decode::<T>(&codec.encode(&message), &[]);
        assert_eq!(back.as_ref(), Ok(&message), "in {codec:?}, from {bytes:02x?}");
    }
    true
}

fn run_answer(rng: &mut TestRng, tally: &mut Tally) {
    let place = match agrees_with_serde(&answers::json(rng)) {
        (_, true) => &mut tally.answers_fast,
        (true, false) => &mut tally.answers_by_serde,
        (false, false) => &mut tally.answers_refused,
    };
    *place += 1;
}

fn run_message(rng: &mut TestRng, corpus: &Corpus, codec: Codec, tally: &mut Tally) {
    let bytes = corpus.damaged(rng, codec);
    let said = comes_back::<FromPlayer>(codec, &bytes);
    let heard = comes_back::<ToPlayer>(codec, &bytes);
    if codec == Codec::Json {
        agrees_with_serde(&bytes);
    }
    let place = match (codec, said || heard) {
        (Codec::Json, true) => &mut tally.json_read,
        (Codec::Json, false) => &mut tally.json_refused,
        (Codec::Bincode, true) => &mut tally.bincode_read,
        (Codec::Bincode, false) => &mut tally.bincode_refused,
    };
    *place += 1;
}

/// Runs so many inputs: half of them like answers, and a quarter for each codec.
fn run_many(inputs: u64) -> Tally {
    let corpus = Corpus::new();
    let mut tally = Tally::default();
    for number in 0..inputs {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        match number % 4 {
            0 => run_message(&mut rng, &corpus, Codec::Json, &mut tally),
            1 => run_message(&mut rng, &corpus, Codec::Bincode, &mut tally),
            _ => run_answer(&mut rng, &mut tally),
        }
    }
    tally
}

#[test]
fn many_kinds_of_bytes_are_read_alike_by_all_readers() {
    let inputs = env::var("KLAXON_FUZZ_INPUTS").map_or(8_000, |inputs| inputs.parse().unwrap());
    let tally = run_many(inputs);
    println!("{inputs} inputs, no difference: {tally:#?}");
    let Tally { answers_fast, answers_by_serde, answers_refused, .. } = tally;
    let Tally { json_read, json_refused, bincode_read, bincode_refused, .. } = tally;
    let all = [answers_fast, answers_by_serde, answers_refused, json_read, json_refused, bincode_read, bincode_refused];
    assert!(all.iter().all(|&count| count >= 200), "the generator reaches too little: {all:?}");
}

proptest! {
    #[test]
    fn the_fast_way_says_what_serde_says_and_shrinks(draws in prop::collection::vec(any::<u8>(), 0..600)) {
        agrees_with_serde(&answers::json(&mut TestRng::from_seed(RngAlgorithm::PassThrough, &draws)));
    }

    #[test]
    fn the_fast_way_says_what_serde_says_of_any_text(text in r#"[{}\[\]",:0-9a-z \\-]{0,60}"#) {
        agrees_with_serde(text.as_bytes());
    }
}
