//! tungstenite's protocol implementation, applied to bytes that were read elsewhere.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

use super::{Fault, Inbound};

/// The initial size of tungstenite's buffer; it grows for a longer frame.
const READ_BUFFER: usize = 128;

/// tungstenite in the role of the server, given one complete frame at a time.
pub(super) struct Protocol(WebSocketContext);

/// The configuration of tungstenite.
pub(super) fn config(largest: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(usize::MAX)
        .max_message_size(Some(largest))
        .max_frame_size(Some(largest))
}

/// The fault for an error of tungstenite.
pub(super) fn fault(error: &Error) -> Fault {
    match error {
        Error::Capacity(_) => Fault::TooLarge,
        Error::Utf8(_) => Fault::NotText,
        _ => Fault::Protocol,
    }
}

impl Protocol {
    /// A new connection, with a limit for messages in bytes.
    pub fn new(largest: usize) -> Self {
        Self(WebSocketContext::new(Role::Server, Some(config(largest))))
    }

    /// Reads a frame, after earlier ones. None if it is a fragment and the message is incomplete.
    pub fn read_frame(&mut self, frame: &[u8], write: &mut Vec<u8>) -> Result<Option<Inbound<'static>>, Fault> {
        let mut ends = Ends { read: frame, write };
        let inbound = match self.0.read(&mut ends) {
            // Sends the pong or close reply at once; tungstenite would send it at the next read.
            Ok(Message::Ping(_)) => self.0.flush(&mut ends).map(|()| Some(Inbound::Control)),
            Ok(Message::Close(_)) => {
                // After the close reply the protocol has ended, which flush reports as an error.
                let _ = self.0.flush(&mut ends);
                Ok(Some(Inbound::Close))
            }
            Ok(Message::Pong(_) | Message::Frame(_)) => Ok(Some(Inbound::Control)),
            Ok(Message::Text(text)) => Ok(Some(Inbound::Text(Cow::Owned(text.as_str().to_owned())))),
            Ok(Message::Binary(bytes)) => Ok(Some(Inbound::Binary(Cow::Owned(bytes.into())))),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        };
        inbound.map_err(|error| fault(&error))
    }
}

/// A stream that reads from one slice and writes to a buffer.
pub(super) struct Ends<'r, 'w> {
    pub read: &'r [u8],
    pub write: &'w mut Vec<u8>,
}

impl Read for Ends<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // An empty slice is not the end of the stream: more may arrive later.
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
