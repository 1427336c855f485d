//! The acceptor: accepts connections and passes them to the shards in turn.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Stage, receive_time};

/// The listen backlog: connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 4096;
/// Sockets beyond the connection limit, for health checks and refusals.
const SPARE: usize = 256;
/// The pause when there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Binds and listens. The kernel's send buffer of a connection is limited to `send_buffer`.
///
/// # Errors
/// If the address can't be bound.
pub fn listen(address: SocketAddr, send_buffer: usize) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_send_buffer_size(send_buffer)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit this: a frame is sent without waiting for another.
    socket.set_tcp_nodelay(true)?;
    // An urgent byte is read in its place in the stream. Otherwise later urgent bytes would decide whether it is in the
    // stream at all.
    socket.set_out_of_band_inline(true)?;
    if let Err(error) = receive_time::ask(&socket) {
        tracing::warn!(%error, "the kernel has no receive times: answers are stamped when they are read");
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The number of open sockets.
#[derive(Debug, Default)]
struct ConnectionCount(Arc<AtomicUsize>);

impl ConnectionCount {
    /// Counts a socket for as long as the returned value lives; none if there are `most` already.
    fn enter(&self, most: usize) -> Option<CountedConnection> {
        let before = self.0.fetch_add(1, Relaxed);
        let here = CountedConnection(Arc::clone(&self.0));
        (before < most).then_some(here)
    }
}

/// A counted socket.
#[derive(Debug)]
pub struct CountedConnection(Arc<AtomicUsize>);

impl CountedConnection {
    /// Whether there are more than `most` sockets now.
    pub fn exceeds(&self, most: usize) -> bool {
        self.0.load(Relaxed) > most
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Counts a connection that is refused because of the limit.
pub(super) fn count_refused() {
    metrics::counter!("klaxon_connections_refused_total").increment(1);
}

/// Accepts connections until the gateway stops. While it drains they are accepted to be refused with `shutting_down`.
pub async fn run(
    listener: tokio::net::TcpListener,
    most: usize,
    mut hand_out: impl FnMut(TcpStream, IpAddr, CountedConnection),
    mut stage: watch::Receiver<Stage>,
) {
    let count = ConnectionCount::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stage.wait_for(|stage| matches!(stage, Stage::Stopped)) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                match count.enter(most.saturating_add(SPARE)) {
                    Some(here) => hand_out(stream, peer.ip(), here),
                    // Closed without a reply, as the spare sockets for refusals are taken.
                    None => count_refused(),
                }
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "can't take a connection; waiting a little");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether the error concerns this connection only.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_sockets_than_there_may_be_and_a_place_is_free_again() {
        let count = ConnectionCount::default();
        let (one, two) = (count.enter(2).unwrap(), count.enter(2).unwrap());
        assert!(count.enter(2).is_none());
        assert!(two.exceeds(1) && !two.exceeds(2));
        drop(one);
        assert!(count.enter(2).is_some());
    }
}
