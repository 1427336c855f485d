//! The transport on tokio: each shard is a thread with a runtime of its own, and each connection one task there that sleeps
//! until its socket can be read, or written after it could not.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, TcpStream as StdStream};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use klaxon_protocol::codec::Codec;
use socket2::SockRef;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{LocalSet, spawn_local, yield_now};

use super::accept::InCrowd;
use super::drain::Drain;
use super::http::{self, Front, Upgraded};
use super::{ConnKey, Heard, Input, Moment, Stage, Wire};
use crate::hub::{Common, Fate, ForShard, Shard};

/// How often a shard hears that time passed.
const TICK: Duration = Duration::from_millis(100);
/// What is read from a socket at once; the buffer is the shard's, not the connection's.
const READ: usize = 16 << 10;
/// What is taken from the inbox at once.
const TAKE: usize = 256;
/// After so many reads of one socket the others get their turn.
const READS: usize = 4;
/// Frames that are written with one call.
const SLICES: usize = 16;

/// Runs a shard on this thread until the gateway stops. When it is drained it drops `drained`.
pub(crate) fn run(
    runtime: &Runtime,
    number: u8,
    common: Arc<Common>,
    front: Arc<Front>,
    inbox: mpsc::UnboundedReceiver<Input>,
    stage: watch::Receiver<Stage>,
    drained: mpsc::Sender<()>,
) {
    let floor = Rc::new(Floor {
        shard: RefCell::new(Shard::new(number, common)),
        lines: RefCell::default(),
        buffer: RefCell::new(vec![0; READ].into()),
        dirty: RefCell::default(),
        answers: Notify::new(),
        front,
    });
    LocalSet::new().block_on(runtime, floor.run(inbox, stage, drained));
}

/// A shard with its sockets.
struct Floor {
    shard: RefCell<Shard>,
    /// By slot.
    lines: RefCell<Vec<Option<Line>>>,
    buffer: RefCell<Box<[u8]>>,
    dirty: RefCell<Vec<ConnKey>>,
    /// Answers were read.
    answers: Notify,
    front: Arc<Front>,
}

/// A connection's socket, on the side where it is written.
struct Line {
    key: ConnKey,
    writer: OwnedWriteHalf,
    /// Wakes the connection's task.
    waker: Option<Waker>,
    /// The socket took no more the last time.
    blocked: bool,
    /// Our side has ended.
    finished: bool,
}

