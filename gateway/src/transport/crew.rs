//! The seam between sockets and what is made of them.

use std::net::IpAddr;

use bytes::Bytes;
use klaxon_protocol::codec::Codec;

use super::{ConnKey, Farewell, Fault, Moment};

/// Who deals with what a reactor's sockets bring, and says what goes out by them.
///
/// A reactor owns sockets, and one crew. It tells the crew what happens, with the time at which it happened; the crew never waits,
/// never reads a clock and never sees a socket:
///
/// | the reactor says | when |
/// | --- | --- |
/// | `opened` | a WebSocket handshake is done |
/// | `message`, `pinged`, `failed`, `leaving` | bytes were read that make this; stamped with the read's time |
/// | `closed` | the socket is gone |
/// | `hear` | another thread has something for this one |
/// | `work` | until it says that nothing is left; between two calls the reactor reads what is readable |
/// | `flush` | the readable sockets were read, or some of them for a while |
/// | `has_read` | the sockets were looked at |
/// | `tick` | some ten times a second, and four times while it `is_calm` |
///
/// After each of these, `take_dirty` names the connections that have bytes to write. The reactor is lent them one frame after the
/// other, and says when the socket has taken one; `fate` says whether to close it.
pub trait Crew: Send + 'static {
    /// What other threads tell it.
    type Word: Send + 'static;

    /// A WebSocket handshake with this peer is done. The key's slot is free from `closed` on.
    fn opened(&mut self, codec: Codec, peer: IpAddr, now: Moment) -> ConnKey;
    /// A message was read now, that came then.
    fn message(&mut self, key: ConnKey, message: Message<'_>, came: Moment, now: Moment);
    /// The client sent a ping or pong; `pong` are the bytes that answer it, if any.
    fn pinged(&mut self, key: ConnKey, pong: Bytes, now: Moment);
    /// What the client sent is no message.
    fn failed(&mut self, key: ConnKey, fault: Fault, now: Moment);
    /// The client closes; `reply` is the close frame that answers it.
    fn leaving(&mut self, key: ConnKey, reply: Bytes, now: Moment);
    /// The socket is gone.
    fn closed(&mut self, key: ConnKey);
    /// Whether what the client sends is still heard.
    fn listens(&self, key: ConnKey) -> bool;

    /// Another thread has something for this one.
    fn hear(&mut self, word: Self::Word, now: Moment);
    /// Does the next piece of what is to do. Whether there is more.
    fn work(&mut self, now: Moment) -> bool;
    /// Whether something waits for `flush`: what was read, to go on together, or somebody who wants to know that all is read.
    fn holds(&self) -> bool;
    /// Whether nobody is in a hurry: whatever clients say next may wait for a moment until it is read. Not so if a crew does not say.
    fn is_calm(&self, _now: Moment) -> bool {
        false
    }
    /// What was read goes on.
    fn flush(&mut self);
    /// All that had come by then was read.
    fn has_read(&mut self, to: Moment);
    /// Time passed.
    fn tick(&mut self, now: Moment);

    /// The connections that have bytes to write or another fate than before, each once.
    fn take_dirty(&mut self, into: &mut Vec<ConnKey>);
    /// The next frame for a connection. Nothing else of it is lent until `wrote`.
    fn lend(&mut self, key: ConnKey) -> Option<Bytes>;
    /// The socket took the frame that was lent. Whether there is more to do for this connection.
    fn wrote(&mut self, key: ConnKey) -> bool;
    /// There was nothing to lend.
    fn idle(&mut self, key: ConnKey);
    /// What to do with the socket now.
    fn fate(&self, key: ConnKey, now: Moment) -> Fate;

    /// The gateway goes down: who is to go by now, asked with each tick.
    fn part(&mut self, farewell: Farewell, now: Moment);
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

/// What the reactor should do with a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Keep it.
    Keep,
    /// Last words wait: the kernel is to take them soon, whether the client reads or not.
    Part,
    /// All is said: end our side, and read to the other's end without hearing it.
    Finish,
    /// Let go of it.
    Drop,
}
