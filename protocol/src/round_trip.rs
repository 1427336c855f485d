//! Every message decodes to what was encoded, in each of its codecs; and no input makes a decoder panic or hang.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde::Serialize;

use crate::binary::{self, Decode, Encode};
use crate::codec::{Codec, Message};
use crate::error::ErrorCode;
use crate::host::{FROM_HOST_TYPES, FromHost, HostCommand, ToHost};
use crate::journal::{MAGIC, Record, Records, frame_record};
use crate::link::{ToEngine, ToGateway};
use crate::player::{FROM_PLAYER_TYPES, FromPlayer, ToPlayer};

fn comes_back<T>(codec: Codec, message: &T) -> Result<(), TestCaseError>
where
    T: std::fmt::Debug + PartialEq + Serialize + Encode + Message,
{
    let bytes = codec.encode(message);
    let back: T = codec.decode(&bytes, &[]).map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
    prop_assert_eq!(&back, message);
    Ok(())
}

fn comes_back_over_the_link<T>(message: &T) -> Result<(), TestCaseError>
where
    T: std::fmt::Debug + PartialEq + Encode + Decode<()>,
{
    let back: T = binary::decode::<T, { 1 << 30 }>(&binary::encode(message))
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&back, message);
    Ok(())
}

/// A valid message, truncated at some byte and with some bytes changed: unlike random bytes it reaches the later parts
/// of a decoder.
fn mangled(bytes: Vec<u8>, cut: Index, changes: &[(Index, u8)]) -> Vec<u8> {
    let mut bytes = bytes;
    bytes.truncate(cut.index(bytes.len() + 1));
    for (at, value) in changes {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
    }
    bytes
}

/// Passes the bytes to every decoder of untrusted input. Only panics and endless loops are failures; results are
/// ignored.
fn read_as_everything(bytes: &[u8]) {
    for codec in Codec::ALL {
        let _ = codec.decode::<FromPlayer>(bytes, FROM_PLAYER_TYPES);
        let _ = codec.decode::<ToPlayer>(bytes, &[]);
        let _ = codec.decode::<FromHost>(bytes, FROM_HOST_TYPES);
        let _ = codec.decode::<ToHost>(bytes, &[]);
    }
    let journal = [&MAGIC, bytes].concat();
    for bytes in [bytes, &journal] {
        if let Ok(records) = Records::new(bytes) {
            records.for_each(drop);
        }
    }
}

/// Checks `cases` values, on a thread with a stack that is large enough for proptest, which keeps a message's strategy
/// by value.
fn for_all<S: Strategy>(
    cases: u32,
    values: impl FnOnce() -> S + Send + 'static,
    check: impl Fn(S::Value) -> Result<(), TestCaseError> + Send + 'static,
) {
    let run = move || {
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        runner.run(&values(), check).unwrap_or_else(|error| panic!("{error}"));
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn every_codec_keeps<T>(cases: u32)
where
    T: Arbitrary + PartialEq + Serialize + Encode + Message + 'static,
{
    for_all(cases, any::<T>, |message| Codec::ALL.into_iter().try_for_each(|codec| comes_back(codec, &message)));
}

#[test]
fn what_players_say_comes_back() {
    every_codec_keeps::<FromPlayer>(256);
}

#[test]
fn what_players_hear_comes_back() {
    every_codec_keeps::<ToPlayer>(256);
}

#[test]
fn what_hosts_say_comes_back() {
    every_codec_keeps::<FromHost>(48);
}

#[test]
fn what_hosts_hear_comes_back() {
    every_codec_keeps::<ToHost>(128);
}

#[test]
fn a_command_comes_back_though_its_action_lies_flat_in_it() {
    for_all(256, any::<HostCommand>, |command| {
        let message = FromHost::Command(command);
        Codec::ALL.into_iter().try_for_each(|codec| comes_back(codec, &message))
    });
}

#[test]
fn what_gateways_say_comes_back() {
    for_all(64, any::<ToEngine>, |message| comes_back_over_the_link(&message));
}

#[test]
fn what_engines_say_comes_back() {
    for_all(64, any::<ToGateway>, |message| comes_back_over_the_link(&message));
}

#[test]
fn records_come_back_from_a_journal_in_order() {
    for_all(
        16,
        || prop::collection::vec(any::<Record>(), 0..4),
        |records| {
            let mut journal = MAGIC.to_vec();
            for record in &records {
                frame_record(record, &mut journal).unwrap();
            }
            let back: Vec<Record> = Records::new(&journal).unwrap().map(|item| item.unwrap().1).collect();
            prop_assert_eq!(back, records);
            Ok(())
        },
    );
}

#[test]
fn noise_hurts_no_reader() {
    for_all(
        512,
        || prop::collection::vec(any::<u8>(), 0..512),
        |bytes| {
            read_as_everything(&bytes);
            Ok(())
        },
    );
}

#[test]
fn a_mangled_message_hurts_no_reader() {
    let changes = || prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    for_all(
        256,
        move || (any::<FromPlayer>(), any::<ToPlayer>(), any::<Index>(), changes()),
        |(said, heard, cut, changes)| {
            for codec in Codec::ALL {
                read_as_everything(&mangled(codec.encode(&said), cut, &changes));
                read_as_everything(&mangled(codec.encode(&heard), cut, &changes));
            }
            Ok(())
        },
    );
}

#[test]
fn a_record_whose_checksums_are_right_hurts_no_reader_whatever_it_holds() {
    for_all(
        512,
        || prop::collection::vec(any::<u8>(), 1..256),
        |body| {
            let length = u32::try_from(body.len()).unwrap().to_le_bytes();
            let sums = [crc32fast::hash(&length).to_le_bytes(), crc32fast::hash(&body).to_le_bytes()].concat();
            let journal = [&MAGIC[..], &length, &sums, &body].concat();
            Records::new(&journal).unwrap().for_each(drop);
            Ok(())
        },
    );
}

#[test]
fn a_length_that_the_message_cannot_have_is_refused_before_memory_is_taken() {
    // A join to "QUIZ" with a name whose length is announced as a 32-bit (0xfc) or 64-bit (0xfd) number; no name
    // follows.
    for length in [&b"\xfc\xff\xff\xff\x7f"[..], b"\xfd\xff\xff\xff\xff\xff\xff\xff\x7f"] {
        let bytes = [b"\x00\x04QUIZ\x01", length].concat();
        let refusal = Codec::Bincode.decode::<FromPlayer>(&bytes, FROM_PLAYER_TYPES).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::BadMessage);
        assert!(refusal.detail.contains("LimitExceeded"), "{}", refusal.detail);
    }
}

#[test]
fn deep_nesting_is_refused_before_the_stack_is_taken() {
    let deep = "[".repeat(2_000) + &"]".repeat(2_000);
    for json in
        [deep.clone(), format!(r#"{{"type":"leave","mood":{deep}}}"#), format!(r#"{{"mood":{deep},"type":"leave"}}"#)]
    {
        let refusal = Codec::Json.decode::<FromPlayer>(json.as_bytes(), FROM_PLAYER_TYPES).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::BadMessage);
    }
}
