//! io_uring with its memory: the one place with `unsafe` code, behind functions that are safe.
//!
//! What the kernel reads or writes while we do something else is owned by the [`Ring`] for as long as the kernel may: the frames
//! that are being sent, and the buffers into which it receives. No other code gets a pointer to either.
#![expect(unsafe_code, reason = "the kernel's side of io_uring is given pointers")]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering::Release};
use std::time::Duration;

use bytes::Bytes;
use io_uring::types::{BufRingEntry, Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::transport::receive_time::{CONTROL, KernelTime};

/// Submissions that go to the kernel at once at most; a chunk of a fan-out and some.
const SUBMISSIONS: u32 = 2048;
/// Completions that have room; beyond, the kernel keeps them elsewhere.
const COMPLETIONS: u32 = 8192;
/// Buffers to receive into, a power of two. A turn takes some dozens.
const BUFFERS: u16 = 1024;
/// Bytes of each: an answer fits, and what does not fit comes in several.
const BUFFER: usize = 1024;
/// Before the bytes in a buffer, the kernel writes what it put there (`struct io_uring_recvmsg_out`): the lengths of an address, of
/// control messages and of the bytes, and flags.
const HEAD: usize = 16;
/// The one group of buffers.
const GROUP: u16 = 0;

/// A number that comes back with what became of a request, and names the place of a frame that is being sent.
pub(super) type Tag = u32;

/// The completion of a request.
pub(super) enum Done<'a> {
    /// Bytes came, from a socket that is received from.
    Received(Tag, &'a mut [u8], Option<KernelTime>),
    /// Nothing more comes of this request to receive. The number is 0 at the stream's end, an error below, or anything else if it
    /// has to be asked again.
    ReceivedLast(Tag, i32),
    /// The number of bytes of a frame that were sent, or an error.
    Sent(Tag, i32),
    /// All sockets from which could be received when [`Ring::look_round`] was called were received from, and that was told of before
    /// this; but for those of which a buffer had been too small before, now and then.
    LookedRound,
}

/// A ring, the buffers it receives into, and the frames it sends. For the thread that made it.
pub(super) struct Ring {
    ring: IoUring,
    buffers: Buffers,
    /// By tag: what is being sent.
    frames: Vec<Option<Bytes>>,
    /// How many of them.
    sending: usize,
}

/// How much room there is for control messages in front of what is received. The kernel reads it when it is asked to receive.
struct Message(libc::msghdr);

// SAFETY: it names no memory, and nobody writes to it: what it says is said anew in each buffer.
unsafe impl Sync for Message {}

static MESSAGE: Message = {
    // SAFETY: a struct of lengths and pointers, for which nothing is none.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_controllen = CONTROL as _;
    Message(message)
};

/// Buffers that the kernel chooses from, in memory of ours.
struct Buffers {
    /// What the kernel reads to know which are free.
    entries: NonNull<BufRingEntry>,
    bytes: NonNull<u8>,
    /// Where the kernel reads which one is free next.
    tail: u16,
}

const RECEIVE: u64 = 0;
const SEND: u64 = 1 << 32;
const LOOK_ROUND: u64 = 2 << 32;

/// No time at all. The kernel reads it when it takes the request.
static AT_ONCE: Timespec = Timespec::new();

impl Ring {
    /// A ring for this thread.
    ///
    /// # Errors
    /// If the kernel has none to give, or not all of what is used here (Linux 6.1 has).
    pub fn new() -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_cqsize(COMPLETIONS)
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .dontfork()
            .build(SUBMISSIONS)?;
        let mut buffers = Buffers::new();
        // SAFETY: the entries are page-aligned memory for `BUFFERS` entries, which lives until the ring is gone (see `Drop`).
        unsafe {
            ring.submitter().register_buf_ring_with_flags(buffers.entries.as_ptr() as u64, BUFFERS, GROUP, 0)?;
        }
        for number in 0..BUFFERS {
            buffers.give(number);
        }
        buffers.publish();
        Ok(Self { ring, buffers, frames: Vec::new(), sending: 0 })
    }

    /// Receives from a socket until it ends.
    ///
    /// # Errors
    /// If the kernel takes no more requests.
    pub fn receive(&mut self, tag: Tag, socket: BorrowedFd<'_>) -> io::Result<()> {
        let entry = opcode::RecvMsgMulti::new(Fd(socket.as_raw_fd()), &raw const MESSAGE.0, GROUP);
        let entry = entry.build().user_data(RECEIVE | u64::from(tag));
        // SAFETY: the message's head is always there and names no memory; the kernel receives into the group's buffers, which live
        // until the ring is gone. A descriptor that is closed by the time it is submitted is an error, and never memory.
        unsafe { self.push(&entry) }
    }

    /// Sends a frame, all of it unless the socket breaks. At most one of a tag at a time; the ring keeps it until it is sent.
    ///
    /// # Errors
    /// If the kernel takes no more requests, or the tag's frame before is not sent.
    pub fn send(&mut self, tag: Tag, socket: BorrowedFd<'_>, frame: Bytes) -> io::Result<()> {
        let index = tag as usize;
        if self.frames.len() <= index {
            self.frames.resize(index + 1, None);
        }
        if self.frames[index].is_some() {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let length = u32::try_from(frame.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let entry = opcode::Send::new(Fd(socket.as_raw_fd()), frame.as_ptr(), length)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build()
            .user_data(SEND | u64::from(tag));
        // SAFETY: a frame's bytes do not move with the `Bytes`, and it is kept in `frames` until its completion was taken.
        unsafe { self.push(&entry)? };
        self.frames[index] = Some(frame);
        self.sending += 1;
        Ok(())
    }

    /// Requests a completion for when all sockets from which can be received now were received from. One at a time.
    ///
    /// The kernel notes for this thread which sockets became readable, in a queue, and receives from them when this thread waits, some
    /// at a time and in their order. A time that is over at once is put into the same queue, behind them. A socket that holds more
    /// than a buffer is received from again at once, but for each 33rd time in the life of its request: that goes to the end of
    /// the queue, and what is left waits for the next look round.
    ///
    /// # Errors
    /// If the kernel takes no more requests.
    pub fn look_round(&mut self) -> io::Result<()> {
        let entry = opcode::Timeout::new(&raw const AT_ONCE).build().user_data(LOOK_ROUND);
        // SAFETY: the time is always there.
        unsafe { self.push(&entry) }
    }

    /// Hands all requests to the kernel. What became of them waits.
    ///
    /// # Errors
    /// If the kernel does not take the requests.
    pub fn submit(&mut self) -> io::Result<()> {
        self.ring.submit().map(drop)
    }

    /// Hands all requests to the kernel and waits until something is done, or the time is over; then returns what is.
    ///
    /// # Errors
    /// If the kernel does not take the requests.
    pub fn wait(&mut self, most: Duration, mut on_done: impl FnMut(Done<'_>)) -> io::Result<()> {
        let time = Timespec::from(most);
        match self.ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&time)) {
            Ok(_) => {}
            // The time is over, a signal came, or completions have to be taken first.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ETIME | libc::EINTR | libc::EBUSY)) => {}
            Err(error) => return Err(error),
        }
        for completion in self.ring.completion() {
            let (data, result, flags) = (completion.user_data(), completion.result(), completion.flags());
            #[expect(clippy::cast_possible_truncation, reason = "the tag is the lower half")]
            let tag = data as Tag;
            if data & SEND != 0 {
                // The kernel is done with the frame.
                if let Some(frame) = self.frames.get_mut(tag as usize)
                    && frame.take().is_some()
                {
                    self.sending -= 1;
                }
                on_done(Done::Sent(tag, result));
                continue;
            }
            if data & LOOK_ROUND != 0 {
                on_done(Done::LookedRound);
                continue;
            }
            let mut last = result;
            if let Some(number) = cqueue::buffer_select(flags) {
                let count = usize::try_from(result).unwrap_or(0);
                let (bytes, received) = unpack(self.buffers.filled(number, count));
                last = i32::from(!bytes.is_empty());
                if last > 0 {
                    on_done(Done::Received(tag, bytes, received));
                }
                self.buffers.give(number);
            }
            if !cqueue::more(flags) {
                on_done(Done::ReceivedLast(tag, last));
            }
        }
        self.buffers.publish();
        Ok(())
    }

    /// # Safety
    /// What the entry points to must live until its completion was taken.
    unsafe fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        // SAFETY: by this function's own promise.
        while unsafe { self.ring.submission().push(entry) }.is_err() {
            self.ring.submit()?;
        }
        Ok(())
    }
}

