//! A ring without what Klaxon keeps beside its own, to ask it in ways that Klaxon does not. It sends what never goes away.
#![expect(unsafe_code, reason = "the kernel's side of io_uring is given pointers")]

use std::alloc::{Layout, alloc_zeroed};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU16, Ordering::Release};

use io_uring::types::{BufRingEntry, Fd, Fixed};
use io_uring::{Builder, IoUring, cqueue, opcode, squeue};

use super::interrupted;

/// As many submissions as the gateway's ring takes.
const SUBMISSIONS: u32 = 2048;
const FLAGS: i32 = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;

/// Bytes for as long as the process lives.
pub(super) type Lasting = &'static [u8];

pub(super) struct Bare {
    ring: IoUring,
    /// So many sockets' submissions go to the kernel at once.
    at_once: usize,
    groups: Vec<Group>,
    accepting: bool,
}

/// Buffers that a bundle takes from, in memory that is never freed.
struct Group {
    entries: *mut BufRingEntry,
    tail: u16,
}

/// More than the two buffers that are in it at a time; a power of two.
const GROUP: u16 = 8;

impl Bare {
    pub fn new(at_once: usize, set_up: impl FnOnce(&mut Builder) -> &mut Builder) -> Self {
        let mut builder = IoUring::builder();
        let ring = set_up(builder.setup_cqsize(4 * SUBMISSIONS).setup_submit_all()).build(SUBMISSIONS).unwrap();
        Self { ring, at_once, groups: Vec::new(), accepting: false }
    }

    /// As the gateway's ring is set up.
    pub fn usual(at_once: usize) -> Self {
        Self::new(at_once, |builder| builder.setup_single_issuer().setup_defer_taskrun())
    }

    /// Registers these sockets, each by its place.
    pub fn register(self, sockets: &[TcpStream]) -> Self {
        let descriptors: Vec<_> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
        self.ring.submitter().register_files(&descriptors).unwrap();
        self
    }

    /// Whether the kernel takes several buffers of a group for one send.
    pub fn bundles(&self) -> bool {
        self.ring.params().is_feature_recvsend_bundle()
    }

    /// Makes a group of buffers for each of the sockets that are sent to at once.
    pub fn with_groups(mut self) -> Self {
        for number in 0..self.at_once {
            let layout = Layout::array::<BufRingEntry>(GROUP.into()).unwrap().align_to(4096).unwrap();
            // SAFETY: the layout is of some size.
            let entries: *mut BufRingEntry = unsafe { alloc_zeroed(layout).cast() };
            assert!(!entries.is_null());
            // SAFETY: this is page-aligned memory for as many entries, and is never freed.
            let registered = unsafe {
                let submitter = self.ring.submitter();
                submitter.register_buf_ring_with_flags(entries as u64, GROUP, number.try_into().unwrap(), 0)
            };
            registered.unwrap();
            self.groups.push(Group { entries, tail: 0 });
        }
        self
    }

    pub fn send(&mut self, sockets: &[TcpStream], frame: Lasting) {
        self.each(sockets, |_, socket| [send(socket, frame)]);
    }

    pub fn send_to_registered(&mut self, sockets: &[TcpStream], frame: Lasting) {
        let length = frame.len() as u32;
        let at = |place: usize| Fixed(place as u32);
        self.each(sockets, |place, _| [opcode::Send::new(at(place), frame.as_ptr(), length).flags(FLAGS).build()]);
    }

    pub fn send_zero_copy(&mut self, sockets: &[TcpStream], frame: Lasting) {
        let length = frame.len() as u32;
        self.each(sockets, |_, socket| [opcode::SendZc::new(socket, frame.as_ptr(), length).flags(FLAGS).build()]);
    }

    /// Does not hear when a frame is sent.
    pub fn send_and_forget(&mut self, sockets: &[TcpStream], frame: Lasting) {
        for part in sockets.chunks(self.at_once) {
            for socket in part {
                self.push(&send(Fd(socket.as_raw_fd()), frame).flags(squeue::Flags::SKIP_SUCCESS));
            }
            self.ring.submit().unwrap();
            assert_eq!(self.ring.completion().len(), 0, "nothing failed");
        }
    }

