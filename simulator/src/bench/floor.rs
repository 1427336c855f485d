//! The floor: a server that makes one system call for each player and nothing else. For fan-out it sends the host's
//! message in a loop of write(2) over all sockets; for intake it makes one read and one write per message; for
//! connections, only what each of them requires.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::QuestionId;
use mio::net::TcpStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use super::{frames, question};
use crate::socket::handshake;

/// The path at which the host connects; connections to other paths are players.
pub const HOST_PATH: &str = "/host";

const LISTENER: Token = Token(usize::MAX);
const HOST: Token = Token(usize::MAX - 1);
const BACKLOG: i32 = 4096;

/// Listens and serves connections; returns only with an error.
///
/// # Errors
/// If the address can't be used, or a player does not read the messages.
pub fn serve(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut SourceFd(&socket.as_raw_fd()), LISTENER, Interest::READABLE)?;
    let mut floor = Floor {
        players: Vec::new(),
        host: None,
        received: Vec::new(),
        agreed: handshake::reply(Codec::Json.subprotocol()),
        reply: frames::from_server(question::reply(QuestionId(10))),
        buffer: vec![0; 16 << 10],
    };
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => floor.accept(&socket, &poll)?,
                HOST => floor.read_host()?,
                Token(player) => floor.reply(player)?,
            }
        }
    }
}

struct Floor {
    players: Vec<Option<TcpStream>>,
    host: Option<TcpStream>,
    /// The bytes of the host's incomplete message.
    received: Vec<u8>,
    /// The response to every handshake.
    agreed: String,
    reply: Vec<u8>,
    buffer: Vec<u8>,
}

impl Floor {
    fn accept(&mut self, listener: &Socket, poll: &Poll) -> io::Result<()> {
        loop {
            // A blocking socket: the request follows the connection at once, so the read does not wait.
            let mut socket = match listener.accept_raw() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let Ok(path) = handshake::agree(&mut socket, &self.agreed) else { continue };
            socket.set_tcp_nodelay(true)?;
            socket.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(socket.into());
            let is_host = path == HOST_PATH;
            let token = if is_host { HOST } else { Token(self.players.len()) };
            poll.registry().register(&mut stream, token, Interest::READABLE)?;
            if is_host {
                self.host = Some(stream);
            } else {
                self.players.push(Some(stream));
            }
        }
    }

    fn read_host(&mut self) -> io::Result<()> {
        let Some(host) = &mut self.host else { return Ok(()) };
        loop {
            match host.read(&mut self.buffer) {
                Ok(0) => {
                    self.host = None;
                    return Ok(());
                }
                Ok(read) => self.received.extend_from_slice(&self.buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        while let Some(seen) = frames::first(&self.received) {
            let (frame, end) = (frames::from_server(frames::unmasked(&seen)), seen.end);
            // This loop is what is measured as the floor.
            for player in self.players.iter_mut().flatten() {
                write(player, &frame)?;
            }
            self.received.drain(..end);
        }
        Ok(())
    }

    fn reply(&mut self, number: usize) -> io::Result<()> {
        let Some(player) = self.players.get_mut(number) else { return Ok(()) };
        let Some(stream) = player else { return Ok(()) };
        // A read that does not fill the buffer has emptied the socket.
        match stream.read(&mut self.buffer) {
            Ok(0) => *player = None,
            Ok(_) => write(stream, &self.reply)?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => *player = None,
        }
        Ok(())
    }
}

fn write(stream: &mut TcpStream, frame: &[u8]) -> io::Result<()> {
    let written = stream.write(frame)?;
    if written < frame.len() {
        return Err(io::Error::other("a player does not read: the floor is no measure"));
    }
    Ok(())
}