/// What a buffer holds: bytes, and when they came.
fn unpack(buffer: &mut [u8]) -> (&mut [u8], Option<KernelTime>) {
    let length = |at: usize| {
        let bytes = buffer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, |bytes| u32::from_ne_bytes(bytes) as usize)
    };
    // No address was asked for, so control messages stand behind the head, and the bytes behind the room for them.
    let (control, bytes) = (length(4), length(8));
    let received = buffer.get(HEAD..HEAD + control.min(CONTROL)).and_then(KernelTime::in_control);
    let end = (HEAD + CONTROL + bytes).min(buffer.len());
    (buffer.get_mut(HEAD + CONTROL..end).unwrap_or_default(), received)
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.sending > 0 {
            // The kernel cancels what is on its way after the ring is closed, at its leisure: it must still find the bytes.
            std::mem::forget(std::mem::take(&mut self.frames));
        }
        // The buffers are freed after the ring is closed: it receives on this thread only, and this thread asks no more.
    }
}

impl Buffers {
    fn new() -> Self {
        Self { entries: allocate(Self::entries_layout()), bytes: allocate(Self::bytes_layout()), tail: 0 }
    }

    fn entries_layout() -> Layout {
        Layout::array::<BufRingEntry>(BUFFERS.into())
            .and_then(|layout| layout.align_to(4096))
            .expect("a constant that fits")
    }

