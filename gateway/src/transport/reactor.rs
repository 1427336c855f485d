//! The reactor: a thread that passes what it reads from its sockets to its handler, and writes the handler's frames to
//! them.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::accept::CountedConnection;
use super::backlog::ReactorBacklog;
use super::drain::DrainSchedule;
use super::driver::{Driver, SendOutcome, Slot, SocketEvent, WaitOutcome};
use super::mailbox::Mailbox;
use super::receive_time::{ClockPair, ReceiveTime};
use super::slots::BySlot;
use super::{ConnKey, ConnectionHandler, Inbound, Payload, SocketAction, Stage, Timestamp, Upgraded, Wire};

/// How often the handler's `tick` is called.
const TICK_INTERVAL: Duration = Duration::from_millis(100);
/// While the handler is idle, sockets and time are checked at this interval. Waking up for each heartbeat would cost
/// several times as much as processing it.
const IDLE_SLEEP: Duration = Duration::from_millis(250);
/// While the handler is not idle, sockets are polled at least at this interval, even without a wake-up: no stamp is
/// older than the poll before the one that read the answer (see [`ReceiveTime::not_before`]).
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Messages that are taken from the mailbox per poll at most.
const MESSAGES_PER_POLL: usize = 256;
/// Polls after which the handler is flushed, even if there is more to read.
const POLLS_PER_FLUSH: u32 = 16;
/// The pause after the kernel failed to return the events of sockets.
const ERROR_BACKOFF: Duration = Duration::from_millis(10);

/// A message in a reactor's mailbox.
pub(super) enum ReactorMessage<M> {
    /// A message for the handler.
    ForHandler(M),
    /// A connection whose handshake is done. All reactors together have as many as there may be sockets.
    Connection(Box<Upgraded>, CountedConnection),
}

/// A handler and its sockets.
pub(super) struct Reactor<C: ConnectionHandler, D> {
    driver: D,
    dispatcher: Dispatcher<C>,
    mailbox: Mailbox<ReactorMessage<C::Message>>,
    backlog: ReactorBacklog,
    /// Whether the mailbox may have more messages.
    more_mail: bool,
    dirty: Vec<ConnKey>,
}

/// The reactor's state except for the sockets.
struct Dispatcher<C> {
    handler: C,
    sockets: BySlot<SocketState>,
    /// Buffer for replies to pings and close frames.
    write: Vec<u8>,
    /// Connections whose last frame was sent, and that may have another.
    send_more: Vec<ConnKey>,
    /// The largest message, in bytes.
    largest: u32,
    /// Whether a read ended within a message, whose rest should arrive soon.
    partial_message: bool,
    /// Converts the kernel's receive times to stamps.
    clocks: ClockPair,
}

/// The reactor's state of a connection.
struct SocketState {
    key: ConnKey,
    wire: Wire,
    /// The kernel is sending a frame.
    sending: bool,
    /// The kernel's send buffer was enlarged, for what is left before the connection is closed.
    flushing: bool,
    /// The sending side is shut down.
    shut_down: bool,
    _counted: CountedConnection,
}

impl<C: ConnectionHandler, D: Driver> Reactor<C, D> {
    pub fn new(
        handler: C,
        driver: D,
        mailbox: Mailbox<ReactorMessage<C::Message>>,
        backlog: ReactorBacklog,
        largest: u32,
    ) -> Self {
        let dispatcher = Dispatcher {
            handler,
            sockets: BySlot::default(),
            write: Vec::new(),
            send_more: Vec::new(),
            largest,
            partial_message: false,
            clocks: ClockPair::read(),
        };
        Self { driver, dispatcher, mailbox, backlog, more_mail: false, dirty: Vec::new() }
    }

