//! [`Wire`] and plain tungstenite are given the same bytes in the same reads, and must agree.
//!
//! `make fuzz` runs millions of inputs, `cargo test` some thousands. Each is made from its number alone. The unit tests have these files among
//! them, for what a connection keeps between two reads is nobody else's to see.

mod generator;
mod reference;

use std::borrow::Cow;
use std::env;
use std::ops::Range;

use klaxon_protocol::player::LARGEST_MESSAGE;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::{Fault, Inbound, Wire};
use crate::settings::GatewaySettings;
use reference::Reference;

/// What the bytes came to, over all inputs.
#[derive(Debug, Default)]
struct Tally {
    bytes: usize,
    reads: usize,
    /// Messages lent from the read.
    lent: usize,
    /// Messages put together from several reads or fragments.
    put_together: usize,
    signs: usize,
    closes: usize,
    too_large: usize,
    not_text: usize,
    against_protocol: usize,
    /// Inputs after which something was unfinished.
    unfinished: usize,
}

impl Tally {
    fn count(&mut self, inbound: &Result<Inbound<'_>, Fault>) {
        let place = match inbound {
            Ok(Inbound::Text(Cow::Borrowed(_)) | Inbound::Binary(Cow::Borrowed(_))) => &mut self.lent,
            Ok(Inbound::Text(_) | Inbound::Binary(_)) => &mut self.put_together,
            Ok(Inbound::Control) => &mut self.signs,
            Ok(Inbound::Close) => &mut self.closes,
            Err(Fault::TooLarge) => &mut self.too_large,
            Err(Fault::NotText) => &mut self.not_text,
            Err(Fault::Protocol) => &mut self.against_protocol,
        };
        *place += 1;
    }
}

/// What one read came to; whatever ends the connection comes last.
fn inbound_of_read(
    wire: &mut Wire,
    mut read: &mut [u8],
    write: &mut Vec<u8>,
    tally: &mut Tally,
) -> Vec<Result<Inbound<'static>, Fault>> {
    let mut all = Vec::new();
    while let Some(inbound) = wire.take(&mut read, write).transpose() {
        tally.count(&inbound);
        all.push(inbound.map(Inbound::kept));
        if ends(all.last()) {
            return all;
        }
    }
    assert!(read.is_empty(), "bytes were left though more were asked for");
    all
}

fn ends(inbound: Option<&Result<Inbound<'_>, Fault>>) -> bool {
    matches!(inbound, Some(Err(_) | Ok(Inbound::Close)))
}

/// Gives both the same reads; panics where they differ.
fn agree(bytes: &[u8], reads: &[Range<usize>], tally: &mut Tally) {
    let (mut wire, mut reference) = (Wire::new(GatewaySettings::LARGEST_MESSAGE), Reference::new());
    let (mut write, mut expected_write) = (Vec::new(), Vec::new());
    tally.bytes += bytes.len();
    for range in reads {
        tally.reads += 1;
        let inbound = inbound_of_read(&mut wire, &mut bytes[range.clone()].to_vec(), &mut write, tally);
        let expected = reference.inbound_of_read(&bytes[range.clone()], &mut expected_write);
        // tungstenite itself bounds what a message is, not what its fragments are on the wire.
        let longer_than_tungstenite_minds =
            inbound.last() == Some(&Err(Fault::TooLarge)) && range.end > GatewaySettings::LARGEST_ON_WIRE;
        if !longer_than_tungstenite_minds {
            assert_eq!(inbound, expected, "in {range:?} of {bytes:02x?}, read as {reads:?}");
            assert_eq!(write, expected_write, "to write, in {range:?} of {bytes:02x?}, read as {reads:?}");
        }
        if ends(inbound.last()) {
            return;
        }
        if let Some(unfinished) = &wire.unfinished {
            assert!(unfinished.frame.len() < LARGEST_MESSAGE + 14);
            assert!(!unfinished.frame.is_empty() || unfinished.fragments.is_some());
        }
    }
    tally.unfinished += usize::from(wire.unfinished.is_some());
}

/// Makes an input from what the generator draws, and runs it.
fn run(rng: &mut TestRng, tally: &mut Tally) {
    let bytes = generator::bytes(rng);
    let reads = generator::reads(rng, bytes.len());
    agree(&bytes, &reads, tally);
}

/// Runs so many inputs.
fn run_many(inputs: u64) -> Tally {
    let mut tally = Tally::default();
    for number in 0..inputs {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        run(&mut TestRng::from_seed(RngAlgorithm::ChaCha, &seed), &mut tally);
    }
    tally
}

#[test]
fn wire_hears_what_tungstenite_hears_on_many_kinds_of_bytes() {
    let inputs = env::var("KLAXON_FUZZ_INPUTS").map_or(4_000, |inputs| inputs.parse().unwrap());
    let tally = run_many(inputs);
    println!("{inputs} inputs, no difference: {tally:#?}");
    let Tally { lent, put_together, signs, closes, too_large, not_text, against_protocol, unfinished, .. } = tally;
    let all = [lent, put_together, signs, closes, too_large, not_text, against_protocol, unfinished];
    assert!(all.iter().all(|&count| count >= 40), "the generator reaches too little: {all:?}");
}

proptest! {
    #[test]
    fn wire_hears_what_tungstenite_hears_and_shrinks(draws in proptest::collection::vec(any::<u8>(), 0..2000)) {
        run(&mut TestRng::from_seed(RngAlgorithm::PassThrough, &draws), &mut Tally::default());
    }

    #[test]
    fn wire_hears_what_tungstenite_hears_in_noise(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        cut in any::<proptest::sample::Index>(),
    ) {
        let cut = cut.index(bytes.len() + 1);
        agree(&bytes, &[0..cut, cut..bytes.len()], &mut Tally::default());
    }
}
