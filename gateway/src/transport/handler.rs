//! The interface between sockets and what is done with their messages.

use std::net::IpAddr;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;

use super::{ConnKey, Drain, Fault, Timestamp};

/// What a reactor calls with what came on its connections, and asks for what is to be sent.
///
/// A reactor owns sockets and one handler. It calls the handler for each event, with the time at which it happened; the handler never
/// blocks, reads no clock and has no socket:
///
/// | the reactor calls | when |
/// | --- | --- |
/// | `opened` | a WebSocket handshake is done |
/// | `message`, `control_frame`, `fault`, `close_frame` | bytes were read that make this; stamped with the time at which the kernel had them |
/// | `closed` | the socket is closed |
/// | `receive` | another thread sent a message |
/// | `work` | until it returns that nothing is left; between two calls the reactor reads what is readable |
/// | `flush` | all readable sockets were read, or some of them for a while |
/// | `read_up_to` | the sockets were polled |
/// | `tick` | ten times a second, and four times while it `is_idle` |
///
/// After each of these `take_dirty` names the connections that have bytes to write. The reactor borrows their frames one after the
/// other, and reports when the socket has taken one; `socket_action` decides whether to close it.
pub trait ConnectionHandler: Send + 'static {
    /// What other threads send to it.
    type Message: Send + 'static;

    /// A WebSocket handshake with this peer is done. The key's slot is free from `closed` on.
    fn opened(&mut self, codec: Codec, peer: IpAddr, now: Timestamp) -> ConnKey;
    /// A message was read now that the kernel received earlier.
    fn message(&mut self, key: ConnKey, message: Payload<'_>, came: Timestamp, now: Timestamp);
    /// The client sent a ping or pong; `pong` are the bytes that answer it, if any.
    fn control_frame(&mut self, key: ConnKey, pong: Bytes, now: Timestamp);
    /// What the client sent breaks the protocol.
    fn fault(&mut self, key: ConnKey, fault: Fault, now: Timestamp);
    /// The client sent a close frame; `reply` is the one that answers it.
    fn close_frame(&mut self, key: ConnKey, reply: Bytes, now: Timestamp);
    /// The socket is closed.
    fn closed(&mut self, key: ConnKey);
    /// Whether what the client sends is still processed.
    fn is_reading(&self, key: ConnKey) -> bool;

    /// Another thread sent a message.
    fn receive(&mut self, message: Self::Message, now: Timestamp);
    /// Does the next piece of work. Whether there is more.
    fn work(&mut self, now: Timestamp) -> bool;
    /// How many of the messages that it received are not processed: they count as the reactor's backlog. Called with each turn.
    fn unprocessed(&self) -> usize;
    /// Whether something waits for `flush` or `read_up_to`: answers in a batch, or a barrier.
    fn has_pending_input(&self) -> bool;
    /// Whether what clients send next may wait up to a quarter of a second to be read. Not by default.
    fn is_idle(&self, _now: Timestamp) -> bool {
        false
    }
    /// Sends on what was read.
    fn flush(&mut self);
    /// Everything that the sockets had at this time was read.
    fn read_up_to(&mut self, to: Timestamp);
    /// Time passed.
    fn tick(&mut self, now: Timestamp);

    /// The connections that have bytes to write or another [`SocketAction`] than before, each once.
    fn take_dirty(&mut self, into: &mut Vec<ConnKey>);
    /// The next frame of a connection. No other is lent until `wrote`.
    fn lend(&mut self, key: ConnKey) -> Option<Bytes>;
    /// The socket took the frame that was lent. Whether there is more to do for this connection.
    fn wrote(&mut self, key: ConnKey) -> bool;
    /// The outbox of a connection is empty.
    fn outbox_empty(&mut self, key: ConnKey);
    /// What to do with the socket now.
    fn socket_action(&self, key: ConnKey, now: Timestamp) -> SocketAction;

    /// The gateway drains: which connections are to go by now, with each tick.
    fn drain(&mut self, drain: Drain, now: Timestamp);
    /// Connections now.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// All slots are below this.
    fn slots(&self) -> u32;
}

/// A client's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Of a text frame.
    Text(&'a str),
    /// Of a binary frame.
    Binary(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// Its bytes.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// What the reactor should do with a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketAction {
    /// Keep it.
    Keep,
    /// Write what is left, and enlarge the kernel's buffer for it, as the client may not read.
    Flush,
    /// All is written: shut down our side, and read to the end of the client's without processing it.
    ShutDown,
    /// Close it.
    Close,
}
