//! How other threads reach a reactor: an inbox, and a bell that wakes it when it sleeps in the kernel.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::sync::mpsc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};

/// Where other threads put things for a reactor.
pub(crate) struct Post<T> {
    letters: mpsc::Sender<T>,
    bell: Arc<Bell>,
}

/// What other threads put there, on the reactor's side.
pub(crate) struct Inbox<T> {
    letters: mpsc::Receiver<T>,
    bell: Arc<Bell>,
}

/// The end of the bell that the reactor's driver listens to: a byte comes when it rings.
#[derive(Debug)]
pub(crate) struct Chime(UnixStream);

/// Rings once, however many ring it, until it is hushed. Of other flags and ropes only in the test that tries every order of events.
struct Bell<F = AtomicBool, R = UnixStream> {
    rung: F,
    rope: R,
}

/// Is up or down, and says how it was before.
trait Flag {
    fn swap(&self, up: bool) -> bool;
}

/// Wakes the reactor.
trait Rope {
    fn pull(&self);
}

impl Flag for AtomicBool {
    fn swap(&self, up: bool) -> bool {
        Self::swap(self, up, AcqRel)
    }
}

impl Rope for UnixStream {
    fn pull(&self) {
        // One that is full has bytes to wake the reactor with, and one that is gone has no reactor.
        let mut stream = self;
        let _ = stream.write(&[1]);
    }
}

/// An inbox with its post, and the chime to wake the reactor by.
///
/// # Errors
/// If there are no sockets to be had.
pub(crate) fn inbox<T>() -> io::Result<(Post<T>, Inbox<T>, Chime)> {
    let (rope, chime) = UnixStream::pair()?;
    // A full rope has woken the reactor already.
    rope.set_nonblocking(true)?;
    chime.set_nonblocking(true)?;
    let bell = Arc::new(Bell { rung: AtomicBool::new(false), rope });
    let (sender, receiver) = mpsc::channel();
    Ok((Post { letters: sender, bell: Arc::clone(&bell) }, Inbox { letters: receiver, bell }, Chime(chime)))
}

impl<T> Clone for Post<T> {
    fn clone(&self) -> Self {
        Self { letters: self.letters.clone(), bell: Arc::clone(&self.bell) }
    }
}

impl<T> Post<T> {
    /// Puts a thing into the inbox. A reactor that is gone has no use for it.
    pub fn send(&self, thing: T) {
        if self.letters.send(thing).is_ok() {
            self.ring();
        }
    }

    /// Wakes the reactor.
    pub fn ring(&self) {
        self.bell.ring();
    }
}

impl<T> Inbox<T> {
    /// Takes what is there, `most` things at most, after the bell rang. Whether there may be more.
    pub fn take(&self, most: usize, mut hear: impl FnMut(T)) -> bool {
        // Whoever sends from here on rings again.
        self.bell.hush();
        for _ in 0..most {
            match self.letters.try_recv() {
                Ok(thing) => hear(thing),
                Err(_) => return false,
            }
        }
        true
    }
}

impl<F: Flag, R: Rope> Bell<F, R> {
    fn ring(&self) {
        if !self.rung.swap(true) {
            self.rope.pull();
        }
    }

    fn hush(&self) {
        self.rung.swap(false);
    }
}

impl Chime {
    /// Another listener to the same bell, of which one may listen.
    ///
    /// # Errors
    /// If there are no descriptors to be had.
    pub fn again(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Waits until the bell rings, or until the time is over.
    ///
    /// # Errors
    /// If the kernel can't say whether it rings.
    pub fn wait(&self, most: Duration) -> io::Result<()> {
        match ppoll(&mut [PollFd::new(self.as_fd(), PollFlags::POLLIN)], Some(most.into()), None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the bytes that came.
    pub fn drain(&mut self) {
        while matches!(self.0.read(&mut [0; 16]), Ok(1..)) {}
    }
}

impl AsFd for Chime {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_is_sent_after_a_look_rings_again() {
        let (post, inbox, mut chime) = inbox().unwrap();
        post.send(1);
        post.send(2);
        chime.drain();
        let mut heard = Vec::new();
        assert!(inbox.take(1, |thing| heard.push(thing)));
        assert!(!inbox.take(9, |thing| heard.push(thing)));
        assert_eq!(heard, [1, 2]);
        assert_eq!(chime.0.read(&mut [0; 16]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        post.send(3);
        assert_eq!(chime.0.read(&mut [0; 16]).unwrap(), 1);
    }

    #[test]
    fn a_reactor_that_sleeps_between_looks_hears_all_in_the_order_of_each_thread() {
        const EACH: u32 = 20_000;
        let (post, inbox, mut chime) = inbox::<(usize, u32)>().unwrap();
        chime.0.set_nonblocking(false).unwrap();
        let senders: Vec<_> = (0..3)
            .map(|thread| {
                let post = post.clone();
                thread::spawn(move || (0..EACH).for_each(|number| post.send((thread, number))))
            })
            .collect();
        let mut next = [0; 3];
        while next != [EACH; 3] {
            assert!(chime.0.read(&mut [0; 1]).unwrap() > 0);
            while inbox.take(100, |(thread, number)| {
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

        impl Rope for AtomicUsize {
            fn pull(&self) {
                self.fetch_add(1, Ordering::AcqRel);
            }
        }

        /// A reactor that was woken hushes the bell and then takes what is there.
        fn wake(bell: &Bell<AtomicBool, AtomicUsize>, letters: &Mutex<Vec<u8>>, heard: &mut Vec<u8>) {
            while bell.rope.swap(0, Ordering::AcqRel) > 0 {
                bell.hush();
                heard.append(&mut letters.lock().unwrap());
            }
        }

        #[test]
        fn nothing_is_left_in_the_inbox_of_a_reactor_that_sleeps() {
            loom::model(|| {
                let rung = AtomicBool::new(false);
                let shared = Arc::new((Bell { rung, rope: AtomicUsize::new(0) }, Mutex::new(Vec::new())));
                let senders: Vec<_> = (0..2)
                    .map(|letter| {
                        let shared = Arc::clone(&shared);
                        loom::thread::spawn(move || {
                            shared.1.lock().unwrap().push(letter);
                            shared.0.ring();
                        })
                    })
                    .collect();
                let mut heard = Vec::new();
                wake(&shared.0, &shared.1, &mut heard);
                senders.into_iter().for_each(|sender| sender.join().unwrap());
                // It sleeps unless there is something on the rope.
                wake(&shared.0, &shared.1, &mut heard);
                heard.sort_unstable();
                assert_eq!(heard, [0, 1]);
            });
        }
    }
}
