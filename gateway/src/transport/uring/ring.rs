//! io_uring and its memory: the only place with `unsafe` code, behind safe functions.
//!
//! Memory that the kernel reads or writes asynchronously is owned by the [`Ring`] for as long as the kernel may use it:
//! the frames that are being sent, and the buffers for receiving. No other code gets a pointer to either.
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

/// Size of the submission queue: a piece of a fan-out and some more.
const SUBMISSIONS: u32 = 2048;
/// Size of the completion queue; further completions are kept by the kernel.
const COMPLETIONS: u32 = 8192;
/// Number of buffers to receive into, a power of two. A turn takes some dozens.
const BUFFERS: u16 = 1024;
/// Size of a buffer, in bytes: an answer fits, and longer messages take several buffers.
const BUFFER: usize = 1024;
/// Size of the head that the kernel writes in front of a buffer's bytes (`struct io_uring_recvmsg_out`): the lengths of
/// an address, of control messages and of the bytes, and flags.
const HEAD: usize = 16;
/// The id of the only buffer group.
const GROUP: u16 = 0;

/// A number that is returned with the completion of a request, and that is the index of a frame that is being sent.
pub type Tag = u32;

/// The completion of a request.
pub enum Done<'a> {
    /// Bytes were received from a socket.
    Received(Tag, &'a mut [u8], Option<KernelTime>),
    /// A request to receive has ended. The number is 0 at the end of the stream, negative for an error, and positive if
    /// the request has to be submitted again.
    ReceivedLast(Tag, i32),
    /// The number of bytes of a frame that were sent, or an error.
    Sent(Tag, i32),
    /// All sockets that were readable when [`Ring::request_round`] was called have been received from, and the completions
    /// were returned before this one. The exception, now and then, are sockets that held more than a buffer.
    Round,
}

/// A ring, the buffers it receives into, and the frames it sends. For the thread that made it.
pub struct Ring {
    ring: IoUring,
    buffers: Buffers,
    /// The frames that are being sent, by tag.
    frames: Vec<Option<Bytes>>,
    /// How many frames are being sent.
    sending: usize,
}

/// Defines the room for control messages in front of received bytes. The kernel reads it when a request is submitted.
struct Message(libc::msghdr);

// SAFETY: it names no memory, and nobody writes to it: what it says is said anew in each buffer.
unsafe impl Sync for Message {}

static MESSAGE: Message = {
    // SAFETY: a struct of lengths and pointers, for which nothing is none.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_controllen = CONTROL as _;
    Message(message)
};

/// Buffers that the kernel chooses from, in memory of this process.
struct Buffers {
    /// The ring in which the kernel finds the free buffers.
    entries: NonNull<BufRingEntry>,
    bytes: NonNull<u8>,
    /// The end of that ring, behind the last free buffer.
    tail: u16,
}

const RECEIVE: u64 = 0;
const SEND: u64 = 1 << 32;
const LOOK_ROUND: u64 = 2 << 32;

/// A timeout of zero. The kernel reads it when the request is submitted.
static AT_ONCE: Timespec = Timespec::new();

impl Ring {
    /// A ring for this thread.
    ///
    /// # Errors
    /// If io_uring is not available, or lacks a feature that is used here (Linux 6.1 has all).
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

    /// Requests a completion for when all sockets that are readable now have been received from. One request at a time.
    ///
    /// The kernel queues for this thread which sockets became readable, and receives from them, in order and some at a
    /// time, when this thread waits. A timeout of zero is put into the same queue, behind them. A socket that holds
    /// more than a buffer is received from again at once, except each 33rd time in the life of its request: then it
    /// moves to the end of the queue, and what is left waits for the next round.
    ///
    /// # Errors
    /// If the kernel takes no more requests.
    pub fn request_round(&mut self) -> io::Result<()> {
        let entry = opcode::Timeout::new(&raw const AT_ONCE).build().user_data(LOOK_ROUND);
        // SAFETY: the time is always there.
        unsafe { self.push(&entry) }
    }

    /// Submits all requests. Their completions are returned by [`Self::wait`].
    ///
    /// # Errors
    /// If the kernel does not take the requests.
    pub fn submit(&mut self) -> io::Result<()> {
        self.ring.submit().map(drop)
    }

    /// Submits all requests and waits for a completion, or until the time is over; then returns all completions.
    ///
    /// # Errors
    /// If the kernel does not take the requests.
    pub fn wait(&mut self, most: Duration, mut on_done: impl FnMut(Done<'_>)) -> io::Result<()> {
        let time = Timespec::from(most);
        match self.ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&time)) {
            Ok(_) => {}
            // The time is over, a signal arrived, or completions have to be taken first.
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
                on_done(Done::Round);
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

/// The bytes in a buffer, and their receive time.
fn unpack(buffer: &mut [u8]) -> (&mut [u8], Option<KernelTime>) {
    let length = |at: usize| {
        let bytes = buffer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, |bytes| u32::from_ne_bytes(bytes) as usize)
    };
    // No address is requested, so control messages follow the head, and the bytes follow the room for them.
    let (control, bytes) = (length(4), length(8));
    let received = buffer.get(HEAD..HEAD + control.min(CONTROL)).and_then(KernelTime::in_control);
    let end = (HEAD + CONTROL + bytes).min(buffer.len());
    (buffer.get_mut(HEAD + CONTROL..end).unwrap_or_default(), received)
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.sending > 0 {
            // The kernel cancels outstanding requests asynchronously after the ring is closed, so the bytes must stay
            // valid.
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

    /// The content of a buffer that the kernel has filled.
    fn filled(&mut self, number: u16, count: usize) -> &mut [u8] {
        // SAFETY: the memory is initialised and within the allocation, and the kernel leaves the buffer alone until it is given back,
        // which needs `&mut self`.
        unsafe { std::slice::from_raw_parts_mut(self.at(number).as_ptr(), count.min(BUFFER)) }
    }

    /// Returns a buffer to the kernel, effective with the next `publish`.
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

    /// Makes the returned buffers visible to the kernel.
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
