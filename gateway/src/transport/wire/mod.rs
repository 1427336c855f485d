//! A connection's bytes as WebSocket messages.
//!
//! A message that lies whole in the bytes that were read, in one frame, is unmasked where it lies and lent out. All else
//! that the protocol knows (fragments, control frames, faults) is tungstenite's to judge, which gets one frame at a time
//! and is gone again when no message is unfinished. So a connection from which nothing is awaited holds no memory here.

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
    /// How long a message may be, in bytes.
    largest: u32,
    unfinished: Option<Box<Unfinished>>,
}

/// A message takes no more bytes on the wire than this number times its own, even in fragments of one byte; a client that sends more sends
/// fragments without end.
pub(crate) const MOST_ON_WIRE: usize = 8;

/// What was read and made no message yet.
#[derive(Default)]
struct Unfinished {
    /// The front of a frame; never all of it.
    frame: Vec<u8>,
    /// The message's fragments so far.
    fragments: Option<Box<Fragments>>,
}

/// A message in fragments, of which more must come.
struct Fragments {
    protocol: Protocol,
    /// Their bytes, heads and masks included: empty fragments cost, too.
    on_wire: usize,
}

impl Fragments {
    fn new(largest: usize) -> Box<Self> {
        Box::new(Self { protocol: Protocol::new(largest), on_wire: 0 })
    }
}

/// What came of bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound<'r> {
    /// A text message.
    Text(Cow<'r, str>),
    /// A binary message.
    Binary(Cow<'r, [u8]>),
    /// A ping or pong; a ping's pong is among the bytes to write.
    Control,
    /// The client closes; the reply is among the bytes to write. Nothing may be read after it.
    Close,
}

/// Why the bytes are no messages. Nothing may be read after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Longer than a message may be.
    TooLarge,
    /// A text that is not UTF-8.
    NotText,
    /// Not as RFC 6455 has it.
    Protocol,
}

impl Wire {
    /// Before anything was read, for messages of at most this number of bytes.
    #[must_use]
    pub const fn new(largest: u32) -> Self {
        Self { largest, unfinished: None }
    }

    const fn largest(&self) -> usize {
        self.largest as usize
    }

    /// Takes bytes from the front of `read` until they make something, and appends to `write` what the protocol wants
    /// written. None when all were taken and more are needed. The bytes are unmasked where they lie.
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

    /// The next whole frame. None when all bytes were taken and it is not whole yet.
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
            // A head is taken byte by byte: how long it is shows only in its last.
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

    /// Has tungstenite read a frame. None if it is a fragment after which more must come.
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
        // A sign may stand between a message's fragments.
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
