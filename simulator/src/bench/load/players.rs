//! The players of a load: sockets in one epoll instance, read into one buffer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream as Blocking};
use std::time::{Duration, Instant};

use klaxon_protocol::codec::Codec;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, SockRef, Socket, Type};

use super::order::{Arrivals, Connect};
use crate::bench::frames;
use crate::bench::question::{QUESTION_BEGINS, REPLY_BEGINS};
use crate::evidence::Micros;
use crate::socket::handshake;
use crate::socket::timestamps::{self, Control};

/// The path at which players connect.
const PATH: &str = "/play";
/// The number of connections that are opened together: fewer than any server's listen backlog. Beyond it the kernel
/// delays them by 200 ms.
const TOGETHER: usize = 100;
/// The number of players per client address; an address has about 28,000 ports.
const TO_AN_ADDRESS: usize = 5000;
/// The time limit of one connection attempt.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a silence of this length an awaited message counts as lost.
const SILENCE: Duration = Duration::from_secs(10);
/// The interval at which due heartbeats are sent.
const BEAT_AGAIN: Duration = Duration::from_millis(5);
/// The interval at which the load reads its sockets while messages arrive.
const LOOK_AGAIN: Duration = Duration::from_micros(500);
/// The beginning of the last message of a join.
const JOINED: &[u8] = br#"{"type":"you""#;

/// The players of a load.
#[derive(Debug)]
pub struct Players {
    poll: Poll,
    events: Events,
    lines: Vec<PlayerSocket>,
    buffer: Vec<u8>,
    control: Control,
    /// The number of waits so far, so that each player is counted once per wait.
    wait: u32,
}

/// A player's connection.
#[derive(Debug)]
struct PlayerSocket {
    stream: TcpStream,
    /// The bytes of an incomplete frame; almost always empty.
    rest: Vec<u8>,
    /// The last wait in which the player was counted.
    counted: u32,
    /// Pings that are not answered yet.
    pings: u32,
    /// The code and the reason in the server's close frame, if one was received.
    close: Option<(u16, String)>,
}

/// The message that a wait is for.
struct Awaited<'a> {
    begins: &'a [u8],
    received: Arrivals,
}

impl Players {
    /// A load without players.
    ///
    /// # Errors
    /// If the kernel can't create an epoll instance.
    pub fn new() -> io::Result<Self> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(1024));
        Ok(Self { poll, events, lines: Vec::new(), buffer: vec![0; 64 << 10], control: Control::default(), wait: 0 })
    }

    /// Connects further players.
    ///
    /// # Errors
    /// If a player can't connect or join.
    pub fn connect(&mut self, connect: &Connect) -> io::Result<()> {
        let join = connect.join.clone().map(|text| frames::from_client(text.into_bytes()));
        let mut left = connect.players;
        while left > 0 {
            let mut together = Vec::with_capacity(TOGETHER);
            for _ in 0..left.min(TOGETHER) {
                left -= 1;
                let mut stream = dial(connect.to, connect.network, left / TO_AN_ADDRESS)?;
                handshake::ask(&mut stream, PATH, Codec::Json.subprotocol())?;
                together.push((stream, Vec::new()));
            }
            for (stream, rest) in &mut together {
                *rest = handshake::agreed(stream)?;
                if let Some(join) = &join {
                    stream.write_all(join)?;
                }
            }
            for (mut stream, mut rest) in together {
                while join.is_some() && !takes(&mut rest, JOINED) {
                    match stream.read(&mut self.buffer)? {
                        0 => return Err(io::Error::other("a player was not let in")),
                        read => rest.extend_from_slice(&self.buffer[..read]),
                    }
                }
                self.add(stream, rest)?;
            }
        }
        Ok(())
    }

    /// Resets all connections, so that no port has to wait for late packets and players can connect again at once.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn leave(&mut self) -> io::Result<()> {
        for line in self.lines.drain(..) {
            SockRef::from(&line.stream).set_linger(Some(Duration::ZERO))?;
        }
        Ok(())
    }

    fn add(&mut self, stream: Blocking, rest: Vec<u8>) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        self.poll.registry().register(&mut stream, Token(self.lines.len()), Interest::READABLE)?;
        self.lines.push(PlayerSocket { stream, rest, counted: self.wait, pings: 0, close: None });
        Ok(())
    }

    /// Waits until all players have received a question.
    ///
    /// # Errors
    /// If a player does not receive it.
    pub fn await_question(&mut self) -> io::Result<Arrivals> {
        self.wait_for(QUESTION_BEGINS)
    }

    /// Sends `text` from all players, then waits for the replies.
    ///
    /// # Errors
    /// If a player does not receive one.
    pub fn answer(&mut self, text: String) -> io::Result<Arrivals> {
        let frame = frames::from_client(text.into_bytes());
        for line in &mut self.lines {
            line.stream.write_all(&frame)?;
        }
        self.wait_for(REPLY_BEGINS)
    }

    /// Reads until nothing has been received for `quiet`.
    ///
    /// # Errors
    /// If a connection is lost.
    pub fn drain(&mut self, quiet: Duration) -> io::Result<()> {
        while self.turn(Some(quiet), None)? > 0 {}
        Ok(())
    }

    /// Sends `text` from each player at the interval `every`, evenly spread, during `long`.
    ///
    /// # Errors
    /// If a connection is lost.
    pub fn beat(&mut self, text: String, every: Duration, long: Duration) -> io::Result<()> {
        let frame = frames::from_client(text.into_bytes());
        let began = Instant::now();
        let mut sent = 0_u32;
        while began.elapsed() < long {
            let due = self.lines.len() as f64 * began.elapsed().as_secs_f64() / every.as_secs_f64();
            while f64::from(sent) < due {
                let next = sent as usize % self.lines.len().max(1);
                if let Some(line) = self.lines.get_mut(next) {
                    line.stream.write_all(&frame)?;
                }
                sent += 1;
            }
            // At fixed intervals, as in `wait_for`.
            std::thread::sleep(BEAT_AGAIN);
            self.turn(Some(Duration::ZERO), None)?;
        }
        Ok(())
    }

    /// Reads on all connections during `long`, and answers pings, as browsers do.
    ///
    /// # Errors
    /// If a connection is lost.
    pub fn listen(&mut self, long: Duration) -> io::Result<()> {
        let began = Instant::now();
        while began.elapsed() < long {
            // At fixed intervals, as in `wait_for`.
            std::thread::sleep(BEAT_AGAIN);
            self.turn(Some(Duration::ZERO), None)?;
        }
        Ok(())
    }

    fn wait_for(&mut self, begins: &[u8]) -> io::Result<Arrivals> {
        self.wait += 1;
        let mut wait = Awaited { begins, received: Arrivals::default() };
        wait.received.at.reserve(self.lines.len());
        let mut received_at = Instant::now();
        while wait.received.at.len() < self.lines.len() {
            // After the first message the load reads at fixed intervals: if the kernel had to wake it for each message,
            // or it polled all the time, that would cost the server processor time.
            let has_begun = !wait.received.at.is_empty();
            if has_begun {
                std::thread::sleep(LOOK_AGAIN);
            }
            if self.turn(Some(if has_begun { Duration::ZERO } else { SILENCE }), Some(&mut wait))? > 0 {
                received_at = Instant::now();
            } else if received_at.elapsed() > SILENCE {
                let (received, all) = (wait.received.at.len(), self.lines.len());
                return Err(io::Error::other(format!("{received} of {all} players received what all should")));
            }
        }
        // The times are the kernel's for each socket, and the sockets are read in another order.
        wait.received.at.sort_unstable();
        Ok(wait.received)
    }

    /// Reads all readable sockets; returns their number.
    fn turn(&mut self, pause: Option<Duration>, mut wait: Option<&mut Awaited<'_>>) -> io::Result<usize> {
        match self.poll.poll(&mut self.events, pause) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(0),
            done => done?,
        }
        let mut sockets = 0;
        for event in &self.events {
            sockets += 1;
            let Some(line) = self.lines.get_mut(event.token().0) else { continue };
            loop {
                let (read, at) = match timestamps::receive(&line.stream, &mut self.buffer, &mut self.control) {
                    Ok((0, _)) => return Err(line.was_closed()),
                    Ok(read) => read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                };
                line.take(&self.buffer[..read], at, self.wait, &mut wait);
                for _ in 0..std::mem::take(&mut line.pings) {
                    line.stream.write_all(frames::PONG)?;
                }
                // A read that does not fill the buffer has emptied the socket.
                if read < self.buffer.len() {
                    break;
                }
            }
        }
        Ok(sockets)
    }
}

