//! A reactor's mailbox: other threads send messages to it, and a waker ends the reactor's sleep in the kernel.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::sync::mpsc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};

/// Sends messages to a reactor.
pub(crate) struct MailboxSender<T> {
    queue: mpsc::Sender<T>,
    waker: Arc<Waker>,
}

/// The reactor's side of the queue.
pub(crate) struct Mailbox<T> {
    queue: mpsc::Receiver<T>,
    waker: Arc<Waker>,
}

/// The end of the waker that the reactor's driver polls: it receives a byte when the reactor is woken.
#[derive(Debug)]
pub(crate) struct WakeReceiver(UnixStream);

/// Writes a single byte, however many threads wake the reactor, until it is reset. Generic for the loom model only.
struct Waker<F = AtomicBool, R = UnixStream> {
    woken: F,
    signal: R,
}

/// A flag whose former value is returned when it is set.
trait Flag {
    fn swap(&self, up: bool) -> bool;
}

/// Wakes the reactor.
trait Wake {
    fn wake(&self);
}

impl Flag for AtomicBool {
    fn swap(&self, up: bool) -> bool {
        Self::swap(self, up, AcqRel)
    }
}

impl Wake for UnixStream {
    fn wake(&self) {
        // If the socket is full, it has bytes that wake the reactor; if it is closed, the reactor has ended.
        let mut stream = self;
        let _ = stream.write(&[1]);
    }
}

/// A mailbox, its sender, and the socket that wakes the reactor.
///
/// # Errors
/// If the sockets can't be created.
pub(crate) fn mailbox<T>() -> io::Result<(MailboxSender<T>, Mailbox<T>, WakeReceiver)> {
    let (signal, wakeups) = UnixStream::pair()?;
    // If the socket is full, the bytes in it have woken the reactor already.
    signal.set_nonblocking(true)?;
    wakeups.set_nonblocking(true)?;
    let waker = Arc::new(Waker { woken: AtomicBool::new(false), signal });
    let (sender, receiver) = mpsc::channel();
    Ok((
        MailboxSender { queue: sender, waker: Arc::clone(&waker) },
        Mailbox { queue: receiver, waker },
        WakeReceiver(wakeups),
    ))
}

impl<T> Clone for MailboxSender<T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), waker: Arc::clone(&self.waker) }
    }
}

impl<T> MailboxSender<T> {
    /// Puts a message into the mailbox. If the reactor has ended the message is dropped.
    pub fn send(&self, message: T) {
        if self.queue.send(message).is_ok() {
            self.wake();
        }
    }

    /// Wakes the reactor.
    pub fn wake(&self) {
        self.waker.wake();
    }
}

impl<T> Mailbox<T> {
    /// Takes at most `most` messages, after the reactor was woken. Returns whether there may be more.
    pub fn take(&self, most: usize, mut receive: impl FnMut(T)) -> bool {
        // From here on a new message wakes the reactor again.
        self.waker.reset();
        for _ in 0..most {
            match self.queue.try_recv() {
                Ok(message) => receive(message),
                Err(_) => return false,
            }
        }
        true
    }
}

impl<F: Flag, R: Wake> Waker<F, R> {
    fn wake(&self) {
        if !self.woken.swap(true) {
            self.signal.wake();
        }
    }

    fn reset(&self) {
        self.woken.swap(false);
    }
}

impl WakeReceiver {
    /// Another handle to the same socket; only one of them may be polled.
    ///
    /// # Errors
    /// If there is no free file descriptor.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Waits until it is woken, or until the time is over.
    ///
    /// # Errors
    /// If the kernel can't poll the socket.
    pub fn wait(&self, most: Duration) -> io::Result<()> {
        match ppoll(&mut [PollFd::new(self.as_fd(), PollFlags::POLLIN)], Some(most.into()), None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads and discards the bytes that arrived.
    pub fn drain(&mut self) {
        while matches!(self.0.read(&mut [0; 16]), Ok(1..)) {}
    }
}

impl AsFd for WakeReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_is_sent_after_a_look_wakes_again() {
        let (sender, mailbox, mut wakeups) = mailbox().unwrap();
        sender.send(1);
        sender.send(2);
        wakeups.drain();
        let mut received = Vec::new();
        assert!(mailbox.take(1, |message| received.push(message)));
        assert!(!mailbox.take(9, |message| received.push(message)));
        assert_eq!(received, [1, 2]);
        assert_eq!(wakeups.0.read(&mut [0; 16]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        sender.send(3);
        assert_eq!(wakeups.0.read(&mut [0; 16]).unwrap(), 1);
    }

    #[test]
    fn a_reactor_that_sleeps_between_looks_receives_all_in_the_order_of_each_thread() {
        const EACH: u32 = 20_000;
        let (sender, mailbox, mut wakeups) = mailbox::<(usize, u32)>().unwrap();
        wakeups.0.set_nonblocking(false).unwrap();
        let senders: Vec<_> = (0..3)
            .map(|thread| {
                let sender = sender.clone();
                thread::spawn(move || (0..EACH).for_each(|number| sender.send((thread, number))))
            })
            .collect();
        let mut next = [0; 3];
        while next != [EACH; 3] {
            assert!(wakeups.0.read(&mut [0; 1]).unwrap() > 0);
            while mailbox.take(100, |(thread, number)| {
                assert_eq!(next[thread], number);
                next[thread] += 1;
            }) {}
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    }

    mod in_every_order {
        use loom::sync::Mutex;
        use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

        use super::*;

        impl Flag for AtomicBool {
            fn swap(&self, up: bool) -> bool {
                Self::swap(self, up, Ordering::AcqRel)
            }
        }

        impl Wake for AtomicUsize {
            fn wake(&self) {
                self.fetch_add(1, Ordering::AcqRel);
            }
        }

        /// A reactor that was woken resets the waker and then takes what is there.
        fn run_reactor(waker: &Waker<AtomicBool, AtomicUsize>, queue: &Mutex<Vec<u8>>, received: &mut Vec<u8>) {
            while waker.signal.swap(0, Ordering::AcqRel) > 0 {
                waker.reset();
                received.append(&mut queue.lock().unwrap());
            }
        }

        #[test]
        fn nothing_is_left_in_the_mailbox_of_a_reactor_that_sleeps() {
            loom::model(|| {
                let woken = AtomicBool::new(false);
                let shared = Arc::new((Waker { woken, signal: AtomicUsize::new(0) }, Mutex::new(Vec::new())));
                let senders: Vec<_> = (0..2)
                    .map(|number| {
                        let shared = Arc::clone(&shared);
                        loom::thread::spawn(move || {
                            shared.1.lock().unwrap().push(number);
                            shared.0.wake();
                        })
                    })
                    .collect();
                let mut received = Vec::new();
                run_reactor(&shared.0, &shared.1, &mut received);
                senders.into_iter().for_each(|sender| sender.join().unwrap());
                // It sleeps unless there is something on the signal.
                run_reactor(&shared.0, &shared.1, &mut received);
                received.sort_unstable();
                assert_eq!(received, [0, 1]);
            });
        }
    }
}
