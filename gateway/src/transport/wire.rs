//! A connection's bytes as WebSocket messages: tungstenite's protocol over bytes that somebody else read.

use std::io::{self, Read, Write};

use klaxon_protocol::player::LARGEST_MESSAGE;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Bytes, Error, Message as Frame, Utf8Bytes};

use crate::settings::GatewaySettings;

/// Allocated for each connection for as long as it lives; an answer fits.
const READ_BUFFER: usize = 128;

/// The largest ping or pong on the wire, with its head and mask.
const LARGEST_SIGN: usize = 2 + 4 + 125;

/// The WebSocket side of one connection.
pub(crate) struct Wire {
    protocol: Box<WebSocketContext>,
    /// Bytes that made no message yet.
    unfinished: usize,
}

/// What came of bytes.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping or pong; a ping's pong is among the bytes to write.
    Sign,
    /// The client closes; the reply is among the bytes to write.
    Close,
}

/// A client's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// Of a text frame.
    Text(&'a str),
    /// Of a binary frame.
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    /// Its bytes.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// Why the bytes are no messages. Nothing can be read after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Longer than a message may be.
    TooLarge,
    /// A text that is not UTF-8.
    NotText,
    /// Not as RFC 6455 has it.
    Protocol,
}

/// The read bytes on one side, the bytes to write on the other.
struct Ends<'r, 'w> {
    read: &'r [u8],
    write: &'w mut Vec<u8>,
}

impl Read for Ends<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // No bytes are no end: there may be more later.
        if self.read.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { self.read.read(into) }
    }
}

