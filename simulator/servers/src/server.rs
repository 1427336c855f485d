//! The interface through which servers are killed, stopped and restarted.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::time::sleep;

use crate::{Process, ServerError};

/// A future that ends when the server is ready.
pub type Starting<'a> = Pin<Box<dyn Future<Output = Result<(), ServerError>> + 'a>>;

/// A server with one process.
pub trait Server {
    /// The server's name, such as `redis` or `engine-2`.
    fn name(&self) -> &str;

    /// The addresses at which it listens.
    fn addresses(&self) -> Vec<SocketAddr>;

    /// The server's process, to pause or kill it.
    fn process(&mut self) -> &mut Process;

    /// Restarts the server on the same ports after it was killed, and waits until it is ready.
    fn start_again(&mut self) -> Starting<'_>;
}

/// Kills a server (SIGKILL), and restarts it after `away`. Meanwhile its addresses stay bound, without listening, so
/// that no other program of a busy machine gets its ports.
///
/// # Errors
/// If it can't be started again.
pub async fn kill_for(server: &mut dyn Server, away: Duration) -> Result<(), ServerError> {
    server.process().kill();
    let held: Vec<_> = server.addresses().into_iter().map(hold).collect();
    sleep(away).await;
    drop(held);
    server.start_again().await
}

/// Suspends a server (SIGSTOP) for `standing`, then continues it.
pub async fn pause_for(server: &mut dyn Server, standing: Duration) {
    server.process().pause();
    sleep(standing).await;
    server.process().resume();
}

fn hold(address: SocketAddr) -> Option<TcpSocket> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_reuseaddr(true).ok()?;
    socket.bind(address).ok()?;
    Some(socket)
}

/// The address of this port at 127.0.0.1.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
