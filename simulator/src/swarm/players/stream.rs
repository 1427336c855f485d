//! A TCP stream with the kernel's times of received and sent data.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::evidence::Micros;
use crate::socket::timestamps::{self, Control, Sent};

/// The position of a message in the stream: the number, in the kernel's count, of the last byte of its first write, and
/// of its last write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub first: u32,
    pub last: u32,
}

/// A connection with the kernel's times, as far as the kernel reports them.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    control: Control,
    /// When the last bytes that were read had been received.
    came: Option<Micros>,
    /// The number of the last byte written, modulo 2^32.
    last: u32,
    /// The writes since the current message was begun.
    written: Option<Written>,
    /// Whether the bytes being written belong to the message that was begun.
    in_message: bool,
    /// When anything else was written: pongs, and the close frame.
    others: Vec<Micros>,
    /// Whether the kernel reports times of sent data.
    tells: bool,
}

impl Stream {
    /// Connects to the server.
    ///
    /// # Errors
    /// If the server can't be reached.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let tells = timestamps::ask_both_ways(&socket).is_ok();
        if !tells {
            // Falls back to times of received data only; without those the time of the read is used.
            let _ = timestamps::ask(&socket);
        }
        Ok(Self {
            socket,
            control: Control::default(),
            came: None,
            last: u32::MAX,
            written: None,
            in_message: false,
            others: Vec::new(),
            tells,
        })
    }

    /// When the last bytes that were read had been received.
    pub fn came(&self) -> Micros {
        self.came.unwrap_or_else(Micros::now)
    }

    /// Begins a message: the following writes belong to it.
    pub fn begin(&mut self) {
        (self.written, self.in_message) = (None, true);
    }

    /// Ends the message: the following writes don't belong to it.
    pub fn end(&mut self) {
        self.in_message = false;
    }

    /// Removes and returns the times of writes that belonged to no message.
    pub fn others(&mut self) -> std::vec::Drain<'_, Micros> {
        self.others.drain(..)
    }

    /// The position in the stream of everything written since the message began; none if the kernel reports no times of
    /// sent data.
    pub fn written(&self) -> Option<Written> {
        self.written.filter(|_| self.tells)
    }

    /// The next time that the kernel reports of written data.
    pub fn sent(&mut self) -> Option<Sent> {
        // Errors of the socket are reported by reads and writes.
        timestamps::sent(&self.socket, &mut self.control).ok().flatten()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { socket, control, came, .. } = &mut *self;
        loop {
            ready!(socket.poll_read_ready(context))?;
            let unfilled = buffer.initialize_unfilled();
            match socket.try_io(Interest::READABLE, || timestamps::receive(socket, unfilled, control)) {
                Ok((read, at)) => {
                    *came = Some(at);
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = ready!(Pin::new(&mut self.socket).poll_write(context, bytes))?;
        if wrote > 0 {
            if !self.in_message {
                self.others.push(Micros::now());
            }
            // The kernel counts modulo 2^32, too.
            self.last = self.last.wrapping_add(wrote as u32);
            let last = self.last;
            let first = self.written.map_or(last, |written| written.first);
            self.written = Some(Written { first, last });
        }
        Poll::Ready(Ok(wrote))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;
    use crate::socket::timestamps::Step;

    #[tokio::test]
    async fn what_is_written_and_read_has_the_kernels_times() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut player = Stream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 64];
        for round in 0..3_u32 {
            player.begin();
            let before = Micros::now();
            player.write_all(b"an answer").await.unwrap();
            player.write_all(b"!").await.unwrap();
            player.end();
            let written = player.written().unwrap();
            assert_eq!(written, Written { first: round * 10 + 8, last: round * 10 + 9 });
            assert_eq!(server.read_exact(&mut buffer[..10]).await.unwrap(), 10);
            server.write_all(b"a reply").await.unwrap();
            let replied = Micros::now();
            // The time does not depend on when the data is read.
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(player.read(&mut buffer).await.unwrap(), 7);
            if round > 0 {
                assert!(player.came() <= Micros(replied.0 + 10_000), "{:?} {replied:?}", player.came());
            }
            let mut times = Vec::new();
            while let Some(sent) = player.sent() {
                times.push(sent);
            }
            let left = times.iter().find(|sent| (sent.last, sent.step) == (written.first, Step::Left)).unwrap();
            let ended = times.iter().find(|sent| (sent.last, sent.step) == (written.last, Step::Acknowledged)).unwrap();
            assert!(before <= left.at && left.at <= ended.at && ended.at <= Micros::now(), "{before:?} {times:?}");
        }
        assert_eq!(player.others().count(), 0);
        player.write_all(b"a pong").await.unwrap();
        assert_eq!((player.others().count(), player.others().count()), (1, 0));
    }

    #[tokio::test]
    async fn a_stream_whose_kernel_tells_times_waits_for_room_and_for_bytes_as_any_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut player = Stream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let (from_player, from_server) = (vec![1; 8 << 20], vec![2; 1 << 20]);
        let both = async {
            let mut rest = Vec::new();
            let writes = async {
                player.write_all(&from_player).await.unwrap();
                player.shutdown().await.unwrap();
                player.read_to_end(&mut rest).await.unwrap();
            };
            let reads = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let mut received = Vec::new();
                server.read_to_end(&mut received).await.unwrap();
                server.write_all(&from_server).await.unwrap();
                server.shutdown().await.unwrap();
                received
            };
            let ((), received) = tokio::join!(writes, reads);
            (received, rest)
        };
        let (received, rest) = timeout(Duration::from_secs(20), both).await.unwrap();
        assert!(received == from_player && rest == from_server);
    }
}