impl Write for Ends<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire {
    /// The server's side, after the handshake.
    pub fn new() -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(usize::MAX)
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        Self { protocol: Box::new(WebSocketContext::new(Role::Server, Some(config))), unfinished: 0 }
    }

    /// Takes bytes until they make something, and appends to `write` what the protocol wants written. None when more bytes
    /// are needed.
    pub fn take(&mut self, read: &mut &[u8], write: &mut Vec<u8>) -> Result<Option<Heard>, Fault> {
        let before = read.len();
        let heard = self.hear(read, write)?;
        self.unfinished += before - read.len();
        match heard {
            None => {}
            // Fragments of a message may stand before and behind it.
            Some(Heard::Sign) => self.unfinished = self.unfinished.saturating_sub(LARGEST_SIGN),
            Some(_) => self.unfinished = 0,
        }
        if self.unfinished > GatewaySettings::LARGEST_ON_WIRE { Err(Fault::TooLarge) } else { Ok(heard) }
    }

    fn hear<'r>(&mut self, read: &mut &'r [u8], write: &mut Vec<u8>) -> Result<Option<Heard>, Fault> {
        let mut ends: Ends<'r, '_> = Ends { read, write };
        let heard = match self.protocol.read(&mut ends) {
            // The pong or close reply of what was just read goes out now, not at the next read.
            Ok(Frame::Ping(_)) => self.protocol.flush(&mut ends).map(|()| Some(Heard::Sign)),
            Ok(Frame::Close(_)) => {
                // After its close reply the protocol has ended, which flush reports as an error.
                let _ = self.protocol.flush(&mut ends);
                Ok(Some(Heard::Close))
            }
            Ok(Frame::Pong(_) | Frame::Frame(_)) => Ok(Some(Heard::Sign)),
            Ok(Frame::Text(text)) => Ok(Some(Heard::Text(text))),
            Ok(Frame::Binary(bytes)) => Ok(Some(Heard::Binary(bytes))),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        };
        *read = ends.read;
        heard.map_err(|error| match error {
            Error::Capacity(_) => Fault::TooLarge,
            Error::Utf8(_) => Fault::NotText,
            _ => Fault::Protocol,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tungstenite::protocol::frame::Frame;
    use tungstenite::protocol::frame::coding::{Data, OpCode};

    fn masked(mut frame: Frame) -> Vec<u8> {
        frame.header_mut().mask = Some([1, 2, 3, 4]);
        let mut bytes = Vec::new();
        frame.format(&mut bytes).unwrap();
        bytes
    }

    fn text(text: &str) -> Vec<u8> {
        masked(Frame::message(text.to_owned(), OpCode::Data(Data::Text), true))
    }

    #[test]
    fn two_messages_in_one_read_and_one_message_in_two_reads_are_read_alike() {
        let mut bytes = text("one");
        bytes.extend(text("two"));
        for cut in 0..bytes.len() {
            let (mut wire, mut write, mut texts) = (Wire::new(), Vec::new(), Vec::new());
            for mut part in [&bytes[..cut], &bytes[cut..]] {
                while let Some(heard) = wire.take(&mut part, &mut write).unwrap() {
                    let Heard::Text(text) = heard else { panic!("{heard:?}") };
                    texts.push(text.to_string());
                }
                assert!(part.is_empty());
            }
            assert_eq!(texts, ["one", "two"]);
        }
    }

    #[test]
    fn a_ping_is_answered_at_once() {
        let (mut wire, mut write) = (Wire::new(), Vec::new());
        let bytes = masked(Frame::ping(&b"hi"[..]));
        assert!(matches!(wire.take(&mut &bytes[..], &mut write), Ok(Some(Heard::Sign))));
        assert_eq!(write, b"\x8a\x02hi");
    }

    #[test]
    fn a_close_is_answered_with_its_code() {
        let (mut wire, mut write) = (Wire::new(), Vec::new());
        let bytes = masked(Frame::from_payload(
            tungstenite::protocol::frame::FrameHeader::default(),
            Bytes::from_static(b"\x03\xe8"),
        ));
        assert!(matches!(wire.take(&mut &bytes[..], &mut write), Ok(Some(Heard::Close))));
        assert_eq!(write, b"\x88\x02\x03\xe8");
    }

    #[test]
    fn a_message_too_large_is_refused_before_it_is_read() {
        let (mut wire, mut write) = (Wire::new(), Vec::new());
        let bytes = text(&"x".repeat(LARGEST_MESSAGE + 1));
        assert_eq!(wire.take(&mut &bytes[..8], &mut write).unwrap_err(), Fault::TooLarge);
        let largest = text(&"x".repeat(LARGEST_MESSAGE));
        assert!(matches!(Wire::new().take(&mut &largest[..], &mut write), Ok(Some(Heard::Text(_)))));
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
    fn all(wire: &mut Wire, bytes: &[u8], piece: usize) -> Result<Vec<Heard>, Fault> {
        let (mut heard, mut write) = (Vec::new(), Vec::new());
        for mut piece in bytes.chunks(piece) {
            while let Some(one) = wire.take(&mut piece, &mut write)? {
                heard.push(one);
            }
        }
        Ok(heard)
    }

    #[test]
    fn the_largest_message_may_come_in_fragments_of_one_byte() {
        let text = "x".repeat(LARGEST_MESSAGE);
        for piece in [1, 500, 1 << 16] {
            let heard = all(&mut Wire::new(), &in_fragments(&text, 1), piece).unwrap();
            assert!(heard.iter().any(|heard| matches!(heard, Heard::Text(heard) if heard.as_str() == text)));
        }
    }

    #[test]
    fn fragments_without_end_are_too_large_whatever_stands_between_them() {
        let mut wire = Wire::new();
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
            assert_eq!(all(&mut Wire::new(), &pings, piece).unwrap().len(), 2000);
        }
    }

    #[test]
    fn unmasked_frames_and_bad_text_are_faults() {
        let mut write = Vec::new();
        assert_eq!(Wire::new().take(&mut &b"\x81\x01x"[..], &mut write).unwrap_err(), Fault::Protocol);
        let bad = masked(Frame::message(vec![0xff], OpCode::Data(Data::Text), true));
        assert_eq!(Wire::new().take(&mut &bad[..], &mut write).unwrap_err(), Fault::NotText);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_spin(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let (mut wire, mut write) = (Wire::new(), Vec::new());
            let mut rest = &bytes[..];
            for _ in 0..=bytes.len() {
                match wire.take(&mut rest, &mut write) {
                    Ok(Some(Heard::Close)) | Err(_) => return Ok(()),
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
}
