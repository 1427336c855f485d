//! The interface between a reactor and the kernel, independent of how the kernel is asked.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;

use super::Timestamp;
use super::receive_time::ReceiveTime;

/// The index of a socket in its reactor, which is also the handler's slot for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot(pub u32);

impl Slot {
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The result of sending bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SendOutcome {
    /// The kernel has taken them all.
    Done,
    /// Not all yet: [`SocketEvent::Sent`] follows when the kernel has.
    Later,
}

/// An event of a socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SocketEvent<'a> {
    /// Bytes arrived, with the time of their arrival.
    Read(Slot, &'a mut [u8], ReceiveTime),
    /// The kernel has taken all bytes that were sent last.
    Sent(Slot),
    /// The socket is closed, by either side, and its slot is free. Its last event.
    Closed(Slot),
}

/// The result of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WaitOutcome {
    /// The number of reads among the events.
    pub reads: usize,
    /// Whether another thread woke the reactor.
    pub woken: bool,
    /// Everything that was readable at any socket at this time has been read, and its events were returned. The
    /// exception is a socket with more data than one read of it takes. The time advances however busy the sockets are,
    /// after each has had its turn.
    pub read_to: Timestamp,
}

/// The sockets of one reactor. Used on its thread only.
pub(super) trait Driver {
    /// Adds a connected socket in a free slot. Reading from it begins at once.
    ///
    /// # Errors
    /// If the kernel refuses; the socket is closed then, and has no events.
    fn add(&mut self, slot: Slot, stream: TcpStream) -> io::Result<()>;

    /// Sends bytes. No more may be sent on this socket until [`SocketEvent::Sent`].
    fn send(&mut self, slot: Slot, bytes: Bytes) -> SendOutcome;

    /// Enlarges the kernel's send buffer, so that it takes the rest even if the client does not read: for a socket that
    /// is about to be closed. A client that reads later still receives it, even after the close.
    fn enlarge_send_buffer(&mut self, slot: Slot);

    /// Shuts down the sending side of a socket that has sent everything. Reading continues to the end of the client's
    /// data.
    fn shut_down_write(&mut self, slot: Slot);

    /// Closes a socket even if data is under way. [`SocketEvent::Closed`] follows.
    fn close(&mut self, slot: Slot);

    /// Submits what was requested, then sleeps until another thread wakes it or the time is over. Events of sockets do
    /// not end the sleep; [`Self::wait`] returns them.
    ///
    /// # Errors
    /// If the kernel reports an error.
    fn sleep(&mut self, most: Duration) -> io::Result<()>;

    /// Returns the events of sockets. If there are none, waits for one, or until the time is over.
    ///
    /// # Errors
    /// If the kernel does not return them.
    fn wait(&mut self, most: Duration, on_event: impl FnMut(SocketEvent<'_>)) -> io::Result<WaitOutcome>;
}

/// The kernel's send buffer, in bytes, for a connection that is being closed. The kernel has a limit of its own
/// (`net.core.wmem_max`).
const CLOSING_SEND_BUFFER: usize = 1 << 20;

/// Enlarges the send buffer of a socket that is about to be closed, for the rest of a frame, an error and the close
/// frame. The handler limits how much that is. If the kernel refuses, the buffer stays as it is.
pub(super) fn enlarge_send_buffer(socket: &SockRef<'_>) {
    if socket.send_buffer_size().is_ok_and(|now| now < CLOSING_SEND_BUFFER) {
        let _ = socket.set_send_buffer_size(CLOSING_SEND_BUFFER);
    }
}
