//! tungstenite as anybody would use it: one context for the connection's whole life.

use std::io;

use klaxon_protocol::player::LARGEST_MESSAGE;
use tungstenite::protocol::{Role, WebSocketContext};
use tungstenite::{Error, Message};

use super::super::protocol::{Ends, config, fault};
use super::{Fault, Heard, ends};

pub(in super::super) struct Reference(WebSocketContext);

impl Reference {
    pub fn new() -> Self {
        Self(WebSocketContext::new(Role::Server, Some(config(LARGEST_MESSAGE))))
    }

    /// The next message.
    pub fn message(&mut self, read: &[u8], write: &mut Vec<u8>) -> tungstenite::Result<Message> {
        self.0.read(&mut Ends { read, write })
    }

    /// What one read came to.
    pub fn heard_in_a_read(&mut self, read: &[u8], write: &mut Vec<u8>) -> Vec<Result<Heard<'static>, Fault>> {
        let mut stream = Ends { read, write };
        let mut all = Vec::new();
        while !ends(all.last()) {
            all.push(match self.0.read(&mut stream) {
                Ok(Message::Text(text)) => Ok(Heard::Text(text.to_string().into())),
                Ok(Message::Binary(bytes)) => Ok(Heard::Binary(bytes.to_vec().into())),
                Ok(Message::Close(_)) => Ok(Heard::Close),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Ok(Heard::Sign),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => Err(fault(&error)),
            });
        }
        // Pongs and the reply to a close; it reports that the connection has ended.
        let _ = self.0.flush(&mut stream);
        all
    }
}
