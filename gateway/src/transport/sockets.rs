//! The threads that own sockets: the acceptor, and the reactors.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::{LocalSet, spawn_local};

use super::accept::CountedConnection;
use super::epoll::Epoll;
use super::mailbox::{self, Mailbox, MailboxSender, WakeReceiver};
use super::reactor::{Reactor, ReactorMessage};
use super::uring::Uring;
use super::{ConnectionHandler, HttpState, Limits, Stage, Transport, accept, http};

/// The acceptor and the reactors of a listener. Dropping it ends them at once.
pub struct Sockets {
    stage: watch::Sender<Stage>,
    front: Arc<HttpState>,
    wake_all: Box<dyn Fn() + Send + Sync>,
    /// Closed when the last reactor is drained.
    drained: mpsc::Receiver<()>,
    /// Closed when the last thread is done.
    done: mpsc::Receiver<()>,
}

/// How other threads reach a handler.
#[derive(Clone)]
pub struct ReactorHandle<M>(MailboxSender<ReactorMessage<M>>);

impl<M> ReactorHandle<M> {
    /// Tells it something.
    pub fn send(&self, message: M) {
        self.0.send(ReactorMessage::ForHandler(message));
    }
}

/// Reactors that wait for their handlers.
pub struct ReactorPool<M> {
    transport: Transport,
    mailboxes: Vec<(Mailbox<ReactorMessage<M>>, WakeReceiver)>,
    senders: Vec<MailboxSender<ReactorMessage<M>>>,
}

impl<M: Send + 'static> ReactorPool<M> {
    /// So many reactors, to be begun with as many handlers.
    ///
    /// # Errors
    /// If there are no descriptors to be had, or not the transport that was asked for.
    pub fn new(transport: Transport, reactors: usize) -> io::Result<Self> {
        let transport = transport.choose()?;
        let (mut mailboxes, mut senders) = (Vec::new(), Vec::new());
        for _ in 0..reactors {
            let (sender, mailbox, wakeups) = mailbox::mailbox()?;
            mailboxes.push((mailbox, wakeups));
            senders.push(sender);
        }
        Ok(Self { transport, mailboxes, senders })
    }

    /// The handles to the handlers, in their order.
    #[must_use]
    pub fn handles(&self) -> Vec<ReactorHandle<M>> {
        self.senders.iter().cloned().map(ReactorHandle).collect()
    }

    /// Begins: whoever connects to the listener is some handler's from now on. There must be as many handlers as reactors.
    ///
    /// # Errors
    /// If there are no threads to be had.
    pub fn start<C: ConnectionHandler<Message = M>>(
        self,
        listener: TcpListener,
        limits: Limits,
        handlers: impl IntoIterator<Item = C>,
    ) -> io::Result<Sockets> {
        let Self { transport, mailboxes, senders } = self;
        let (stage, watch) = watch::channel(Stage::Running);
        let ((drains, drained), (dones, done)) = (mpsc::channel(1), mpsc::channel(1));
        let front = Arc::new(HttpState::new(limits));
        // A start that fails half way drops `stage`, which ends the threads that were started.
        for (number, ((mailbox, wakeups), handler)) in mailboxes.into_iter().zip(handlers).enumerate() {
            let (stage, drains, dones) = (watch.clone(), drains.clone(), dones.clone());
            let sender = (mailbox, wakeups);
            thread::Builder::new().name(format!("reactor-{number}")).spawn(move || {
                run(transport, handler, sender, limits.message, stage, drains);
                drop(dones);
            })?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (acceptor_state, wake_all) = (Arc::clone(&front), senders.clone());
        thread::Builder::new().name("acceptor".into()).spawn(move || {
            LocalSet::new().block_on(&runtime, accept_connections(listener, acceptor_state, senders, watch));
            drop(dones);
        })?;
        tracing::info!(%transport, reactors = wake_all.len(), "sockets");
        let wake_all = Box::new(move || wake_all.iter().for_each(MailboxSender::wake));
        Ok(Sockets { stage, front, wake_all, drained, done })
    }
}

impl Sockets {
    /// How far the sockets' life has come, for others who end with them.
    pub(crate) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Lets nobody in any more, asks the handlers to part, and is done when all connections are gone or after `limit`. Whoever
    /// parts is sent to one of the `others`, if there are any.
    pub async fn drain(mut self, limit: Duration, others: Vec<String>) {
        self.front.draining.store(true, Relaxed);
        self.set(Stage::Draining { until: Instant::now() + limit, others: others.into() });
        while self.drained.recv().await.is_some() {}
        self.set(Stage::Stopped);
        while self.done.recv().await.is_some() {}
    }

    fn set(&self, stage: Stage) {
        self.stage.send_replace(stage);
        (self.wake_all)();
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.set(Stage::Stopped);
    }
}

/// A reactor's thread.
fn run<C: ConnectionHandler>(
    transport: Transport,
    handler: C,
    (mailbox, wakeups): (Mailbox<ReactorMessage<C::Message>>, WakeReceiver),
    largest: u32,
    stage: watch::Receiver<Stage>,
    drained: mpsc::Sender<()>,
) {
    if transport == Transport::IoUring {
        match wakeups.try_clone().and_then(Uring::new) {
            Ok(uring) => return Reactor::new(handler, uring, mailbox, largest).run(stage, drained),
            Err(error) => tracing::warn!(%error, "no further io_uring is to be had; this reactor does without"),
        }
    }
    match Epoll::new(wakeups) {
        Ok(epoll) => Reactor::new(handler, epoll, mailbox, largest).run(stage, drained),
        Err(error) => tracing::error!(%error, "a reactor can't begin"),
    }
}

/// Takes sockets, speaks HTTP with them, and hands those that speak WebSocket then to the reactors in turn.
async fn accept_connections<M: Send + 'static>(
    listener: TcpListener,
    front: Arc<HttpState>,
    senders: Vec<MailboxSender<ReactorMessage<M>>>,
    stage: watch::Receiver<Stage>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the acceptor can't start"),
    };
    let most = front.limits.connections;
    let mut turn = senders.into_iter().cycle();
    let greet = move |stream: TcpStream, peer: IpAddr, here: CountedConnection| {
        let (Some(sender), front) = (turn.next(), Arc::clone(&front)) else { return };
        spawn_local(async move {
            if let Some(upgraded) = http::serve(stream, peer, front, &here).await {
                sender.send(ReactorMessage::Connection(Box::new(upgraded), here));
            }
        });
    };
    accept::run(listener, most, greet, stage).await;
}
