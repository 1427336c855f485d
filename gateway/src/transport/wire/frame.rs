//! Where a frame ends, and the plain frame, in which nearly every message comes.

use std::borrow::Cow;
use std::io::Cursor;
use std::str;

use tungstenite::protocol::frame::FrameHeader;

use super::{Fault, Heard, protocol};

/// The first byte of a whole text, and of a whole binary message.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
/// The second byte of a masked frame: without a payload, with the largest whose length it holds, and if two bytes hold it.
const EMPTY: u8 = 0x80;
const SHORT: u8 = EMPTY | 125;
const LONG: u8 = EMPTY | 126;

/// How long the frame is that these bytes begin with. None if they don't hold all of its head.
///
/// A frame whose head is a fault already is not waited for.
pub(super) fn size(bytes: &[u8], largest: usize) -> Result<Option<usize>, Fault> {
    let mut head = Cursor::new(bytes);
    let Some((_, payload)) = FrameHeader::parse(&mut head).map_err(|error| protocol::fault(&error))? else {
        return Ok(None);
    };
    if payload > largest as u64 {
        return Err(Fault::TooLarge);
    }
    // Both are small.
    Ok(usize::try_from(head.position() + payload).ok())
}

/// A text or binary message whole in one frame, which is masked and has nothing that is reserved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain {
    text: bool,
    mask: [u8; 4],
    head: usize,
    payload: usize,
}

impl Plain {
    /// The plain frame that these bytes begin with, if all of it is there.
    pub fn in_front_of(bytes: &[u8], largest: usize) -> Option<Self> {
        let (kind, payload, masked) = match bytes {
            [kind, length @ EMPTY..=SHORT, masked @ ..] => (*kind, usize::from(length & !EMPTY), masked),
            [kind, LONG, high, low, masked @ ..] => (*kind, usize::from(u16::from_be_bytes([*high, *low])), masked),
            _ => return None,
        };
        let (&mask, rest) = masked.split_first_chunk()?;
        let plain = Self { text: kind == TEXT, mask, head: bytes.len() - rest.len(), payload };
        (matches!(kind, TEXT | BINARY) && payload <= rest.len() && payload <= largest).then_some(plain)
    }

    /// How long it is, head and all.
    pub const fn size(self) -> usize {
        self.head + self.payload
    }

    /// The message, in the bytes of the frame.
    pub fn lent(self, frame: &mut [u8]) -> Result<Heard<'_>, Fault> {
        let (_, payload) = frame.split_at_mut(self.head);
        unmask(payload, self.mask);
        if !self.text {
            return Ok(Heard::Binary(Cow::Borrowed(payload)));
        }
        str::from_utf8(payload).map(|text| Heard::Text(Cow::Borrowed(text))).map_err(|_| Fault::NotText)
    }

    /// The same for a frame that nobody else holds.
    pub fn given(self, mut frame: Vec<u8>) -> Result<Heard<'static>, Fault> {
        frame.drain(..self.head);
        unmask(&mut frame, self.mask);
        if !self.text {
            return Ok(Heard::Binary(Cow::Owned(frame)));
        }
        String::from_utf8(frame).map(|text| Heard::Text(Cow::Owned(text))).map_err(|_| Fault::NotText)
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
