//! What becomes of bytes, case by case.

use allocation_counter::measure;
use klaxon_protocol::player::LARGEST_MESSAGE;
use proptest::prelude::*;
use tungstenite::Bytes;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{Frame, FrameHeader};

use super::*;
use crate::settings::GatewaySettings;

/// The first byte of a whole binary message.
const BINARY: u8 = 0x82;

fn masked(mut frame: Frame) -> Vec<u8> {
    frame.header_mut().mask = Some([1, 2, 3, 4]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).unwrap();
    bytes
}

/// A text message as a client sends it.
fn text(text: &str) -> Vec<u8> {
    masked(Frame::message(text.to_owned(), OpCode::Data(Data::Text), true))
}

/// A binary message as a client sends it.
fn binary(bytes: &[u8]) -> Vec<u8> {
    masked(Frame::message(bytes.to_vec(), OpCode::Data(Data::Binary), true))
}

/// What a new connection's first bytes are.
fn first(bytes: &[u8], write: &mut Vec<u8>) -> Result<Option<Inbound<'static>>, Fault> {
    Wire::new(GatewaySettings::LARGEST_MESSAGE)
        .take(&mut &mut bytes.to_vec()[..], write)
        .map(|inbound| inbound.map(Inbound::kept))
}

impl Inbound<'_> {
    /// The same on its own.
    pub(super) fn kept(self) -> Inbound<'static> {
        match self {
            Self::Text(text) => Inbound::Text(text.into_owned().into()),
            Self::Binary(bytes) => Inbound::Binary(bytes.into_owned().into()),
            Self::Control => Inbound::Control,
            Self::Close => Inbound::Close,
        }
    }
}

#[test]
fn two_messages_in_one_read_and_one_message_in_two_reads_are_read_alike() {
    let mut bytes = text("one");
    bytes.extend(text("two"));
    for cut in 0..bytes.len() {
        let (mut wire, mut write, mut texts) = (Wire::new(GatewaySettings::LARGEST_MESSAGE), Vec::new(), Vec::new());
        let mut bytes = bytes.clone();
        let (one, other) = bytes.split_at_mut(cut);
        for mut part in [one, other] {
            while let Some(inbound) = wire.take(&mut part, &mut write).unwrap() {
                let Inbound::Text(text) = inbound else { panic!("{inbound:?}") };
                texts.push(text.to_string());
            }
            assert!(part.is_empty());
        }
        assert_eq!(texts, ["one", "two"]);
        assert!(wire.unfinished.is_none());
    }
}

#[test]
fn a_ping_is_answered_at_once() {
    let mut write = Vec::new();
    assert_eq!(first(&masked(Frame::ping(&b"hi"[..])), &mut write), Ok(Some(Inbound::Control)));
    assert_eq!(write, b"\x8a\x02hi");
}

#[test]
fn a_close_is_answered_with_its_code() {
    let mut write = Vec::new();
    let close = Frame::from_payload(FrameHeader::default(), Bytes::from_static(b"\x03\xe8"));
    assert_eq!(first(&masked(close), &mut write), Ok(Some(Inbound::Close)));
    assert_eq!(write, b"\x88\x02\x03\xe8");
}

#[test]
fn a_message_too_large_is_refused_before_it_is_read() {
    let bytes = text(&"x".repeat(LARGEST_MESSAGE + 1));
    assert_eq!(first(&bytes[..8], &mut Vec::new()), Err(Fault::TooLarge));
    let largest = "x".repeat(LARGEST_MESSAGE);
    assert_eq!(first(&text(&largest), &mut Vec::new()), Ok(Some(Inbound::Text(largest.into()))));
}

/// A text message in fragments of so many bytes, a ping after each of them.
fn in_fragments(text: &str, size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, part) in text.as_bytes().chunks(size).enumerate() {
        let kind = if number == 0 { Data::Text } else { Data::Continue };
        let last = (number + 1) * size >= text.len();
        bytes.extend(masked(Frame::message(part.to_vec(), OpCode::Data(kind), last)));
        bytes.extend(masked(Frame::ping(&b"hi"[..])));
    }
    bytes
}

/// All that these bytes are, read in pieces.
fn all(wire: &mut Wire, bytes: &[u8], piece: usize) -> Result<Vec<Inbound<'static>>, Fault> {
    let (mut inbound, mut write) = (Vec::new(), Vec::new());
    for mut piece in bytes.to_vec().chunks_mut(piece) {
        while let Some(one) = wire.take(&mut piece, &mut write)? {
            inbound.push(one.kept());
        }
    }
    Ok(inbound)
}

#[test]
fn the_largest_message_may_come_in_fragments_of_one_byte() {
    let text = "x".repeat(LARGEST_MESSAGE);
    for piece in [1, 500, 1 << 16] {
        let inbound = all(&mut Wire::new(GatewaySettings::LARGEST_MESSAGE), &in_fragments(&text, 1), piece).unwrap();
        assert!(inbound.iter().any(|inbound| matches!(inbound, Inbound::Text(inbound) if *inbound == text)));
    }
}

#[test]
fn fragments_without_end_are_too_large_whatever_stands_between_them() {
    let mut wire = Wire::new(GatewaySettings::LARGEST_MESSAGE);
    let begin = Frame::message(&b""[..], OpCode::Data(Data::Text), false);
    all(&mut wire, &masked(begin), 100).unwrap();
    let mut some = masked(Frame::message(&b""[..], OpCode::Data(Data::Continue), false)).repeat(1000);
    some.extend(masked(Frame::ping(&b""[..])));
    let fault = (0..20).find_map(|_| all(&mut wire, &some, 1 << 14).err());
    assert_eq!(fault, Some(Fault::TooLarge));
}

