//! A gateway: its threads, from start to drain.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use klaxon_protocol::link::ToEngine;
use tokio::sync::mpsc;

use crate::hub::{Common, Router, Shard, ToShard};
use crate::link::{GatewayEnd, HostSink, Random};
use crate::settings::GatewaySettings;
use crate::subscriber::Subscriber;
use crate::transport::{Limits, ReactorHandle, ReactorPool, Sockets, listen};

/// The players' side of Klaxon: listens, lets players in, carries their answers to the engine and everything else to them.
///
/// Runs on threads of its own: one for each shard, one that accepts connections, one that reads the bus. Dropping it ends them at once, and
/// [`Gateway::drain`] closes players' connections in order before that.
pub struct Gateway {
    addr: SocketAddr,
    sockets: Sockets,
    /// Closed when the subscriber's thread is done.
    subscriber_done: mpsc::Receiver<()>,
}

/// A gateway's address, taken before anybody is let in.
pub struct Address {
    listener: std::net::TcpListener,
    addr: SocketAddr,
}

impl Address {
    /// Takes the address that these settings name. Who connects waits until the gateway starts.
    ///
    /// # Errors
    /// If it can't be listened on.
    pub fn take(settings: &GatewaySettings) -> io::Result<Self> {
        let listener = listen(settings.listen, settings.limits.outbox_bytes)?;
        Ok(Self { addr: listener.local_addr()?, listener })
    }

    /// Where players connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// The router from a shard to the rest.
struct GatewayRouter {
    end: Arc<dyn GatewayEnd>,
    shards: OnceLock<Vec<ReactorHandle<ToShard>>>,
}

impl Router for GatewayRouter {
    fn to_engine(&self, message: ToEngine) {
        self.end.send(message);
    }

    fn to_shard(&self, shard: u8, message: ToShard) {
        if let Some(shard) = self.shards.get().and_then(|shards| shards.get(usize::from(shard))) {
            shard.send(message);
        }
    }
}

impl Gateway {
    /// Listens and begins to let players in. Messages for hosts go to `hosts`.
    ///
    /// Metrics count from here on in the recorder that is installed by now.
    ///
    /// # Errors
    /// If the address can't be listened on, or there are no threads to be had.
    pub fn start(settings: GatewaySettings, end: Arc<dyn GatewayEnd>, hosts: Arc<dyn HostSink>) -> io::Result<Self> {
        let address = Address::take(&settings)?;
        Self::start_at(address, settings, end, hosts)
    }

    /// The same at an address that was taken before.
    ///
    /// # Errors
    /// If there are no threads to be had.
    pub fn start_at(
        address: Address,
        mut settings: GatewaySettings,
        end: Arc<dyn GatewayEnd>,
        hosts: Arc<dyn HostSink>,
    ) -> io::Result<Self> {
        settings.shards = settings.shards.clamp(1, GatewaySettings::MOST_SHARDS);
        let Address { listener, addr } = address;
        let pool = ReactorPool::new(settings.transport, settings.shards)?;
        let limits = Limits { connections: settings.max_connections, message: GatewaySettings::LARGEST_MESSAGE };
        let router = Arc::new(GatewayRouter { end: Arc::clone(&end), shards: OnceLock::new() });
        let shards = pool.handles();
        let _ = router.shards.set(shards.clone());
        let numbers = (0..=u8::MAX).take(settings.shards);
        let common = Arc::new(Common::new(settings, end.id(), router as Arc<dyn Router>, Random::of_system()));
        let sockets = pool.start(listener, limits, numbers.map(|number| Shard::new(number, Arc::clone(&common))))?;

        let subscriber = Subscriber { end, hosts, common, shards };
        let (stage, (done, subscriber_done)) = (sockets.stage(), mpsc::channel(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("subscriber".into()).spawn(move || {
            runtime.block_on(subscriber.run(stage));
            drop(done);
        })?;
        Ok(Self { addr, sockets, subscriber_done })
    }

    /// Where players connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Accepts no more connections, sends all players `goodbye`, and is done when they are gone or after `limit`. No connection is closed
    /// before all its answers that were read are replied to, or most of the limit is over. Where `others` are, players are sent
    /// there, spread evenly over them and over half of the limit.
    ///
    /// The gateway leaves the bus when its end is dropped: hold no other reference to it.
    pub async fn drain(mut self, limit: Duration, others: Vec<String>) {
        self.sockets.drain(limit, others).await;
        while self.subscriber_done.recv().await.is_some() {}
    }
}
