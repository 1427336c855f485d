//! A reactor's sockets by readiness, with mio: epoll on Linux. Works with every kernel and in every container.

use std::io::{self, IoSliceMut, Write};
use std::net::{Shutdown, TcpStream as StdStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use bytes::{Buf, Bytes};
use mio::net::TcpStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, Timestamps, recvmsg};
use socket2::SockRef;

use super::Timestamp;
use super::driver::{self, Driver, SendOutcome, Slot, SocketEvent, WaitOutcome};
use super::mailbox::WakeReceiver;
use super::receive_time::{KernelTime, ReceiveTime};
use super::slots::BySlot;

/// Events that one call takes from the kernel at most.
const EVENTS: usize = 1024;
/// The size of the read buffer, of which a reactor has one.
const READ: usize = 16 << 10;
/// Reads of one socket before the others get their turn.
const READS: usize = 4;
/// The waker's token, above all slots.
const WAKE: Token = Token(usize::MAX);

/// Sockets by readiness.
pub(super) struct Epoll {
    poll: Poll,
    wakeups: WakeReceiver,
    sockets: BySlot<EpollSocket>,
    buffer: Box<[u8]>,
    /// The buffer for control messages, with the kernel's receive times.
    control: Box<[u8]>,
    events: Option<Events>,
    /// Sockets that may have more to read.
    unread: Vec<Slot>,
    /// Closed sockets whose event has not been returned yet.
    ended: Vec<Slot>,
    round: Round,
}

/// Tracks up to which time all sockets are read, though one poll returns events of some of them only.
///
/// epoll returns sockets in the order in which they became readable, and a socket that becomes readable again after the
/// others. So what was readable at the begin of a round has been returned after as many events as there are sockets.
struct Round {
    /// Everything that was readable at this time has been read.
    read_to: Timestamp,
    /// When the current round began.
    began: Timestamp,
    /// How many more events belong to the round; none if there is no round.
    ahead: Option<usize>,
}

impl Round {
    /// Called when all events of a poll that started at `began` are processed; `events` is their number, [`EVENTS`] at
    /// most.
    fn polled(&mut self, began: Timestamp, events: usize, sockets: usize) {
        if events < EVENTS {
            (self.read_to, self.ahead) = (began, None);
            return;
        }
        let before = self.ahead.unwrap_or_else(|| {
            self.began = began;
            sockets
        });
        self.ahead = before.checked_sub(events).filter(|&ahead| ahead > 0);
        if self.ahead.is_none() {
            self.read_to = self.began;
        }
    }
}

struct EpollSocket {
    stream: TcpStream,
    /// Bytes that the socket has not taken yet.
    unsent: Bytes,
    /// Whether it is in the list of unread sockets.
    unread: bool,
}

/// The result of reading a socket.
enum Progress {
    All,
    More,
    End,
}

impl Epoll {
    /// No sockets yet.
    ///
    /// # Errors
    /// If epoll is not available.
    pub fn new(wakeups: WakeReceiver) -> io::Result<Self> {
        let poll = Poll::new()?;
        poll.registry().register(&mut SourceFd(&wakeups.as_fd().as_raw_fd()), WAKE, Interest::READABLE)?;
        Ok(Self {
            poll,
            wakeups,
            sockets: BySlot::default(),
            buffer: vec![0; READ].into(),
            control: vec![0; cmsg_space!(Timestamps).capacity()].into(),
            events: Some(Events::with_capacity(EVENTS)),
            unread: Vec::new(),
            ended: Vec::new(),
            round: Round { read_to: Timestamp::now(), began: Timestamp(0), ahead: None },
        })
    }

