//! Parses a connection's bytes into WebSocket messages.
//!
//! A message that is complete in the bytes that were read, in a single frame, is unmasked in place and borrowed.
//! Everything else (fragments, control frames, faults) is handled by tungstenite, which is given one frame at a time
//! and is dropped when no message is unfinished. So an idle connection takes no memory here.

mod frame;
#[cfg(test)]
#[path = "../../../fuzz/main.rs"]
mod fuzz;
mod protocol;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::mem;

use frame::Plain;
use protocol::Protocol;

/// The WebSocket side of one connection, the server's, after the handshake.
pub struct Wire {
    /// Limit of a message, in bytes.
    largest: u32,
    unfinished: Option<Box<Unfinished>>,
}

/// Limit of a message's bytes on the wire, as a multiple of its own bytes: even one-byte fragments stay below it. A
/// client that exceeds it sends fragments without end.
pub(crate) const MOST_ON_WIRE: usize = 8;

/// What was read and is not a complete message yet.
#[derive(Default)]
struct Unfinished {
    /// The first bytes of a frame that is not complete.
    frame: Vec<u8>,
    /// The message's fragments so far.
    fragments: Option<Box<Fragments>>,
}

/// A fragmented message that is not complete.
struct Fragments {
    protocol: Protocol,
    /// Their bytes on the wire, heads and masks included, so that empty fragments count too.
    on_wire: usize,
}

impl Fragments {
    fn new(largest: usize) -> Box<Self> {
        Box::new(Self { protocol: Protocol::new(largest), on_wire: 0 })
    }
}

/// What was parsed.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound<'r> {
    /// A text message.
    Text(Cow<'r, str>),
    /// A binary message.
    Binary(Cow<'r, [u8]>),
    /// A ping or pong. The pong that answers a ping is among the bytes to write.
    Control,
    /// A close frame; the reply is among the bytes to write. Nothing more may be read.
    Close,
}

/// Why the bytes are invalid. Nothing more may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A message is longer than the limit.
    TooLarge,
    /// A text that is not UTF-8.
    NotText,
    /// A violation of RFC 6455.
    Protocol,
}

impl Wire {
    /// A new connection, with a limit for messages in bytes.
    #[must_use]
    pub const fn new(largest: u32) -> Self {
        Self { largest, unfinished: None }
    }

    const fn largest(&self) -> usize {
        self.largest as usize
    }

    /// Takes bytes from the front of `read` until they complete something, and appends to `write` what the protocol
    /// requires to be sent. None when all bytes were taken and more are needed. The bytes are unmasked in place.
    ///
    /// # Errors
    /// If the bytes are no messages: then nothing may be read any more.
    pub fn take<'r>(&mut self, read: &mut &'r mut [u8], write: &mut Vec<u8>) -> Result<Option<Inbound<'r>>, Fault> {
        loop {
            if self.unfinished.is_none()
                && let Some(plain) = Plain::in_front_of(read, self.largest())
            {
                return plain.lent(cut_off(read, plain.size())).map(Some);
            }
            let Some(frame) = self.frame(read)? else { return Ok(None) };
            let inbound = match frame {
                Cow::Borrowed(frame) => self.read_frame(frame, write)?,
                Cow::Owned(frame) => match Plain::in_front_of(&frame, self.largest()) {
                    Some(plain) if self.unfinished.is_none() => Some(plain.given(frame)?),
                    _ => self.read_frame(&frame, write)?,
                },
            };
            if inbound.is_some() {
                return Ok(inbound);
            }
        }
    }

    /// The next complete frame. None when all bytes were taken and the frame is incomplete.
    fn frame<'r>(&mut self, read: &mut &'r mut [u8]) -> Result<Option<Cow<'r, [u8]>>, Fault> {
        let largest = self.largest();
        let Some(unfinished) = self.unfinished.as_mut().filter(|unfinished| !unfinished.frame.is_empty()) else {
            return match frame::size(read, largest)? {
                Some(size) if size <= read.len() => Ok(Some(Cow::Borrowed(cut_off(read, size)))),
                _ => {
                    if !read.is_empty() {
                        self.unfinished.get_or_insert_default().frame = mem::take(read).to_vec();
                    }
                    Ok(None)
                }
            };
        };
        loop {
            // A head is taken byte by byte, as only its last byte determines its length.
            let missing = frame::size(&unfinished.frame, largest)?.map_or(1, |size| size - unfinished.frame.len());
            if missing == 0 {
                break;
            }
            if read.is_empty() {
                return Ok(None);
            }
            let more = cut_off(read, missing.min(read.len()));
            unfinished.frame.extend_from_slice(more);
        }
        let frame = mem::take(&mut unfinished.frame);
        if unfinished.fragments.is_none() {
            self.unfinished = None;
        }
        Ok(Some(Cow::Owned(frame)))
    }

    /// Passes a frame to tungstenite. None if it is a fragment and the message is incomplete.
    fn read_frame(&mut self, frame: &[u8], write: &mut Vec<u8>) -> Result<Option<Inbound<'static>>, Fault> {
        let largest = self.largest();
        let mut unfinished = self.unfinished.take().unwrap_or_default();
        let fragments = unfinished.fragments.get_or_insert_with(|| Fragments::new(largest));
        let inbound = fragments.protocol.read_frame(frame, write)?;
        if inbound.is_none() {
            fragments.on_wire += frame.len();
            if fragments.on_wire > MOST_ON_WIRE * largest {
                return Err(Fault::TooLarge);
            }
        }
        // A control frame may appear between a message's fragments.
        if matches!(inbound, None | Some(Inbound::Control)) && fragments.on_wire > 0 {
            self.unfinished = Some(unfinished);
        }
        Ok(inbound)
    }
}

/// Splits off the first bytes; the others stay.
fn cut_off<'r>(bytes: &mut &'r mut [u8], count: usize) -> &'r mut [u8] {
    let (first, others) = mem::take(bytes).split_at_mut(count);
    *bytes = others;
    first
}