    /// Runs until the gateway stops. Drops `drained` when the drain is done.
    pub fn run(mut self, mut stage: watch::Receiver<Stage>, drained: mpsc::Sender<()>) {
        let (mut drained, mut drain) = (Some(drained), None::<DrainSchedule>);
        let (mut next_tick, mut more, mut polls, mut may_have_more) = (Instant::now() + TICK_INTERVAL, false, 0, false);
        loop {
            let until_tick = || next_tick.saturating_duration_since(Instant::now());
            let busy = more
                || self.more_mail
                || self.dispatcher.handler.has_pending_input()
                || !self.dispatcher.send_more.is_empty();
            let partial_message = std::mem::take(&mut self.dispatcher.partial_message);
            let is_idle =
                !busy && !partial_message && drain.is_none() && self.dispatcher.handler.is_idle(Timestamp::now());
            // One wait on a ring returns only some 20 sockets (`IO_LOCAL_TW_DEFAULT_MAX` in the kernel's io_uring,
            // since 6.13). With a sleep after each wait, thousands of idle players would send heartbeats faster than
            // they are read.
            if is_idle && !may_have_more {
                self.sleep(IDLE_SLEEP);
            }
            let WaitOutcome { reads, read_to, .. } = self.poll(match (busy || is_idle && may_have_more, is_idle) {
                (true, _) => Duration::ZERO,
                (false, true) => until_tick(),
                (false, false) => until_tick().min(POLL_INTERVAL),
            });
            // The sender is dropped if the gateway failed to start.
            let Ok(changed) = stage.has_changed() else { return };
            if changed {
                match &*stage.borrow_and_update() {
                    Stage::Draining { until, others } => {
                        drain = Some(DrainSchedule::begin(
                            Instant::now(),
                            *until,
                            Arc::clone(others),
                            self.dispatcher.handler.slots(),
                        ));
                    }
                    Stage::Running => {}
                    Stage::Stopped => return,
                }
            }
            may_have_more = reads > 0;
            let now = Timestamp::now();
            polls += 1;
            if reads == 0 || polls >= POLLS_PER_FLUSH {
                // Everything else that was readable has been read before, so that it is sent on together.
                self.dispatcher.handler.flush();
                polls = 0;
            }
            self.dispatcher.handler.read_up_to(read_to);
            if Instant::now() >= next_tick {
                next_tick = Instant::now() + TICK_INTERVAL;
                self.dispatcher.handler.tick(now);
                if let Some(drain) = &drain {
                    self.dispatcher.handler.drain(drain.at(Instant::now()), now);
                    // A drained reactor still refuses new connections.
                    if drain.is_over(Instant::now(), self.dispatcher.handler.len()) {
                        drop(drained.take());
                    }
                }
            }
            more = self.dispatcher.handler.work(now);
            self.backlog.left(self.dispatcher.handler.unprocessed());
            self.pump(now);
        }
    }

    /// Sleeps while input accumulates.
    fn sleep(&mut self, most: Duration) {
        if let Err(error) = self.driver.sleep(most) {
            tracing::error!(%error, "a reactor can't sleep");
        }
    }

    /// Processes the events of sockets and the messages in the mailbox.
    fn poll(&mut self, most: Duration) -> WaitOutcome {
        let dispatcher = &mut self.dispatcher;
        dispatcher.clocks = ClockPair::read();
        let outcome = self.driver.wait(most, |event| match event {
            SocketEvent::Read(slot, bytes, received) => dispatcher.read(slot, bytes, received),
            SocketEvent::Sent(slot) => dispatcher.sent(slot),
            SocketEvent::Closed(slot) => dispatcher.closed(slot),
        });
        let outcome = outcome.unwrap_or_else(|error| {
            tracing::error!(%error, "the kernel does not return the events of sockets; polling again");
            thread::sleep(ERROR_BACKOFF);
            WaitOutcome { reads: 0, woken: false, read_to: Timestamp(0) }
        });
        if outcome.woken || self.more_mail {
            let Self { driver, dispatcher, mailbox, backlog, .. } = self;
            self.more_mail = mailbox.take(MESSAGES_PER_POLL, |input| match input {
                ReactorMessage::ForHandler(message) => {
                    backlog.hand_over();
                    dispatcher.handler.receive(message, Timestamp::now());
                }
                ReactorMessage::Connection(upgraded, counted) => {
                    if let Err(error) = dispatcher.open(driver, *upgraded, counted) {
                        tracing::debug!(%error, "a connection could not be added to its reactor");
                    }
                }
            });
        }
        outcome
    }

