//! WebSocket frames, with only what a cheap load requires.

use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

/// The first byte of a ping.
const PING: u8 = 0x89;
/// The first byte of a close frame.
const CLOSE: u8 = 0x88;
/// A client's pong without payload.
pub const PONG: &[u8] = &[0x8a, 0x80, 0, 0, 0, 0];

/// A frame in a buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct WireFrame<'a> {
    /// Whether it is a ping.
    pub is_ping: bool,
    /// Whether it is a close frame.
    pub is_close: bool,
    /// The payload; still masked if the frame is a client's.
    pub payload: &'a [u8],
    /// The mask, if the frame has one.
    pub mask: Option<[u8; 4]>,
    /// The offset of the next frame.
    pub end: usize,
}

/// The frame at the beginning of these bytes; none if it is incomplete.
#[must_use]
pub fn first(bytes: &[u8]) -> Option<WireFrame<'_>> {
    let short = *bytes.get(1)?;
    let (length, mut at) = match short & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 10),
        length => (usize::from(length), 2),
    };
    let mut mask = None;
    if short & 0x80 != 0 {
        mask = Some(bytes.get(at..at + 4)?.try_into().ok()?);
        at += 4;
    }
    let end = at.checked_add(length)?;
    let kind = *bytes.first()?;
    Some(WireFrame { is_ping: kind == PING, is_close: kind == CLOSE, payload: bytes.get(at..end)?, mask, end })
}

/// The code and the reason in a server's close frame (RFC 6455, 5.5.1); none for other frames.
#[must_use]
pub fn closing(seen: &WireFrame<'_>) -> Option<(u16, String)> {
    let (code, reason) = seen.payload.split_first_chunk::<2>().filter(|_| seen.is_close)?;
    Some((u16::from_be_bytes(*code), String::from_utf8_lossy(reason).into_owned()))
}

/// The unmasked payload of a client's frame.
#[must_use]
pub fn unmasked(seen: &WireFrame<'_>) -> Vec<u8> {
    let mask = seen.mask.unwrap_or_default();
    seen.payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()
}

/// A text frame of a server.
#[must_use]
pub fn from_server(text: Vec<u8>) -> Vec<u8> {
    frame(text, None)
}

/// A text frame of a client.
#[must_use]
pub fn from_client(text: Vec<u8>) -> Vec<u8> {
    frame(text, Some([0x4b, 0x6c, 0x61, 0x78]))
}

fn frame(text: Vec<u8>, mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = Frame::message(text, OpCode::Data(Data::Text), true);
    frame.header_mut().mask = mask;
    let mut out = Vec::new();
    // Writing to a vector can't fail.
    let _ = frame.format(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_is_told_from_a_text_and_its_answer_is_a_whole_frame() {
        assert_eq!(first(b"\x89\x00").map(|seen| (seen.is_ping, seen.end)), Some((true, 2)));
        assert!(!first(&from_server(b"x".to_vec())).unwrap().is_ping);
        assert_eq!(closing(&first(b"\x88\x06\x0f\xa9idle").unwrap()), Some((4009, "idle".to_owned())));
        assert_eq!(closing(&first(b"\x88\x00").unwrap()), None);
        assert_eq!(first(PONG).map(|seen| (seen.is_ping, seen.end)), Some((false, PONG.len())));
    }

    #[test]
    fn frames_of_all_lengths_are_found_and_half_of_one_is_none() {
        for length in [0, 5, 125, 126, 200, 65_535, 65_536] {
            let text = vec![b'x'; length];
            for whole in [from_server(text.clone()), from_client(text.clone())] {
                let mut bytes = whole.clone();
                bytes.extend_from_slice(b"\x81\x01y");
                let seen = first(&bytes).unwrap();
                assert_eq!((unmasked(&seen), seen.end), (text.clone(), whole.len()));
                assert!((0..whole.len()).all(|part| first(&whole[..part]).is_none()));
            }
        }
    }
}
