//! A gateway: its threads, from start to drain.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use klaxon_protocol::link::ToEngine;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use crate::hub::{self, Common, ForShard, Outside};
use crate::link::{Desk, GatewayEnd, Link};
use crate::settings::GatewaySettings;
use crate::transport::tokio as on_tokio;
use crate::transport::{Front, Input, Stage, listen, take_sockets};

/// The players' side of Klaxon: listens, lets players in, carries their answers to the engine and everything else to them.
///
/// Runs on threads of its own: one for each shard, one for the door, one for the link. Dropping it ends them at once; to send the
/// players away kindly, [`Gateway::drain`] first.
pub struct Gateway {
    addr: SocketAddr,
    front: Arc<Front>,
    stage: watch::Sender<Stage>,
    /// Closed when the last shard is drained.
    shards_drained: mpsc::Receiver<()>,
    /// Closed when the last thread is done.
    all_done: mpsc::Receiver<()>,
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
        let listener = listen(settings.listen, settings.outbox_bytes)?;
        Ok(Self { addr: listener.local_addr()?, listener })
    }

    /// Where players connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// The ways from a shard to the rest.
struct Ways {
    end: Arc<dyn GatewayEnd>,
    shards: OnceLock<Vec<mpsc::UnboundedSender<Input>>>,
}

impl Outside for Ways {
    fn engine(&self, message: ToEngine) {
        self.end.send(message);
    }

    fn shard(&self, shard: u8, message: ForShard) {
        if let Some(shard) = self.shards.get().and_then(|shards| shards.get(usize::from(shard))) {
            // A shard that is gone has no connections either.
            let _ = shard.send(Input::Hear(message));
        }
    }
}

impl Gateway {
    /// Listens and begins to let players in. Hosts' messages go to `desk`.
    ///
    /// Metrics count from here on in the recorder that is installed by now.
    ///
    /// # Errors
    /// If the address can't be listened on, or there are no threads to be had.
    pub fn start(settings: GatewaySettings, end: Arc<dyn GatewayEnd>, desk: Arc<dyn Desk>) -> io::Result<Self> {
        let address = Address::take(&settings)?;
        Self::start_at(address, settings, end, desk)
    }

    /// The same at an address that was taken before.
    ///
    /// # Errors
    /// If there are no threads to be had.
    pub fn start_at(
        address: Address,
        mut settings: GatewaySettings,
        end: Arc<dyn GatewayEnd>,
        desk: Arc<dyn Desk>,
    ) -> io::Result<Self> {
        settings.shards = settings.shards.clamp(1, GatewaySettings::MOST_SHARDS);
        hub::describe();
        let Address { listener, addr } = address;
        let most = settings.max_connections;
        let front = Arc::new(Front { max_connections: most, draining: AtomicBool::new(false) });
        let ways = Arc::new(Ways { end: Arc::clone(&end), shards: OnceLock::new() });
        let shards = settings.shards;
        let common = Arc::new(Common::new(settings, end.id(), Arc::clone(&ways) as Arc<dyn Outside>));
        let (stage, watch_stage) = watch::channel(Stage::Running);
        let (drained, shards_drained) = mpsc::channel(1);
        let (done, all_done) = mpsc::channel(1);
        // A start that fails half way drops `stage`, which ends the threads that were started. A thread that was started can't fail.
        let mut senders = Vec::with_capacity(shards);
        for number in (0..=u8::MAX).take(shards) {
            let (sender, inbox) = mpsc::unbounded_channel();
            senders.push(sender);
            let (common, front, stage) = (Arc::clone(&common), Arc::clone(&front), watch_stage.clone());
            let drained = drained.clone();
            spawn(format!("shard-{number}"), runtime()?, done.clone(), move |runtime| {
                on_tokio::run(runtime, number, common, front, inbox, stage, drained);
            })?;
        }
        drop(drained);
        let mut turn = senders.clone().into_iter().cycle();
        let _ = ways.shards.set(senders);

        let link = Link { end, desk, common };
        let link_stage = watch_stage.clone();
        spawn("link".into(), runtime()?, done.clone(), move |runtime| runtime.block_on(link.run(link_stage)))?;

        let door = runtime()?;
        let listener = {
            let _inside = door.enter();
            TcpListener::from_std(listener)?
        };
        let hand_out = move |stream, here| {
            if let Some(shard) = turn.next() {
                let _ = shard.send(Input::Socket(stream, here));
            }
        };
        spawn("door".into(), door, done, move |runtime| {
            runtime.block_on(take_sockets(listener, most, hand_out, watch_stage));
        })?;
        Ok(Self { addr, front, stage, shards_drained, all_done })
    }

    /// Where players connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets nobody in any more, tells everybody to come back, and is done when they are gone or after `limit`. Nobody goes before
    /// all their answers that were read are replied to, or most of the limit is over. Where `others` are, players are sent
    /// there, spread evenly over them and over half of the limit.
    ///
    /// The gateway leaves the bus when its end is dropped: hold no other reference to it.
    pub async fn drain(mut self, limit: Duration, others: Vec<String>) {
        self.front.draining.store(true, Relaxed);
        self.stage.send_replace(Stage::Draining { until: Instant::now() + limit, others: others.into() });
        while self.shards_drained.recv().await.is_some() {}
        self.stage.send_replace(Stage::Stopped);
        while self.all_done.recv().await.is_some() {}
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stage.send_replace(Stage::Stopped);
    }
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Starts a thread that drops `done` when it ends.
fn spawn(
    name: String,
    runtime: Runtime,
    done: mpsc::Sender<()>,
    body: impl FnOnce(&Runtime) + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new().name(name).spawn(move || {
        body(&runtime);
        drop(done);
    })?;
    Ok(())
}
