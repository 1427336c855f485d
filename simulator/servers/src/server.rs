//! What all servers have in common for those who kill, stop and start them again.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::time::sleep;

use crate::{Process, ServerError};

/// A server that is being started.
pub type Starting<'a> = Pin<Box<dyn Future<Output = Result<(), ServerError>> + 'a>>;

/// A server with one process.
pub trait Server {
    /// What it is called, such as `redis` or `engine-2`.
    fn name(&self) -> &str;

    /// Where it listens.
    fn addresses(&self) -> Vec<SocketAddr>;

    /// Its process: to pause, to kill.
    fn process(&mut self) -> &mut Process;

    /// Starts it again on the same ports after it was killed, and waits until it is ready.
    fn start_again(&mut self) -> Starting<'_>;
}

/// Kills a server (SIGKILL), and starts it again after `away`. Meanwhile its addresses are held, without listening there: on a busy
/// machine another program would get its ports.
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

/// Stops a server's clock (SIGSTOP), and lets it go on after `standing`.
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

/// An address of this machine at this port.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