    /// Sends the frames of connections that are marked as dirty.
    fn pump(&mut self, now: Timestamp) {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.append(&mut self.dispatcher.send_more);
        loop {
            self.dispatcher.handler.take_dirty(&mut dirty);
            if dirty.is_empty() {
                break;
            }
            dirty.drain(..).for_each(|key| self.dispatcher.send(&mut self.driver, key, now));
        }
        self.dirty = dirty;
    }
}

impl<C: ConnectionHandler> Dispatcher<C> {
    fn open(&mut self, driver: &mut impl Driver, upgraded: Upgraded, counted: CountedConnection) -> io::Result<()> {
        let Upgraded { stream, peer, codec, read } = upgraded;
        let now = Timestamp::now();
        let key = self.handler.opened(codec, peer, now);
        let slot = Slot(key.slot);
        self.sockets.put(
            slot,
            SocketState {
                key,
                wire: Wire::new(self.largest),
                sending: false,
                flushing: false,
                shut_down: false,
                _counted: counted,
            },
        );
        if let Err(error) = driver.add(slot, stream) {
            self.closed(slot);
            return Err(error);
        }
        if !read.is_empty() {
            self.read(slot, &mut Vec::from(read), ReceiveTime { received: None, not_before: now });
        }
        Ok(())
    }

    /// Processes bytes that were read.
    fn read(&mut self, slot: Slot, bytes: &mut [u8], received: ReceiveTime) {
        let Some(socket) = self.sockets.get(slot) else { return };
        let now = Timestamp::now();
        let received = self.clocks.stamp(received, now);
        let (handler, write) = (&mut self.handler, &mut self.write);
        let (key, mut rest) = (socket.key, bytes);
        while handler.is_reading(key) {
            let unfinished = !rest.is_empty();
            match socket.wire.take(&mut rest, write) {
                Ok(None) => {
                    self.partial_message |= unfinished;
                    break;
                }
                Ok(Some(Inbound::Text(text))) => handler.message(key, Payload::Text(&text), received, now),
                Ok(Some(Inbound::Binary(bytes))) => handler.message(key, Payload::Binary(&bytes), received, now),
                Ok(Some(Inbound::Control)) => handler.control_frame(key, Bytes::copy_from_slice(write), received),
                Ok(Some(Inbound::Close)) => handler.close_frame(key, Bytes::copy_from_slice(write), received),
                Err(fault) => handler.fault(key, fault, received),
            }
            write.clear();
        }
        // A connection that is being closed is still read to its end.
        self.partial_message |= !handler.is_reading(key);
    }

    fn sent(&mut self, slot: Slot) {
        let Some(socket) = self.sockets.get(slot) else { return };
        socket.sending = false;
        if self.handler.wrote(socket.key) {
            self.send_more.push(socket.key);
        }
    }

    fn closed(&mut self, slot: Slot) {
        if let Some(socket) = self.sockets.take(slot) {
            self.handler.closed(socket.key);
        }
    }

    /// Sends a connection's next frames, and closes its socket if it is to be closed.
    fn send(&mut self, driver: &mut impl Driver, key: ConnKey, now: Timestamp) {
        let slot = Slot(key.slot);
        let Some(socket) = self.sockets.get(slot).filter(|socket| socket.key == key) else { return };
        let (was_sending, mut more) = (socket.sending, true);
        while !socket.sending {
            let Some(frame) = self.handler.lend(key) else { break };
            match driver.send(slot, frame) {
                SendOutcome::Done => more = self.handler.wrote(key),
                SendOutcome::Later => socket.sending = true,
            }
        }
        if !more {
            return;
        }
        if !socket.sending {
            self.handler.outbox_empty(key);
        }
        match self.handler.socket_action(key, now) {
            SocketAction::Keep => {}
            SocketAction::Flush => {
                if socket.sending && !std::mem::replace(&mut socket.flushing, true) {
                    driver.enlarge_send_buffer(slot);
                }
            }
            _ if socket.sending && !was_sending => {}
            SocketAction::ShutDown if socket.sending || socket.shut_down => {}
            SocketAction::ShutDown => {
                socket.shut_down = true;
                driver.shut_down_write(slot);
            }
            SocketAction::Close => driver.close(slot),
        }
    }
}