#[test]
fn pings_alone_are_never_too_large_however_they_are_cut() {
    let pings = masked(Frame::ping(vec![7; 125])).repeat(2000);
    for piece in [1, 100, 1 << 14] {
        assert_eq!(all(&mut Wire::new(GatewaySettings::LARGEST_MESSAGE), &pings, piece).unwrap().len(), 2000);
    }
}

#[test]
fn a_whole_message_is_lent_from_the_read_and_nothing_is_kept_of_it() {
    let mut bytes = [text("one"), binary(b"two")].concat();
    let (mut wire, mut rest, mut write) = (Wire::new(GatewaySettings::LARGEST_MESSAGE), &mut bytes[..], Vec::new());
    let allocations = measure(|| {
        let one = wire.take(&mut rest, &mut write);
        assert!(matches!(one, Ok(Some(Inbound::Text(Cow::Borrowed("one"))))));
        let two = wire.take(&mut rest, &mut write);
        assert!(matches!(two, Ok(Some(Inbound::Binary(Cow::Borrowed(b"two"))))));
        assert!(matches!(wire.take(&mut rest, &mut write), Ok(None)));
    });
    assert!(rest.is_empty() && write.is_empty() && wire.unfinished.is_none());
    assert_eq!(allocations.count_total, 0);
    assert_eq!(size_of::<Wire>(), 2 * size_of::<usize>());
}

#[test]
fn memory_is_kept_only_while_something_is_unfinished() {
    let fragments = in_fragments("a message", 4);
    let (mut wire, mut unfinished) = (Wire::new(GatewaySettings::LARGEST_MESSAGE), 0);
    for byte in &fragments {
        all(&mut wire, &[*byte], 1).unwrap();
        unfinished += usize::from(wire.unfinished.is_some());
    }
    assert!(wire.unfinished.is_none());
    // Its last byte ends the ping behind the message, whose own last byte ended it.
    assert_eq!(unfinished, fragments.len() - 2);
}

#[test]
fn unmasked_frames_and_bad_text_are_faults() {
    assert_eq!(first(b"\x81\x01x", &mut Vec::new()), Err(Fault::Protocol));
    let bad = masked(Frame::message(vec![0xff], OpCode::Data(Data::Text), true));
    assert_eq!(first(&bad, &mut Vec::new()), Err(Fault::NotText));
}

/// The head of a masked frame of such a kind, its length written in one, two or eight bytes.
fn head(kind: u8, bytes_of_length: usize, payload: u64) -> Vec<u8> {
    let mut head = vec![kind];
    match bytes_of_length {
        1 => head.push(0x80 | u8::try_from(payload).unwrap()),
        2 => head.extend([&[0xfe][..], &u16::try_from(payload).unwrap().to_be_bytes()].concat()),
        _ => head.extend([&[0xff][..], &payload.to_be_bytes()].concat()),
    }
    head.extend([0; 4]);
    head
}

#[test]
fn a_length_in_more_bytes_than_it_needs_is_against_the_protocol_in_any_frame_and_in_any_reads() {
    // Continuations, texts and binary messages that are whole or not, closes, pings and pongs.
    for kind in [0x00, 0x80, 0x01, 0x81, 0x02, 0x82, 0x88, 0x89, 0x8a] {
        for (bytes_of_length, payload) in [(2, 0), (2, 1), (2, 125), (8, 0), (8, 125), (8, 126), (8, 4096), (8, 65_535)]
        {
            let head = head(kind, bytes_of_length, payload);
            let whole = [&head[..], &vec![b'x'; usize::try_from(payload).unwrap()]].concat();
            assert_eq!(first(&head, &mut Vec::new()), Err(Fault::Protocol), "{kind:#x} {bytes_of_length} {payload}");
            for piece in [1, 3, whole.len()] {
                let inbound = all(&mut Wire::new(GatewaySettings::LARGEST_MESSAGE), &whole, piece);
                assert_eq!(inbound, Err(Fault::Protocol), "{kind:#x} {bytes_of_length} {payload} by {piece}");
            }
            // Behind the first fragment of another message, and behind a whole one.
            for before in [masked(Frame::message(&b"a"[..], OpCode::Data(Data::Text), false)), text("a")] {
                let bytes = [before, whole.clone()].concat();
                let inbound = all(&mut Wire::new(GatewaySettings::LARGEST_MESSAGE), &bytes, bytes.len());
                assert_eq!(inbound, Err(Fault::Protocol));
            }
        }
    }
}

#[test]
fn a_length_in_as_many_bytes_as_it_needs_is_none() {
    for (bytes_of_length, payload) in [(1, 0), (1, 125), (2, 126), (2, 127), (2, 4096)] {
        let bytes = [head(BINARY, bytes_of_length, payload), vec![b'x'; usize::try_from(payload).unwrap()]].concat();
        for piece in [1, bytes.len()] {
            let inbound = all(&mut Wire::new(GatewaySettings::LARGEST_MESSAGE), &bytes, piece).unwrap();
            assert!(matches!(&inbound[..], [Inbound::Binary(inbound)] if inbound.len() as u64 == payload));
        }
    }
    assert_eq!(first(&head(BINARY, 8, 65_536), &mut Vec::new()), Err(Fault::TooLarge));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_spin(mut bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (mut wire, mut write) = (Wire::new(GatewaySettings::LARGEST_MESSAGE), Vec::new());
        let most = bytes.len();
        let mut rest = &mut bytes[..];
        for _ in 0..=most {
            match wire.take(&mut rest, &mut write) {
                Ok(Some(Inbound::Close)) | Err(_) => return Ok(()),
                Ok(Some(_)) => {}
                Ok(None) => {
                    prop_assert!(rest.is_empty());
                    return Ok(());
                }
            }
        }
        prop_assert!(false, "more messages than bytes");
    }
}
