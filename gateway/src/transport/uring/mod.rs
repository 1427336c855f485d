//! A reactor's sockets by completion, with Linux' io_uring: no system call per read or write, and no buffer per connection.
//!
//! Each socket has one request to receive that goes on for as long as it lives, into buffers that all share, and at most one
//! frame that is being sent. What a turn of the reactor asks for goes to the kernel with the call that waits for the next.

#[cfg(test)]
#[path = "../../../benches/uring/ways.rs"]
mod cost;
mod ring;

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;

use self::ring::{Done, Ring, Tag};
use super::Timestamp;
use super::driver::{self, Driver, SendOutcome, Slot, SocketEvent, WaitOutcome};
use super::mailbox::WakeReceiver;
use super::receive_time::ReceiveTime;
use super::slots::BySlot;

/// No slot is as high.
const WAKE: Tag = Tag::MAX;
/// Microseconds after which the next look round all sockets begins.
const ROUND_AFTER: u64 = 1_000;

/// Sockets by completion.
pub(super) struct Uring {
    ring: Ring,
    wakeups: WakeReceiver,
    table: SocketTable,
    /// When the look round all sockets began that is under way.
    looking: Option<Timestamp>,
}

/// The sockets, without the ring that drives them.
struct SocketTable {
    sockets: BySlot<RingSocket>,
    /// What could be received then was received, except from sockets that the kernel stopped receiving from.
    read_to: Timestamp,
    /// The same without exception.
    all_read_to: Timestamp,
    /// When the last look round began that is over.
    round: Timestamp,
    /// When the kernel was last asked to go on with one that it had stopped receiving from.
    resumed: Timestamp,
    /// To be received from again.
    again: Vec<Slot>,
    /// Closed, and the event is not returned yet.
    ended: Vec<Slot>,
}

struct RingSocket {
    stream: TcpStream,
    receiving: bool,
    /// The length of the frame that is being sent.
    sending: Option<usize>,
    closing: bool,
    stopped: Option<Box<Stopped>>,
}

/// The kernel stopped receiving from a socket before all was received, and was asked to go on: a look round that began before that says
/// nothing of this socket.
struct Stopped {
    /// What the socket was read to before.
    read_to: Timestamp,
    /// Since when the kernel goes on.
    until: Timestamp,
}

impl RingSocket {
    /// What was read to before the bytes that were received now.
    fn not_before(&mut self, read_to: Timestamp) -> Timestamp {
        match self.stopped.take() {
            Some(stopped) if read_to < stopped.until => stopped.read_to,
            _ => read_to,
        }
    }
}

impl Uring {
    /// No sockets yet. For the thread that calls this.
    ///
    /// # Errors
    /// If there is no io_uring to be had, or not all of what is used here (Linux 6.1 has).
    pub fn new(wakeups: WakeReceiver) -> io::Result<Self> {
        let mut ring = Ring::new()?;
        ring.receive(WAKE, wakeups.as_fd())?;
        let (sockets, again, ended, now) = (BySlot::default(), Vec::new(), Vec::new(), Timestamp::now());
        Ok(Self {
            ring,
            wakeups,
            table: SocketTable { sockets, read_to: now, all_read_to: now, round: now, resumed: now, again, ended },
            looking: None,
        })
    }
}

impl SocketTable {
    /// Closes a socket: its requests in the kernel end soon, each with a completion.
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

