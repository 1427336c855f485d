//! The length of a frame, and the plain frame, in which nearly every message is sent.

use std::borrow::Cow;
use std::io::Cursor;
use std::str;

use tungstenite::protocol::frame::FrameHeader;

use super::{Fault, Inbound, protocol};

/// The first byte of a complete text message, and of a complete binary message.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
/// The second byte of a masked frame: with an empty payload, with the longest payload whose length it holds, and if the
/// length follows in two bytes.
const EMPTY: u8 = 0x80;
const SHORT: u8 = EMPTY | 125;
const LONG: u8 = EMPTY | IN_TWO_BYTES;
/// The second byte, without the mask bit, if the length follows in two bytes.
const IN_TWO_BYTES: u8 = 126;
const IN_EIGHT_BYTES: u8 = 127;
/// The shortest payload whose length does not fit the second byte.
const LEAST_LONG: usize = 126;

/// The length of the frame at the front of these bytes. None if they don't contain its whole head.
///
/// A frame with an invalid head is a fault at once. That includes a length in more bytes than needed, which tungstenite
/// accepts.
pub(super) fn size(bytes: &[u8], largest: usize) -> Result<Option<usize>, Fault> {
    let mut head = Cursor::new(bytes);
    let Some((_, payload)) = FrameHeader::parse(&mut head).map_err(|error| protocol::fault(&error))? else {
        return Ok(None);
    };
    if !is_minimal(bytes, payload) {
        return Err(Fault::Protocol);
    }
    if payload > largest as u64 {
        return Err(Fault::TooLarge);
    }
    // Both are small, so the sum can't overflow.
    Ok(usize::try_from(head.position() + payload).ok())
}

/// RFC 6455, 5.2: "the minimal number of bytes MUST be used to encode the length".
fn is_minimal(head: &[u8], payload: u64) -> bool {
    let least = match head.get(1).map(|length| length & !EMPTY) {
        Some(IN_TWO_BYTES) => LEAST_LONG as u64,
        Some(IN_EIGHT_BYTES) => 1 << 16,
        _ => 0,
    };
    payload >= least
}

/// A text or binary message in a single frame, which is masked and has no reserved bits set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain {
    text: bool,
    mask: [u8; 4],
    head: usize,
    payload: usize,
}

impl Plain {
    /// The plain frame at the front of these bytes, if it is complete.
    pub fn in_front_of(bytes: &[u8], largest: usize) -> Option<Self> {
        let (kind, payload, masked) = match bytes {
            [kind, length @ EMPTY..=SHORT, masked @ ..] => (*kind, usize::from(length & !EMPTY), masked),
            [kind, LONG, high, low, masked @ ..] => (*kind, usize::from(u16::from_be_bytes([*high, *low])), masked),
            _ => return None,
        };
        let (&mask, rest) = masked.split_first_chunk()?;
        let plain = Self { text: kind == TEXT, mask, head: bytes.len() - rest.len(), payload };
        let least = if bytes.get(1) == Some(&LONG) { LEAST_LONG } else { 0 };
        let fits = (least..=largest).contains(&payload) && payload <= rest.len();
        (matches!(kind, TEXT | BINARY) && fits).then_some(plain)
    }

    /// Its length, head included.
    pub const fn size(self) -> usize {
        self.head + self.payload
    }

    /// The message, unmasked in place and borrowed from the frame's bytes.
    pub fn lent(self, frame: &mut [u8]) -> Result<Inbound<'_>, Fault> {
        let (_, payload) = frame.split_at_mut(self.head);
        unmask(payload, self.mask);
        if !self.text {
            return Ok(Inbound::Binary(Cow::Borrowed(payload)));
        }
        str::from_utf8(payload).map(|text| Inbound::Text(Cow::Borrowed(text))).map_err(|_| Fault::NotText)
    }

    /// The message, unmasked in the owned bytes of the frame.
    pub fn given(self, mut frame: Vec<u8>) -> Result<Inbound<'static>, Fault> {
        frame.drain(..self.head);
        unmask(&mut frame, self.mask);
        if !self.text {
            return Ok(Inbound::Binary(Cow::Owned(frame)));
        }
        String::from_utf8(frame).map(|text| Inbound::Text(Cow::Owned(text))).map_err(|_| Fault::NotText)
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let twice = [a, b, c, d, a, b, c, d];
    let (eights, rest) = payload.as_chunks_mut();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ u64::from_ne_bytes(twice)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(twice) {
        *byte ^= mask;
    }
}