impl Floor {
    async fn run(
        self: Rc<Self>,
        mut inbox: mpsc::UnboundedReceiver<Input>,
        mut stage: watch::Receiver<Stage>,
        drained: mpsc::Sender<()>,
    ) {
        let mut drained = Some(drained);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut inputs, mut drain, mut more) = (Vec::new(), None::<Drain>, false);
        loop {
            if more {
                // Sockets are read between any two pieces of work.
                yield_now().await;
            }
            let mut ticked = false;
            tokio::select! {
                biased;
                changed = stage.changed() => {
                    let now = stage.borrow_and_update().clone();
                    match now {
                        Stage::Draining { until, others } if changed.is_ok() => {
                            drain = Some(Drain::begin(Instant::now(), until, others, self.shard.borrow().slots()));
                        }
                        _ => return,
                    }
                }
                _ = tick.tick() => ticked = true,
                _ = inbox.recv_many(&mut inputs, TAKE) => {}
                // Whatever else can be read now is read before the answers go, so that they go together.
                () = self.answers.notified(), if !more => yield_now().await,
                () = std::future::ready(()), if more => {}
            }
            inputs.drain(..).for_each(|input| self.take(input));
            let now = Moment::now();
            {
                let mut shard = self.shard.borrow_mut();
                shard.flush_answers();
                if ticked {
                    shard.tick(now);
                    if let Some(drain) = &drain {
                        shard.hear(ForShard::Goodbye(drain.farewell(Instant::now())), now);
                    }
                }
                more = shard.work(now);
            }
            self.pump(now);
            // A drained shard goes on telling health checks so.
            let connections = self.shard.borrow().len();
            if ticked && drain.as_ref().is_some_and(|drain| drain.is_over(Instant::now(), connections)) {
                drop(drained.take());
            }
        }
    }

    fn take(self: &Rc<Self>, input: Input) {
        match input {
            Input::Hear(message) => self.shard.borrow_mut().hear(message, Moment::now()),
            Input::Socket(stream, here) => {
                let floor = Rc::clone(self);
                spawn_local(floor.greet(stream, here));
            }
        }
    }

    /// Speaks HTTP with a new socket. A task of its own, so that a WebSocket's task is no larger for it.
    async fn greet(self: Rc<Self>, stream: StdStream, here: InCrowd) {
        let Ok(stream) = TcpStream::from_std(stream) else { return };
        if let Some(upgraded) = http::serve(stream, Arc::clone(&self.front), &here).await {
            self.open(upgraded, here);
        }
    }

    fn open(self: Rc<Self>, upgraded: Upgraded, here: InCrowd) {
        let Upgraded { stream, codec, read } = upgraded;
        let (reader, writer) = stream.into_split();
        let key = self.open_line(codec, writer);
        spawn_local(async move {
            self.talk(key, reader, read).await;
            drop(here);
        });
    }

    fn open_line(&self, codec: Codec, writer: OwnedWriteHalf) -> ConnKey {
        let key = self.shard.borrow_mut().opened(codec, Moment::now());
        let mut lines = self.lines.borrow_mut();
        let slot = key.slot as usize;
        if lines.len() <= slot {
            lines.resize_with(slot + 1, || None);
        }
        lines[slot] = Some(Line { key, writer, waker: None, blocked: false, finished: false });
        key
    }

    /// A connection's task.
    async fn talk(&self, key: ConnKey, mut reader: OwnedReadHalf, read: Bytes) {
        let mut wire = Wire::new();
        if !read.is_empty() {
            self.heard(key, &mut wire, &mut Vec::from(read));
        }
        poll_fn(|context| self.poll(key, &mut reader, &mut wire, context)).await;
        self.hang_up(key);
    }

    /// Reads and writes what can be; ready when the connection is over.
    fn poll(&self, key: ConnKey, reader: &mut OwnedReadHalf, wire: &mut Wire, context: &mut Context<'_>) -> Poll<()> {
        if !self.remember(key, context.waker()) {
            return Poll::Ready(());
        }
        for turn in 0..READS {
            let mut buffer = self.buffer.borrow_mut();
            let mut read = ReadBuf::new(&mut buffer);
            match Pin::new(&mut *reader).poll_read(context, &mut read) {
                Poll::Pending => break,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) if read.filled().is_empty() => return Poll::Ready(()),
                Poll::Ready(Ok(())) => self.heard(key, wire, read.filled_mut()),
            }
            if turn + 1 == READS {
                context.waker().wake_by_ref();
            }
        }
        self.unblock(key, context)
    }

    /// Keeps the task's waker. Whether the connection is still there.
    fn remember(&self, key: ConnKey, waker: &Waker) -> bool {
        let mut lines = self.lines.borrow_mut();
        let Some(line) = line(&mut lines, key) else { return false };
        if line.waker.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            line.waker = Some(waker.clone());
        }
        true
    }

    /// Bytes were read just now.
    fn heard(&self, key: ConnKey, wire: &mut Wire, bytes: &mut [u8]) {
        let now = Moment::now();
        let mut rest = bytes;
        let mut write = Vec::new();
        let mut shard = self.shard.borrow_mut();
        while shard.listens(key) {
            match wire.take(&mut rest, &mut write) {
                Ok(None) => break,
                Ok(Some(Heard::Text(text))) => shard.message(key, text.as_bytes(), now),
                Ok(Some(Heard::Binary(bytes))) => shard.message(key, &bytes, now),
                Ok(Some(Heard::Sign)) => shard.pinged(key, std::mem::take(&mut write).into(), now),
                Ok(Some(Heard::Close)) => shard.leaving(key, std::mem::take(&mut write).into(), now),
                Err(fault) => shard.failed(key, fault, now),
            }
        }
        let answers = shard.has_answers();
        drop(shard);
        if answers {
            self.answers.notify_one();
        }
        self.pump(now);
    }

    /// Writes what has come up.
    fn pump(&self, now: Moment) {
        let mut dirty = self.dirty.take();
        loop {
            self.shard.borrow_mut().take_dirty(&mut dirty);
            if dirty.is_empty() {
                break;
            }
            dirty.drain(..).for_each(|key| self.write(key, now));
        }
        self.dirty.replace(dirty);
    }

    /// Writes to a connection what its socket takes, and does with it what its fate is.
    fn write(&self, key: ConnKey, now: Moment) {
        let mut lines = self.lines.borrow_mut();
        let Some(line) = line(&mut lines, key) else { return };
        let mut shard = self.shard.borrow_mut();
        let mut broken = false;
        while !line.blocked {
            let Some(outbox) = shard.outbox(key) else { break };
            let mut slices = [IoSlice::new(&[]); SLICES];
            let used = outbox.slices(&mut slices);
            let result = match &slices[..used] {
                [] => break,
                [one] => line.writer.try_write(one),
                several => line.writer.try_write_vectored(several),
            };
            match result {
                Ok(count) => shard.wrote(key, count),
                Err(error) => {
                    // The connection's task waits until there is room.
                    line.blocked = true;
                    broken = error.kind() != io::ErrorKind::WouldBlock;
                    line.wake();
                }
            }
        }
        shard.wrote(key, 0);
        match shard.fate(key, now) {
            _ if broken => {}
            Fate::Keep => return,
            Fate::Finish => return line.finish(),
            Fate::Drop => line.wake(),
        }
        // Its task finds it gone, and closes the socket.
        lines[key.slot as usize] = None;
    }

    /// Writes again if the socket could not be written the last time; ready when it never will.
    fn unblock(&self, key: ConnKey, context: &mut Context<'_>) -> Poll<()> {
        loop {
            {
                let mut lines = self.lines.borrow_mut();
                let Some(line) = line(&mut lines, key) else { return Poll::Ready(()) };
                if !line.blocked {
                    return Poll::Pending;
                }
                match line.writer.as_ref().poll_write_ready(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(())) => line.blocked = false,
                }
            }
            self.write(key, Moment::now());
        }
    }

    fn hang_up(&self, key: ConnKey) {
        self.shard.borrow_mut().closed(key);
        let mut lines = self.lines.borrow_mut();
        if line(&mut lines, key).is_some() {
            lines[key.slot as usize] = None;
        }
    }
}

impl Line {
    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Ends our side; the client reads to its end, and then ends its own.
    fn finish(&mut self) {
        if !std::mem::replace(&mut self.finished, true) {
            // A socket that can't be shut down is gone already.
            let _ = SockRef::from(self.writer.as_ref()).shutdown(Shutdown::Write);
        }
    }
}

fn line(lines: &mut [Option<Line>], key: ConnKey) -> Option<&mut Line> {
    lines.get_mut(key.slot as usize)?.as_mut().filter(|line| line.key == key)
}