    /// The second goes when the first has gone.
    pub fn send_linked(&mut self, sockets: &[TcpStream], [first, second]: [Lasting; 2]) {
        self.each(sockets, |_, socket| [send(socket, first).flags(squeue::Flags::IO_LINK), send(socket, second)]);
    }

    /// Both frames from where they lie.
    pub fn send_gathered(&mut self, sockets: &[TcpStream], message: &'static libc::msghdr) {
        self.each(sockets, |_, socket| [opcode::SendMsg::new(socket, message).flags(FLAGS as u32).build()]);
    }

    /// Both frames as what is in a group.
    pub fn send_bundles(&mut self, sockets: &[TcpStream], frames: [Lasting; 2]) {
        let mut groups = std::mem::take(&mut self.groups);
        let at_once = self.at_once;
        self.each(sockets, |place, socket| {
            let number = place % at_once;
            frames.into_iter().for_each(|frame| groups[number].give(frame));
            groups[number].publish();
            [opcode::SendBundle::new(socket, number as u16).flags(FLAGS).build()]
        });
        self.groups = groups;
    }

    /// Accepts so many, with a request that goes on for as long as the ring lives.
    pub fn accept(&mut self, listener: &TcpListener, count: usize) -> Vec<OwnedFd> {
        let mut accepted = Vec::with_capacity(count);
        while accepted.len() < count {
            if !std::mem::replace(&mut self.accepting, true) {
                self.push(&opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).flags(libc::SOCK_CLOEXEC).build());
            }
            self.wait();
            for completion in self.ring.completion() {
                self.accepting &= cqueue::more(completion.flags());
                assert!(completion.result() >= 0, "{}", completion.result());
                // SAFETY: the kernel made this descriptor for us, and told it to nobody else.
                accepted.push(unsafe { OwnedFd::from_raw_fd(completion.result()) });
            }
        }
        accepted
    }

    /// Submits what is made for each socket, and hears of it.
    fn each<const N: usize>(
        &mut self,
        sockets: &[TcpStream],
        mut entries: impl FnMut(usize, Fd) -> [squeue::Entry; N],
    ) {
        let mut place = 0;
        for part in sockets.chunks(self.at_once) {
            for socket in part {
                entries(place, Fd(socket.as_raw_fd())).iter().for_each(|entry| self.push(entry));
                place += 1;
            }
            let mut left = part.len() * N;
            while left > 0 {
                self.wait();
                for completion in self.ring.completion() {
                    let flags = completion.flags();
                    assert!(cqueue::notif(flags) || completion.result() > 0, "{}", completion.result());
                    left -= usize::from(!cqueue::more(flags));
                }
            }
        }
    }

    fn wait(&self) {
        while self.ring.submit_and_wait(1).is_err_and(|error| interrupted(&error)) {}
    }

    fn push(&mut self, entry: &squeue::Entry) {
        // SAFETY: all that is sent here lives as long as the process.
        while unsafe { self.ring.submission().push(entry) }.is_err() {
            self.ring.submit().unwrap();
        }
    }
}

fn send(socket: Fd, frame: Lasting) -> squeue::Entry {
    opcode::Send::new(socket, frame.as_ptr(), frame.len() as u32).flags(FLAGS).build()
}

/// What gathers two frames.
pub(super) fn message(frames: [Lasting; 2]) -> &'static libc::msghdr {
    let parts = frames.map(|frame| libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() });
    let parts = Box::leak(Box::new(parts));
    // SAFETY: a struct of lengths and pointers, for which nothing is none.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_iov, message.msg_iovlen) = (parts.as_mut_ptr(), parts.len());
    Box::leak(Box::new(message))
}

impl Group {
    fn give(&mut self, frame: Lasting) {
        let place = usize::from(self.tail % GROUP);
        // SAFETY: below `GROUP`, so within the allocation; the kernel reads no entry beyond the published tail.
        let entry = unsafe { &mut *self.entries.add(place) };
        entry.set_addr(frame.as_ptr() as u64);
        entry.set_len(frame.len() as u32);
        entry.set_bid(place as u16);
        self.tail = self.tail.wrapping_add(1);
    }

    fn publish(&self) {
        // SAFETY: the tail is a field of the first entry that nothing else uses; the kernel reads it atomically.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.entries).cast_mut()) };
        tail.store(self.tail, Release);
    }
}
