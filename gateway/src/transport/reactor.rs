//! A thread with sockets of its own: what they bring goes to its crew, and what the crew has to say goes out by them.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::accept::InCrowd;
use super::bell::Inbox;
use super::drain::Drain;
use super::driver::{Driver, Event, Sending, Slot, Waited};
use super::slots::BySlot;
use super::stamps::{Came, Dial};
use super::{ConnKey, Crew, Fate, Heard, Message, Moment, Stage, Upgraded, Wire};

/// How often a crew hears that time passed.
const TICK: Duration = Duration::from_millis(100);
/// While nobody is in a hurry, the sockets and the time are looked at so often. Waking up for each heartbeat costs several times
/// what the heartbeat does.
const NAP: Duration = Duration::from_millis(250);
/// While somebody may be in a hurry, the sockets are looked at at least so often, whether anything came or not: no stamp is older than
/// the look before the one that brought it (see [`Came::not_before`]).
const LOOK: Duration = Duration::from_millis(5);
/// What is taken from the inbox at once.
const TAKE: usize = 256;
/// After so many looks at the sockets what was read goes on, though there is more to read.
const LOOKS: u32 = 16;
/// The pause after the kernel did not say what happened.
const PAUSE: Duration = Duration::from_millis(10);

/// What a reactor is handed by other threads.
pub(super) enum Input<W> {
    /// Something for the crew.
    Word(W),
    /// A connection whose handshake is done.
    Connection(Box<Upgraded>, InCrowd),
}

/// A crew and its sockets.
pub(super) struct Reactor<C: Crew, D> {
    driver: D,
    floor: Floor<C>,
    inbox: Inbox<Input<C::Word>>,
    /// There may be more in the inbox.
    mail: bool,
    dirty: Vec<ConnKey>,
}

/// All but the sockets.
struct Floor<C> {
    crew: C,
    lines: BySlot<Line>,
    /// What answers pings and closes.
    write: Vec<u8>,
    /// Had a frame sent and may have another.
    again: Vec<ConnKey>,
    /// The largest message, in bytes.
    largest: u32,
    /// Bytes were read that make no whole message: more of it is to come, and soon.
    midway: bool,
    /// By what clock the kernel says when bytes came.
    dial: Dial,
}

/// A connection, as its reactor keeps it.
struct Line {
    key: ConnKey,
    wire: Wire,
    /// A frame is on its way to the kernel.
    sending: bool,
    /// The kernel was told to take last words.
    parting: bool,
    /// Our side has ended.
    finished: bool,
    _here: InCrowd,
}

impl<C: Crew, D: Driver> Reactor<C, D> {
    pub fn new(crew: C, driver: D, inbox: Inbox<Input<C::Word>>, largest: u32) -> Self {
        let floor = Floor {
            crew,
            lines: BySlot::default(),
            write: Vec::new(),
            again: Vec::new(),
            largest,
            midway: false,
            dial: Dial::read(),
        };
        Self { driver, floor, inbox, mail: false, dirty: Vec::new() }
    }

    /// Works until the gateway stops. When it is drained it drops `drained`.
    pub fn run(mut self, mut stage: watch::Receiver<Stage>, drained: mpsc::Sender<()>) {
        let (mut drained, mut drain) = (Some(drained), None::<Drain>);
        let (mut next_tick, mut more, mut looks, mut may_have_more) = (Instant::now() + TICK, false, 0, false);
        loop {
            let until_tick = || next_tick.saturating_duration_since(Instant::now());
            let busy = more || self.mail || self.floor.crew.holds() || !self.floor.again.is_empty();
            let midway = std::mem::take(&mut self.floor.midway);
            let calm = !busy && !midway && drain.is_none() && self.floor.crew.is_calm(Moment::now());
            // One wait on a ring tells of some 20 sockets only (`IO_LOCAL_TW_DEFAULT_MAX` in the kernel's io_uring, since 6.13). With a nap
            // after each, thousands of idle players would send more heartbeats than are read.
            if calm && !may_have_more {
                self.nap(NAP);
            }
            let Waited { reads, read_to, .. } = self.look(match (busy || calm && may_have_more, calm) {
                (true, _) => Duration::ZERO,
                (false, true) => until_tick(),
                (false, false) => until_tick().min(LOOK),
            });
            // Nobody is left to tell when it is to stop, if the start failed half way.
            let Ok(changed) = stage.has_changed() else { return };
            if changed {
                match &*stage.borrow_and_update() {
                    Stage::Draining { until, others } => {
                        drain = Some(Drain::begin(Instant::now(), *until, Arc::clone(others), self.floor.crew.slots()));
                    }
                    Stage::Running => {}
                    Stage::Stopped => return,
                }
            }
            may_have_more = reads > 0;
            let now = Moment::now();
            looks += 1;
            if reads == 0 || looks >= LOOKS {
                // Whatever else could be read was read before, so that it goes on together.
                self.floor.crew.flush();
                looks = 0;
            }
            self.floor.crew.has_read(read_to);
            if Instant::now() >= next_tick {
                next_tick = Instant::now() + TICK;
                self.floor.crew.tick(now);
                if let Some(drain) = &drain {
                    self.floor.crew.part(drain.farewell(Instant::now()), now);
                    // A drained reactor goes on telling those who come so.
                    if drain.is_over(Instant::now(), self.floor.crew.len()) {
                        drop(drained.take());
                    }
                }
            }
            more = self.floor.crew.work(now);
            self.pump(now);
        }
    }

