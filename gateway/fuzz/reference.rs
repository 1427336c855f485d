//! tungstenite as anybody would use it: one context for the connection's whole life. What it lets pass though RFC 6455 forbids it, a
//! length in more bytes than it needs, is looked for beside it.

use std::io;

use klaxon_protocol::player::LARGEST_MESSAGE;
use tungstenite::protocol::{Role, WebSocketContext};
use tungstenite::{Error, Message};

use super::super::protocol::{Ends, config, fault};
use super::{Fault, Inbound, ends};

pub struct Reference {
    context: WebSocketContext,
    lengths: Lengths,
}

/// Follows where frames begin, and how their lengths are written.
#[derive(Default)]
struct Lengths {
    /// The front of a frame's head.
    head: Vec<u8>,
    /// Bytes of a frame's payload that are still to come.
    payload: u64,
}

impl Lengths {
    /// The next byte. Whether a head is whole with it, whose length is in more bytes than it needs.
    fn take(&mut self, byte: u8) -> bool {
        if self.payload > 0 {
            self.payload -= 1;
            return false;
        }
        self.head.push(byte);
        let Some(&second) = self.head.get(1) else { return false };
        let (form, mask) = (second & 0x7f, usize::from(second >> 7) * 4);
        let (digits, least) = match form {
            126 => (2, 126),
            127 => (8, 65_536),
            _ => (0, 0),
        };
        if self.head.len() < 2 + digits + mask {
            return false;
        }
        let written = self.head[2..2 + digits].iter().fold(0, |sum, &digit| sum << 8 | u64::from(digit));
        self.payload = if digits == 0 { form.into() } else { written };
        self.head.clear();
        self.payload < least
    }
}

impl Reference {
    pub fn new() -> Self {
        let context = WebSocketContext::new(Role::Server, Some(config(LARGEST_MESSAGE)));
        Self { context, lengths: Lengths::default() }
    }

    /// What one read came to.
    pub fn inbound_of_read(&mut self, read: &[u8], write: &mut Vec<u8>) -> Vec<Result<Inbound<'static>, Fault>> {
        let bad = read.iter().position(|&byte| self.lengths.take(byte));
        // The last byte of a bad head is not for tungstenite: without it, it waits.
        let mut stream = Ends { read: &read[..bad.unwrap_or(read.len())], write };
        let mut all = Vec::new();
        while !ends(all.last()) {
            all.push(match self.context.read(&mut stream) {
                Ok(Message::Text(text)) => Ok(Inbound::Text(text.to_string().into())),
                Ok(Message::Binary(bytes)) => Ok(Inbound::Binary(bytes.to_vec().into())),
                Ok(Message::Close(_)) => Ok(Inbound::Close),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Ok(Inbound::Control),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => Err(fault(&error)),
            });
        }
        if bad.is_some() && !ends(all.last()) {
            all.push(Err(Fault::Protocol));
        }
        // Pongs and the reply to a close; it reports that the connection has ended.
        let _ = self.context.flush(&mut stream);
        all
    }
}