    /// Reads what is available, and returns its events.
    fn read(
        &mut self,
        slot: Slot,
        to_the_end: bool,
        on_event: &mut impl FnMut(SocketEvent<'_>),
        reads: &mut usize,
    ) -> Progress {
        let Some(socket) = self.sockets.get(slot) else { return Progress::All };
        for _ in 0..READS {
            match receive(&socket.stream, &mut self.buffer, &mut self.control) {
                Ok((0, _)) => return Progress::End,
                Ok((count, received)) => {
                    let came = ReceiveTime { received, not_before: self.round.read_to };
                    on_event(SocketEvent::Read(slot, &mut self.buffer[..count], came));
                    *reads += 1;
                    // epoll(7): a stream that returned fewer bytes than requested is empty, and will have an event
                    // again.
                    if count < READ && !to_the_end {
                        return Progress::All;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Progress::All,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Progress::End,
            }
        }
        Progress::More
    }

    fn serve(&mut self, slot: Slot, to_the_end: bool, on_event: &mut impl FnMut(SocketEvent<'_>), reads: &mut usize) {
        match self.read(slot, to_the_end, on_event, reads) {
            Progress::All => {}
            Progress::More => {
                if let Some(socket) = self.sockets.get(slot)
                    && !std::mem::replace(&mut socket.unread, true)
                {
                    self.unread.push(slot);
                }
            }
            Progress::End => self.close(slot),
        }
    }

    fn report_closed(&mut self, on_event: &mut impl FnMut(SocketEvent<'_>)) {
        for slot in self.ended.drain(..) {
            on_event(SocketEvent::Closed(slot));
        }
    }
}

/// Receives available bytes, with their receive time.
fn receive(stream: &TcpStream, buffer: &mut [u8], control: &mut [u8]) -> io::Result<(usize, Option<KernelTime>)> {
    let mut bytes = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut bytes, Some(control), MsgFlags::empty())?;
    let received = message.cmsgs().ok().and_then(|mut said| {
        said.find_map(|said| match said {
            ControlMessageOwned::ScmTimestampsns(times) => {
                KernelTime::at(times.system.tv_sec(), times.system.tv_nsec())
            }
            _ => None,
        })
    });
    Ok((message.bytes, received))
}

/// Sends what the socket takes. Returns whether that was everything; an error if the socket is broken.
fn send_rest(socket: &mut EpollSocket) -> io::Result<bool> {
    while socket.unsent.has_remaining() {
        match socket.stream.write(&socket.unsent) {
            Ok(count) => socket.unsent.advance(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    socket.unsent = Bytes::new();
    Ok(true)
}

impl Driver for Epoll {
    fn add(&mut self, slot: Slot, stream: StdStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        self.poll.registry().register(&mut stream, Token(slot.index()), interest)?;
        self.sockets.put(slot, EpollSocket { stream, unsent: Bytes::new(), unread: false });
        Ok(())
    }

    fn send(&mut self, slot: Slot, bytes: Bytes) -> SendOutcome {
        let Some(socket) = self.sockets.get(slot) else { return SendOutcome::Later };
        socket.unsent = bytes;
        match send_rest(socket) {
            Ok(true) => SendOutcome::Done,
            Ok(false) => SendOutcome::Later,
            Err(_) => {
                self.close(slot);
                SendOutcome::Later
            }
        }
    }

    fn enlarge_send_buffer(&mut self, slot: Slot) {
        if let Some(socket) = self.sockets.get(slot) {
            driver::enlarge_send_buffer(&SockRef::from(&socket.stream));
        }
    }

    fn shut_down_write(&mut self, slot: Slot) {
        if let Some(socket) = self.sockets.get(slot) {
            // A socket that can't be shut down is gone already.
            let _ = socket.stream.shutdown(Shutdown::Write);
        }
    }

    fn close(&mut self, slot: Slot) {
        if self.sockets.take(slot).is_some() {
            self.ended.push(slot);
        }
    }

    fn sleep(&mut self, most: Duration) -> io::Result<()> {
        self.wakeups.wait(most)
    }

    fn wait(&mut self, most: Duration, mut on_event: impl FnMut(SocketEvent<'_>)) -> io::Result<WaitOutcome> {
        let began = Timestamp::now();
        let mut outcome = WaitOutcome { reads: 0, woken: false, read_to: self.round.read_to };
        self.report_closed(&mut on_event);
        let Some(mut events) = self.events.take() else { return Ok(outcome) };
        let at_once = !self.unread.is_empty();
        let polled = self.poll.poll(&mut events, Some(if at_once { Duration::ZERO } else { most }));
        if let Err(error) = polled {
            self.events = Some(events);
            return if error.kind() == io::ErrorKind::Interrupted { Ok(outcome) } else { Err(error) };
        }
        for slot in std::mem::take(&mut self.unread) {
            if let Some(socket) = self.sockets.get(slot) {
                socket.unread = false;
            }
            self.serve(slot, true, &mut on_event, &mut outcome.reads);
        }
        for event in &events {
            if event.token() == WAKE {
                self.wakeups.drain();
                outcome.woken = true;
                continue;
            }
            let slot = Slot(u32::try_from(event.token().0).unwrap_or(u32::MAX));
            if event.is_writable()
                && let Some(socket) = self.sockets.get(slot)
                && socket.unsent.has_remaining()
            {
                match send_rest(socket) {
                    Ok(true) => on_event(SocketEvent::Sent(slot)),
                    Ok(false) => {}
                    Err(_) => self.close(slot),
                }
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                // A read stops before an urgent byte, even if there is more.
                let to_the_end = event.is_read_closed() || event.is_error() || event.is_priority();
                self.serve(slot, to_the_end, &mut on_event, &mut outcome.reads);
            }
        }
        // The waker counts as one more socket.
        self.round.polled(began, events.iter().count(), self.sockets.slots() + 1);
        outcome.read_to = self.round.read_to;
        self.events = Some(events);
        self.report_closed(&mut on_event);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round() -> Round {
        Round { read_to: Timestamp(1), began: Timestamp(0), ahead: None }
    }

    #[test]
    fn a_poll_that_returns_fewer_events_than_it_could_has_returned_all() {
        let mut round = round();
        round.polled(Timestamp(5), EVENTS - 1, 9_999);
        assert_eq!(round.read_to, Timestamp(5));
        round.polled(Timestamp(7), EVENTS, 9_999);
        round.polled(Timestamp(9), 0, 9_999);
        assert_eq!(round.read_to, Timestamp(9));
    }

    #[test]
    fn after_as_many_events_as_there_are_sockets_all_is_read_that_could_be_read_before() {
        let mut round = round();
        let sockets = 3 * EVENTS + 1;
        let after: Vec<_> = (10..18)
            .map(|at| {
                round.polled(Timestamp(at), EVENTS, sockets);
                round.read_to.0
            })
            .collect();
        assert_eq!(after, [1, 1, 1, 10, 10, 10, 10, 14]);
    }

    #[test]
    fn as_many_sockets_as_a_poll_returns_are_all_read_after_each() {
        let mut round = round();
        round.polled(Timestamp(5), EVENTS, EVENTS);
        assert_eq!(round.read_to, Timestamp(5));
    }
}
