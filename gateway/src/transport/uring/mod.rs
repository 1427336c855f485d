//! A reactor's sockets by completion, with Linux' io_uring: no system call per read or write, and no buffer per connection.
//!
//! Each socket has one request to receive that goes on for as long as it lives, into buffers that all share, and at most one
//! frame that is being sent. What a turn of the reactor asks for goes to the kernel with the call that waits for the next.

#[cfg(test)]
mod cost;
mod ring;

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use bytes::Bytes;

use self::ring::{Done, Ring, Tag};
use super::bell::Chime;
use super::driver::{Driver, Event, Sending, Slot, Waited};
use super::slots::BySlot;

/// No slot is as high.
const CHIME: Tag = Tag::MAX;

/// Sockets by completion.
pub(super) struct Uring {
    ring: Ring,
    chime: Chime,
    house: House,
}

/// The sockets, without the ring that tells of them.
#[derive(Default)]
struct House {
    sockets: BySlot<Socket>,
    /// To be received from again.
    again: Vec<Slot>,
    /// Closed, and nobody has heard of it yet.
    ended: Vec<Slot>,
}

struct Socket {
    stream: TcpStream,
    receiving: bool,
    /// The length of the frame that is being sent.
    sending: Option<usize>,
    closing: bool,
}

impl Uring {
    /// No sockets yet. For the thread that calls this.
    ///
    /// # Errors
    /// If there is no io_uring to be had, or not all of what is used here (Linux 6.1 has).
    pub fn new(chime: Chime) -> io::Result<Self> {
        let mut ring = Ring::new()?;
        ring.receive(CHIME, chime.as_fd())?;
        Ok(Self { ring, chime, house: House::default() })
    }
}

impl House {
    /// Closes a socket: what the kernel does for it ends soon, and says so.
    fn close(&mut self, slot: Slot) {
        let Some(socket) = self.sockets.get(slot) else { return };
        if !std::mem::replace(&mut socket.closing, true) {
            // One that is not connected any more is done with everything.
            let _ = socket.stream.shutdown(Shutdown::Both);
        }
        if !socket.receiving && socket.sending.is_none() {
            self.sockets.take(slot);
            self.ended.push(slot);
        }
    }

    fn tell_ended(&mut self, hear: &mut impl FnMut(Event<'_>)) {
        for slot in self.ended.drain(..) {
            hear(Event::Ended(slot));
        }
    }

    fn received_last(&mut self, slot: Slot, result: i32) {
        let Some(socket) = self.sockets.get(slot) else { return };
        socket.receiving = false;
        // It stops when no buffer was free, and now and then for reasons of its own.
        if !socket.closing && (result > 0 || matches!(-result, libc::ENOBUFS | libc::EINTR | libc::EAGAIN)) {
            self.again.push(slot);
        } else {
            self.close(slot);
        }
    }

    /// Whether all of the frame was sent.
    fn sent(&mut self, slot: Slot, result: i32) -> bool {
        let Some(socket) = self.sockets.get(slot) else { return false };
        let whole =
            socket.sending.take().is_some_and(|length| usize::try_from(result).is_ok_and(|sent| sent == length));
        if socket.closing || !whole {
            self.close(slot);
            return false;
        }
        true
    }
}

impl Driver for Uring {
    fn add(&mut self, slot: Slot, stream: TcpStream) -> io::Result<()> {
        // Of a non-blocking socket the ring would say at once that there is nothing to read.
        stream.set_nonblocking(false)?;
        self.ring.receive(slot.0, stream.as_fd())?;
        self.house.sockets.put(slot, Socket { stream, receiving: true, sending: None, closing: false });
        Ok(())
    }

    fn send(&mut self, slot: Slot, bytes: Bytes) -> Sending {
        let Some(socket) = self.house.sockets.get(slot).filter(|socket| !socket.closing) else { return Sending::Later };
        let length = bytes.len();
        match self.ring.send(slot.0, socket.stream.as_fd(), bytes) {
            Ok(()) => socket.sending = Some(length),
            Err(_) => self.house.close(slot),
        }
        Sending::Later
    }

    fn finish(&mut self, slot: Slot) {
        if let Some(socket) = self.house.sockets.get(slot) {
            // A socket that can't be shut down is gone already.
            let _ = socket.stream.shutdown(Shutdown::Write);
        }
    }

    fn close(&mut self, slot: Slot) {
        self.house.close(slot);
    }

    fn nap(&mut self, most: Duration) -> io::Result<()> {
        self.ring.submit()?;
        self.chime.wait(most)
    }

    fn wait(&mut self, most: Duration, mut hear: impl FnMut(Event<'_>)) -> io::Result<Waited> {
        let Self { ring, chime, house } = self;
        let mut waited = Waited::default();
        let mut chimes = true;
        house.tell_ended(&mut hear);
        ring.wait(most, |done| match done {
            Done::Received(CHIME, ..) => waited.rung = true,
            Done::ReceivedLast(CHIME, _) => chimes = false,
            Done::Received(tag, bytes, received) => {
                if house.sockets.get(Slot(tag)).is_some_and(|socket| !socket.closing) {
                    waited.reads += 1;
                    hear(Event::Read(Slot(tag), bytes, received));
                }
            }
            Done::ReceivedLast(tag, result) => house.received_last(Slot(tag), result),
            Done::Sent(tag, result) => {
                if house.sent(Slot(tag), result) {
                    hear(Event::Sent(Slot(tag)));
                }
            }
        })?;
        if !chimes {
            ring.receive(CHIME, chime.as_fd())?;
        }
        for slot in std::mem::take(&mut house.again) {
            let Some(socket) = house.sockets.get(slot) else { continue };
            socket.receiving = !socket.closing && ring.receive(slot.0, socket.stream.as_fd()).is_ok();
            if !socket.receiving {
                house.close(slot);
            }
        }
        house.tell_ended(&mut hear);
        Ok(waited)
    }
}
