//! The interface between a reactor's sockets and the code that processes their messages.

use std::net::IpAddr;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;

use super::{ConnKey, Drain, Fault, Timestamp};

/// Processes what arrives on a reactor's connections, and provides the frames to send.
///
/// A reactor owns sockets and one handler. It calls the handler for each event, with the event's time. The handler
/// never blocks, reads no clock and has no socket:
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
/// After each of these calls `take_dirty` returns the connections that have bytes to write. The reactor borrows their
/// frames one after another, and reports when the socket has taken one; `socket_action` decides whether to close it.
pub trait ConnectionHandler: Send + 'static {
    /// The type of messages from other threads.
    type Message: Send + 'static;

    /// Called after a WebSocket handshake with this peer. The key's slot is free again after `closed`.
    fn opened(&mut self, codec: Codec, peer: IpAddr, now: Timestamp) -> ConnKey;
    /// Called with a message that was read at `now`, and that the kernel received at `came`.
    fn message(&mut self, key: ConnKey, message: Payload<'_>, came: Timestamp, now: Timestamp);
    /// The client sent a ping or pong; `pong` are the bytes that answer it, if any.
    fn control_frame(&mut self, key: ConnKey, pong: Bytes, now: Timestamp);
    /// Called when a client violates the protocol.
    fn fault(&mut self, key: ConnKey, fault: Fault, now: Timestamp);
    /// Called with a client's close frame; `reply` is the frame that answers it.
    fn close_frame(&mut self, key: ConnKey, reply: Bytes, now: Timestamp);
    /// Called when the socket is closed.
    fn closed(&mut self, key: ConnKey);
    /// Whether input of this connection is still processed.
    fn is_reading(&self, key: ConnKey) -> bool;

    /// Called with a message of another thread.
    fn receive(&mut self, message: Self::Message, now: Timestamp);
    /// Does the next piece of work. Returns whether there is more.
    fn work(&mut self, now: Timestamp) -> bool;
    /// How many received messages are not processed yet: they count as the reactor's backlog. Called in each turn.
    fn unprocessed(&self) -> usize;
    /// Whether `flush` or `read_up_to` has something to do: answers in a batch, or a barrier.
    fn has_pending_input(&self) -> bool;
    /// Whether input may wait to be read for up to a quarter of a second. False by default.
    fn is_idle(&self, _now: Timestamp) -> bool {
        false
    }
    /// Sends on what was read and is collected in batches.
    fn flush(&mut self);
    /// Called when everything that the sockets had received at this time has been read.
    fn read_up_to(&mut self, to: Timestamp);
    /// Called at intervals.
    fn tick(&mut self, now: Timestamp);

    /// The connections that have new bytes to write or a new [`SocketAction`], each once.
    fn take_dirty(&mut self, into: &mut Vec<ConnKey>);
    /// The next frame of a connection. No other is returned until `wrote` is called.
    fn lend(&mut self, key: ConnKey) -> Option<Bytes>;
    /// Called when the socket has taken the frame. Returns whether there is more to do for this connection.
    fn wrote(&mut self, key: ConnKey) -> bool;
    /// Called when the outbox of a connection is empty.
    fn outbox_empty(&mut self, key: ConnKey);
    /// What the reactor should do with the socket.
    fn socket_action(&self, key: ConnKey, now: Timestamp) -> SocketAction;

    /// Called with each tick while the gateway drains: which connections have to be closed by now.
    fn drain(&mut self, drain: Drain, now: Timestamp);
    /// The number of connections.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Upper bound (exclusive) of the slots in use.
    fn slots(&self) -> u32;
}

/// A client's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// The payload of a text frame.
    Text(&'a str),
    /// The payload of a binary frame.
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
    /// Keep the socket open.
    Keep,
    /// Write the rest, with an enlarged send buffer, as the client may not read.
    Flush,
    /// Everything is written: shut down the sending side, and read the client's data to its end without processing it.
    ShutDown,
    /// Close the socket.
    Close,
}