impl PlayerSocket {
    fn was_closed(&self) -> io::Error {
        let why = self.close.as_ref().map_or_else(String::new, |(code, reason)| format!(": {code} {reason}"));
        io::Error::other(format!("the server closed a player's connection{why}"))
    }

    /// Processes bytes that the kernel received at `at`.
    fn take(&mut self, read: &[u8], at: Micros, number: u32, wait: &mut Option<&mut Awaited<'_>>) {
        if self.rest.is_empty() {
            let used = self.look(read, at, number, wait);
            self.rest.extend_from_slice(&read[used..]);
        } else {
            self.rest.extend_from_slice(read);
            let all = std::mem::take(&mut self.rest);
            let used = self.look(&all, at, number, wait);
            self.rest.extend_from_slice(&all[used..]);
        }
    }

    /// Processes all complete frames; returns the offset after them.
    fn look(&mut self, bytes: &[u8], at: Micros, number: u32, wait: &mut Option<&mut Awaited<'_>>) -> usize {
        let mut used = 0;
        while let Some(seen) = frames::first(&bytes[used..]) {
            self.pings += u32::from(seen.is_ping);
            self.close = self.close.take().or_else(|| frames::closing(&seen));
            if let Some(wait) = wait
                && self.counted != number
                && seen.payload.starts_with(wait.begins)
            {
                self.counted = number;
                if wait.received.at.is_empty() {
                    wait.received.first = String::from_utf8_lossy(seen.payload).into_owned();
                }
                wait.received.at.push(at);
            }
            used += seen.end;
        }
        used
    }
}

/// Removes complete frames from `bytes`; returns whether one began with `begins`.
fn takes(bytes: &mut Vec<u8>, begins: &[u8]) -> bool {
    while let Some(seen) = frames::first(bytes) {
        let (found, end) = (seen.payload.starts_with(begins), seen.end);
        bytes.drain(..end);
        if found {
            return true;
        }
    }
    false
}

fn dial(to: SocketAddr, network: u8, address: usize) -> io::Result<Blocking> {
    let host = u8::try_from(address + 2).map_err(|_| io::Error::other("too many players for one load"))?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, network, host), 0)).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    timestamps::ask(&socket)?;
    Ok(socket.into())
}