    fn bytes_layout() -> Layout {
        Layout::array::<u8>(usize::from(BUFFERS) * BUFFER).expect("a constant that fits")
    }

    fn at(&self, number: u16) -> NonNull<u8> {
        let number = usize::from(number % BUFFERS);
        // SAFETY: below `BUFFERS`, so within the allocation.
        unsafe { self.bytes.add(number * BUFFER) }
    }

    /// What the kernel put into a buffer that it gave us.
    fn filled(&mut self, number: u16, count: usize) -> &mut [u8] {
        // SAFETY: the memory is initialised and within the allocation, and the kernel leaves the buffer alone until it is given back,
        // which needs `&mut self`.
        unsafe { std::slice::from_raw_parts_mut(self.at(number).as_ptr(), count.min(BUFFER)) }
    }

    /// Gives a buffer to the kernel, from the next `publish` on.
    fn give(&mut self, number: u16) {
        let place = usize::from(self.tail % BUFFERS);
        // SAFETY: below `BUFFERS`, so within the allocation; the kernel reads no entry beyond the published tail.
        let entry = unsafe { &mut *self.entries.as_ptr().add(place) };
        entry.set_addr(self.at(number).as_ptr() as u64);
        #[expect(clippy::cast_possible_truncation, reason = "a constant that fits")]
        entry.set_len(BUFFER as u32);
        entry.set_bid(number % BUFFERS);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Lets the kernel see which buffers were given to it.
    fn publish(&mut self) {
        // SAFETY: the tail is a field of the first entry that nothing else uses; the kernel reads it atomically.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.entries.as_ptr()).cast_mut()) };
        tail.store(self.tail, Release);
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: both were allocated with these layouts, and the ring, which is dropped before, is the only one that had them.
        unsafe {
            dealloc(self.entries.as_ptr().cast(), Self::entries_layout());
            dealloc(self.bytes.as_ptr(), Self::bytes_layout());
        }
    }
}

/// Zeroed memory.
fn allocate<T>(layout: Layout) -> NonNull<T> {
    // SAFETY: neither layout is of no size.
    let memory = unsafe { alloc_zeroed(layout) };
    NonNull::new(memory.cast()).unwrap_or_else(|| handle_alloc_error(layout))
}
