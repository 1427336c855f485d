//! What a reactor needs of the kernel, whichever way it asks for it.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;

use super::Timestamp;
use super::receive_time::ReceiveTime;

/// A socket's place in its reactor; the handler's slot for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot(pub u32);

impl Slot {
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What became of bytes to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SendOutcome {
    /// The kernel has them all.
    Done,
    /// [`SocketEvent::Sent`] comes when it does.
    Later,
}

/// What happened to a socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SocketEvent<'a> {
    /// Bytes came, and when.
    Read(Slot, &'a mut [u8], ReceiveTime),
    /// The bytes that were sent last are all with the kernel.
    Sent(Slot),
    /// The socket is closed, by either side, and its slot is free. Its last event.
    Closed(Slot),
}

/// What came of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WaitOutcome {
    /// Reads among the events.
    pub reads: usize,
    /// Whether another thread woke the reactor.
    pub woken: bool,
    /// What could be read at any socket at this moment was read, and its events were returned. Only of a socket with very much of it (more than a reading
    /// of it takes) there may be more. It moves on however busy the sockets are, after each of them had its turn.
    pub read_to: Timestamp,
}

/// The sockets of one reactor. Used on its thread only.
pub(super) trait Driver {
    /// Takes a connected socket into a free slot. It is read from now on.
    ///
    /// # Errors
    /// If the kernel can't; the socket is closed then, and has no events.
    fn add(&mut self, slot: Slot, stream: TcpStream) -> io::Result<()>;

    /// Sends bytes. Nothing else may be sent by this socket until they are.
    fn send(&mut self, slot: Slot, bytes: Bytes) -> SendOutcome;

    /// Has the kernel take what is still to be sent, though the client does not read: for a socket that is about to be closed.
    /// A client that reads later receives it, even after the socket is closed.
    fn enlarge_send_buffer(&mut self, slot: Slot);

    /// Ends our side of a socket that has sent all. What the client sends is still read to its end.
    fn shut_down_write(&mut self, slot: Slot);

    /// Closes a socket, whatever is on its way. [`SocketEvent::Closed`] comes when that is done.
    fn close(&mut self, slot: Slot);

    /// Does what was asked for, then waits until another thread wakes it, or until the time is over, whatever happens at the
    /// sockets meanwhile; [`Self::wait`] returns it.
    ///
    /// # Errors
    /// If the kernel does not do it.
    fn sleep(&mut self, most: Duration) -> io::Result<()>;

    /// Returns the events of sockets. If there are none, waits until something does, or until the time is over.
    ///
    /// # Errors
    /// If the kernel does not return them.
    fn wait(&mut self, most: Duration, on_event: impl FnMut(SocketEvent<'_>)) -> io::Result<WaitOutcome>;
}

/// What the kernel may hold for a connection that is being closed, in bytes; it has a limit of its own (`net.core.wmem_max`).
const CLOSING_SEND_BUFFER: usize = 1 << 20;

/// Lets the kernel hold more for a socket than for one that stays: the rest of a frame that is half written, an error and the close frame. What may
/// be sent then is for the handler to bound. A kernel that gives no more leaves it as it was.
pub(super) fn enlarge_send_buffer(socket: &SockRef<'_>) {
    if socket.send_buffer_size().is_ok_and(|now| now < CLOSING_SEND_BUFFER) {
        let _ = socket.set_send_buffer_size(CLOSING_SEND_BUFFER);
    }
}
