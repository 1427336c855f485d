//! A reactor's sockets by completion, with Linux' io_uring: no system call per read or write, and no buffer per
//! connection.
//!
//! Each socket has one multishot request to receive, into buffers that all sockets share, and at most one frame that is
//! being sent. Requests of a turn are submitted by the call that waits for the next events.

pub(super) mod ring;

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

/// The waker's tag, above all slots.
const WAKE: Tag = Tag::MAX;
/// Microseconds after which the next round over all sockets begins, see [`Ring::request_round`].
const ROUND_AFTER: u64 = 1_000;

/// Sockets by completion.
pub(super) struct Uring {
    ring: Ring,
    wakeups: WakeReceiver,
    table: SocketTable,
    /// When the current round over all sockets began; none if there is no round.
    looking: Option<Timestamp>,
}

/// The sockets, without the ring that drives them.
struct SocketTable {
    sockets: BySlot<RingSocket>,
    /// Everything that was readable at this time has been received, except from sockets whose receiving the kernel had
    /// stopped.
    read_to: Timestamp,
    /// As `read_to`, but for all sockets.
    all_read_to: Timestamp,
    /// When the last completed round began.
    round: Timestamp,
    /// When the last stopped request to receive was submitted again.
    resumed: Timestamp,
    /// Sockets whose request to receive has to be submitted again.
    again: Vec<Slot>,
    /// Closed sockets whose event has not been returned yet.
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

/// The kernel stopped receiving from a socket before everything was received, and the request is submitted again: a
/// round that began before that proves nothing about this socket.
struct Stopped {
    /// The time up to which the socket had been read before.
    read_to: Timestamp,
    /// When the request was submitted again.
    until: Timestamp,
}

impl RingSocket {
    /// The time up to which the socket had been read before the bytes that were received now.
    fn not_before(&mut self, read_to: Timestamp) -> Timestamp {
        match self.stopped.take() {
            Some(stopped) if read_to < stopped.until => stopped.read_to,
            _ => read_to,
        }
    }
}

impl Uring {
    /// No sockets yet. The result may be used on the calling thread only.
    ///
    /// # Errors
    /// If io_uring is not available, or lacks a feature that is used here (Linux 6.1 has all).
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
            // A socket that is no longer connected has nothing left to do.
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
        // The kernel stops when no buffer is free, and occasionally for other reasons.
        if !socket.closing && (result > 0 || matches!(-result, libc::ENOBUFS | libc::EINTR | libc::EAGAIN)) {
            let read_to = socket.not_before(self.read_to);
            // Until the request is submitted again, no round counts for this socket.
            socket.stopped = Some(Box::new(Stopped { read_to, until: Timestamp(u64::MAX) }));
            self.again.push(slot);
        } else {
            self.close(slot);
        }
    }

    /// Called when a round over all sockets, which began at `began`, is completed. What was readable when the round
    /// before began has been received by now, up to 33 buffers of each socket.
    ///
    /// A single round is no proof: a request to receive moves to the end of the kernel's queue, behind the end of the
    /// round, whenever it has found more data than it received 33 times, counted over its life (`MULTISHOT_MAX_RETRY`
    /// in the kernel's io_uring/net.c, since 6.8). From there it receives at least 33 times before the end of the next
    /// round.
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
        // On a non-blocking socket the ring would report at once that there is nothing to read.
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
            ring.request_round()?;
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
            Done::Round => table.looked_round(looking.take()),
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
