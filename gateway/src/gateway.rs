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

/// The players' side of Klaxon: accepts players, carries their answers to the engine, and fans out events to them.
///
/// Runs on threads of its own: one for each shard, one that accepts connections, one that reads the bus. Dropping it
/// ends them at once; [`Gateway::drain`] first closes players' connections gracefully.
pub struct Gateway {
    addr: SocketAddr,
    sockets: Sockets,
    /// Closed when the subscriber's thread has ended.
    subscriber_done: mpsc::Receiver<()>,
}

/// A gateway's listening address, bound before the gateway starts.
pub struct Address {
    listener: std::net::TcpListener,
    addr: SocketAddr,
}

impl Address {
    /// Binds the address that these settings name. Clients that connect wait until the gateway starts.
    ///
    /// # Errors
    /// If the address can't be bound.
    pub fn take(settings: &GatewaySettings) -> io::Result<Self> {
        let listener = listen(settings.players.listen, settings.players.limits.outbox_bytes)?;
        Ok(Self { addr: listener.local_addr()?, listener })
    }

    /// Where players connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Routes messages from a shard to the bus and to other shards.
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
    /// Binds the address and starts to accept players. Messages for hosts are passed to `hosts`.
    ///
    /// The metrics recorder has to be installed before.
    ///
    /// # Errors
    /// If the address can't be bound, or a thread can't be started.
    pub fn start(settings: GatewaySettings, end: Arc<dyn GatewayEnd>, hosts: Arc<dyn HostSink>) -> io::Result<Self> {
        let address = Address::take(&settings)?;
        Self::start_at(address, settings, end, hosts)
    }

    /// As [`Self::start`], at an address that was bound before.
    ///
    /// # Errors
    /// If a thread can't be started.
    pub fn start_at(
        address: Address,
        settings: GatewaySettings,
        end: Arc<dyn GatewayEnd>,
        hosts: Arc<dyn HostSink>,
    ) -> io::Result<Self> {
        let Address { listener, addr } = address;
        let connections = settings.players.max_connections();
        let limits = Limits { connections, message: GatewaySettings::LARGEST_MESSAGE };
        let shards = settings.players.shards();
        let (pool, numbers) = (ReactorPool::new(settings.players.transport, shards)?, (0..=u8::MAX).take(shards));
        let router = Arc::new(GatewayRouter { end: Arc::clone(&end), shards: OnceLock::new() });
        let shards = pool.handles();
        let _ = router.shards.set(shards.clone());
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

    /// Refuses new connections, sends all players `goodbye`, and returns when they have disconnected or after `limit`.
    /// A connection stays open until all its answers that were read have replies, or most of the limit is over. If
    /// there are `others`, players are sent to them, spread evenly over them and over half of the limit.
    ///
    /// The gateway leaves the bus when its bus end is dropped, so the caller must not hold another reference to it.
    pub async fn drain(mut self, limit: Duration, others: Vec<String>) {
        self.sockets.drain(limit, others).await;
        while self.subscriber_done.recv().await.is_some() {}
    }
}