    fn report_closed(&mut self, on_event: &mut impl FnMut(SocketEvent<'_>)) {
        for slot in self.ended.drain(..) {
            on_event(SocketEvent::Closed(slot));
        }
    }

    fn received_last(&mut self, slot: Slot, result: i32) {
        let Some(socket) = self.sockets.get(slot) else { return };
        socket.receiving = false;
        // It stops when no buffer was free, and now and then for reasons of its own.
        if !socket.closing && (result > 0 || matches!(-result, libc::ENOBUFS | libc::EINTR | libc::EAGAIN)) {
            let read_to = socket.not_before(self.read_to);
            // Until the kernel is asked to go on no look round counts.
            socket.stopped = Some(Box::new(Stopped { read_to, until: Timestamp(u64::MAX) }));
            self.again.push(slot);
        } else {
            self.close(slot);
        }
    }

    /// A look round all sockets is over, which began then. What was readable when the one before began is received by now, up to
    /// 33 buffers of each socket.
    ///
    /// One round alone does not tell: a request to receive goes to the end of the kernel's queue, behind the end of the round, whenever
    /// it has found more in its socket than it received 33 times, counted over its life (`MULTISHOT_MAX_RETRY` in the kernel's
    /// io_uring/net.c, since 6.8). From there it receives 33 times at least, before the end of the next round.
    fn looked_round(&mut self, began: Option<Timestamp>) {
        let Some(began) = began else { return };
        let before = std::mem::replace(&mut self.round, began);
        self.read_to = before;
        if self.again.is_empty() && before > self.resumed {
            self.all_read_to = before;
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
        self.table
            .sockets
            .put(slot, RingSocket { stream, receiving: true, sending: None, closing: false, stopped: None });
        Ok(())
    }

    fn send(&mut self, slot: Slot, bytes: Bytes) -> SendOutcome {
        let Some(socket) = self.table.sockets.get(slot).filter(|socket| !socket.closing) else {
            return SendOutcome::Later;
        };
        let length = bytes.len();
        match self.ring.send(slot.0, socket.stream.as_fd(), bytes) {
            Ok(()) => socket.sending = Some(length),
            Err(_) => self.table.close(slot),
        }
        SendOutcome::Later
    }

    fn enlarge_send_buffer(&mut self, slot: Slot) {
        if let Some(socket) = self.table.sockets.get(slot) {
            driver::enlarge_send_buffer(&SockRef::from(&socket.stream));
        }
    }

    fn shut_down_write(&mut self, slot: Slot) {
        if let Some(socket) = self.table.sockets.get(slot) {
            // A socket that can't be shut down is gone already.
            let _ = socket.stream.shutdown(Shutdown::Write);
        }
    }

    fn close(&mut self, slot: Slot) {
        self.table.close(slot);
    }

    fn sleep(&mut self, most: Duration) -> io::Result<()> {
        self.ring.submit()?;
        self.wakeups.wait(most)
    }

    fn wait(&mut self, most: Duration, mut on_event: impl FnMut(SocketEvent<'_>)) -> io::Result<WaitOutcome> {
        let Self { ring, wakeups, table, looking } = self;
        let mut outcome = WaitOutcome { reads: 0, woken: false, read_to: table.all_read_to };
        let mut armed = true;
        let now = Timestamp::now();
        if looking.is_none() && now.0.saturating_sub(table.round.0) >= ROUND_AFTER {
            ring.look_round()?;
            *looking = Some(now);
        }
        table.report_closed(&mut on_event);
        ring.wait(most, |done| match done {
            Done::Received(WAKE, ..) => outcome.woken = true,
            Done::ReceivedLast(WAKE, _) => armed = false,
            Done::Received(tag, bytes, received) => {
                let read_to = table.read_to;
                if let Some(socket) = table.sockets.get(Slot(tag)).filter(|socket| !socket.closing) {
                    outcome.reads += 1;
                    let came = ReceiveTime { received, not_before: socket.not_before(read_to) };
                    on_event(SocketEvent::Read(Slot(tag), bytes, came));
                }
            }
            Done::ReceivedLast(tag, result) => table.received_last(Slot(tag), result),
            Done::LookedRound => table.looked_round(looking.take()),
            Done::Sent(tag, result) => {
                if table.sent(Slot(tag), result) {
                    on_event(SocketEvent::Sent(Slot(tag)));
                }
            }
        })?;
        if !armed {
            ring.receive(WAKE, wakeups.as_fd())?;
        }
        for slot in std::mem::take(&mut table.again) {
            let Some(socket) = table.sockets.get(slot) else { continue };
            if let Some(stopped) = &mut socket.stopped {
                table.resumed = Timestamp::now();
                stopped.until = table.resumed;
            }
            socket.receiving = !socket.closing && ring.receive(slot.0, socket.stream.as_fd()).is_ok();
            if !socket.receiving {
                table.close(slot);
            }
        }
        table.report_closed(&mut on_event);
        outcome.read_to = table.all_read_to;
        Ok(outcome)
    }
}