    /// Lets what comes at the sockets gather.
    fn nap(&mut self, most: Duration) {
        if let Err(error) = self.driver.nap(most) {
            tracing::error!(%error, "a reactor can't sleep");
        }
    }

    /// Hears what happened at the sockets and in the inbox.
    fn look(&mut self, most: Duration) -> Waited {
        let floor = &mut self.floor;
        floor.dial = Dial::read();
        let waited = self.driver.wait(most, |event| match event {
            Event::Read(slot, bytes, came) => floor.read(slot, bytes, came),
            Event::Sent(slot) => floor.sent(slot),
            Event::Ended(slot) => floor.ended(slot),
        });
        let waited = waited.unwrap_or_else(|error| {
            tracing::error!(%error, "the kernel does not say what happened at the sockets; asking again");
            thread::sleep(PAUSE);
            Waited { reads: 0, rung: false, read_to: Moment(0) }
        });
        if waited.rung || self.mail {
            let Self { driver, floor, inbox, .. } = self;
            self.mail = inbox.take(TAKE, |input| match input {
                Input::Word(word) => floor.crew.hear(word, Moment::now()),
                Input::Connection(upgraded, here) => {
                    if let Err(error) = floor.open(driver, *upgraded, here) {
                        tracing::debug!(%error, "a socket can't be had");
                    }
                }
            });
        }
        waited
    }

    /// Sends what has come up.
    fn pump(&mut self, now: Moment) {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.append(&mut self.floor.again);
        loop {
            self.floor.crew.take_dirty(&mut dirty);
            if dirty.is_empty() {
                break;
            }
            dirty.drain(..).for_each(|key| self.floor.send(&mut self.driver, key, now));
        }
        self.dirty = dirty;
    }
}

impl<C: Crew> Floor<C> {
    fn open(&mut self, driver: &mut impl Driver, upgraded: Upgraded, here: InCrowd) -> io::Result<()> {
        let Upgraded { stream, peer, codec, read } = upgraded;
        let now = Moment::now();
        let key = self.crew.opened(codec, peer, now);
        let slot = Slot(key.slot);
        self.lines.put(
            slot,
            Line { key, wire: Wire::new(self.largest), sending: false, parting: false, finished: false, _here: here },
        );
        if let Err(error) = driver.add(slot, stream) {
            self.ended(slot);
            return Err(error);
        }
        if !read.is_empty() {
            self.read(slot, &mut Vec::from(read), Came { received: None, not_before: now });
        }
        Ok(())
    }

    /// Bytes were read just now.
    fn read(&mut self, slot: Slot, bytes: &mut [u8], came: Came) {
        let Some(line) = self.lines.get(slot) else { return };
        let now = Moment::now();
        let came = self.dial.moment(came, now);
        let (crew, write) = (&mut self.crew, &mut self.write);
        let (key, mut rest) = (line.key, bytes);
        while crew.listens(key) {
            let unfinished = !rest.is_empty();
            match line.wire.take(&mut rest, write) {
                Ok(None) => {
                    self.midway |= unfinished;
                    break;
                }
                Ok(Some(Heard::Text(text))) => crew.message(key, Message::Text(&text), came, now),
                Ok(Some(Heard::Binary(bytes))) => crew.message(key, Message::Binary(&bytes), came, now),
                Ok(Some(Heard::Sign)) => crew.pinged(key, Bytes::copy_from_slice(write), came),
                Ok(Some(Heard::Close)) => crew.leaving(key, Bytes::copy_from_slice(write), came),
                Err(fault) => crew.failed(key, fault, came),
            }
            write.clear();
        }
        // One that is no longer heard is read to its end.
        self.midway |= !crew.listens(key);
    }

    fn sent(&mut self, slot: Slot) {
        let Some(line) = self.lines.get(slot) else { return };
        line.sending = false;
        if self.crew.wrote(line.key) {
            self.again.push(line.key);
        }
    }

    fn ended(&mut self, slot: Slot) {
        if let Some(line) = self.lines.take(slot) {
            self.crew.closed(line.key);
        }
    }

    /// Sends a connection's next frames, and does with its socket what its fate is.
    fn send(&mut self, driver: &mut impl Driver, key: ConnKey, now: Moment) {
        let slot = Slot(key.slot);
        let Some(line) = self.lines.get(slot).filter(|line| line.key == key) else { return };
        let (was_sending, mut more) = (line.sending, true);
        while !line.sending {
            let Some(frame) = self.crew.lend(key) else { break };
            match driver.send(slot, frame) {
                Sending::Done => more = self.crew.wrote(key),
                Sending::Later => line.sending = true,
            }
        }
        if !more {
            return;
        }
        if !line.sending {
            self.crew.idle(key);
        }
        match self.crew.fate(key, now) {
            Fate::Keep => {}
            Fate::Part => {
                if line.sending && !std::mem::replace(&mut line.parting, true) {
                    driver.make_room(slot);
                }
            }
            _ if line.sending && !was_sending => {}
            Fate::Finish if line.sending || line.finished => {}
            Fate::Finish => {
                line.finished = true;
                driver.finish(slot);
            }
            Fate::Drop => driver.close(slot),
        }
    }
}
