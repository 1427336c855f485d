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
use super::backlog::{Backlog, ReactorBacklog};
use super::epoll::Epoll;
use super::mailbox::{self, Mailbox, MailboxSender, WakeReceiver};
use super::reactor::{Reactor, ReactorMessage};
use super::uring::Uring;
use super::{ConnectionHandler, HttpState, Limits, Stage, Transport, accept, http};

/// The acceptor and the reactors of a listener. Dropping it ends them at once.
pub struct Sockets {
    stage: watch::Sender<Stage>,
    http_state: Arc<HttpState>,
    wake_all: Box<dyn Fn() + Send + Sync>,
    /// Closed when the last reactor is drained.
    drained: mpsc::Receiver<()>,
    /// Closed when the last thread has ended.
    done: mpsc::Receiver<()>,
}

/// Sends messages to a handler from other threads.
pub struct ReactorHandle<M> {
    sender: MailboxSender<ReactorMessage<M>>,
    backlog: Arc<Backlog>,
}

impl<M> Clone for ReactorHandle<M> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), backlog: Arc::clone(&self.backlog) }
    }
}

impl<M> ReactorHandle<M> {
    /// Sends a message even if there is no room. A sender that can wait should call [`Self::wait_for_room`] before.
    pub fn send(&self, message: M) {
        self.backlog.add();
        self.sender.send(ReactorMessage::ForHandler(message));
    }

    /// The number of messages that were sent and not processed yet.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.backlog.len()
    }

    /// Whether fewer than [`MAX_BACKLOG`](super::MAX_BACKLOG) messages wait, or the reactor has ended.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.backlog.has_room()
    }

    /// Waits until the backlog is half empty, or the reactor has ended. Only one task may wait.
    pub async fn wait_for_room(&self) {
        self.backlog.wait_for_room().await;
    }
}

/// Reactors that are not started yet.
pub struct ReactorPool<M> {
    transport: Transport,
    mailboxes: Vec<ReactorMailbox<M>>,
    handles: Vec<ReactorHandle<M>>,
}

/// What a reactor receives from other threads.
struct ReactorMailbox<M> {
    messages: Mailbox<ReactorMessage<M>>,
    backlog: ReactorBacklog,
    wakeups: WakeReceiver,
}

impl<M: Send + 'static> ReactorPool<M> {
    /// Prepares `reactors` reactors, to be started with as many handlers.
    ///
    /// # Errors
    /// If there is no free file descriptor, or the transport that was asked for is not available.
    pub fn new(transport: Transport, reactors: usize) -> io::Result<Self> {
        let transport = transport.choose()?;
        let (mut mailboxes, mut handles) = (Vec::new(), Vec::new());
        for _ in 0..reactors {
            let (sender, messages, wakeups) = mailbox::mailbox()?;
            let backlog = ReactorBacklog::default();
            handles.push(ReactorHandle { sender, backlog: backlog.shared() });
            mailboxes.push(ReactorMailbox { messages, backlog, wakeups });
        }
        Ok(Self { transport, mailboxes, handles })
    }

    /// The handles to the handlers, in their order.
    #[must_use]
    pub fn handles(&self) -> Vec<ReactorHandle<M>> {
        self.handles.clone()
    }

    /// Starts the threads: connections are distributed over the handlers in turn. The number of handlers must be that
    /// of the reactors.
    ///
    /// # Errors
    /// If a thread can't be started.
    pub fn start<C: ConnectionHandler<Message = M>>(
        self,
        listener: TcpListener,
        limits: Limits,
        handlers: impl IntoIterator<Item = C>,
    ) -> io::Result<Sockets> {
        let Self { transport, mailboxes, handles } = self;
        let senders: Vec<_> = handles.into_iter().map(|handle| handle.sender).collect();
        let (stage, watch) = watch::channel(Stage::Running);
        let ((drains, drained), (dones, done)) = (mpsc::channel(1), mpsc::channel(1));
        let http_state = Arc::new(HttpState::new(limits));
        // If the start fails half-way, dropping `stage` ends the threads that were started.
        for (number, (mailbox, handler)) in mailboxes.into_iter().zip(handlers).enumerate() {
            let (stage, drains, dones) = (watch.clone(), drains.clone(), dones.clone());
            thread::Builder::new().name(format!("reactor-{number}")).spawn(move || {
                run(transport, handler, mailbox, limits.message, stage, drains);
                drop(dones);
            })?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (acceptor_state, wake_all) = (Arc::clone(&http_state), senders.clone());
        thread::Builder::new().name("acceptor".into()).spawn(move || {
            LocalSet::new().block_on(&runtime, accept_connections(listener, acceptor_state, senders, watch));
            drop(dones);
        })?;
        tracing::info!(%transport, reactors = wake_all.len(), "sockets");
        let wake_all = Box::new(move || wake_all.iter().for_each(MailboxSender::wake));
        Ok(Sockets { stage, http_state, wake_all, drained, done })
    }
}

impl Sockets {
    /// The stage of the sockets, for tasks that end with them.
    pub(crate) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Refuses new connections, lets the handlers close theirs, and returns when all are closed or after `limit`.
    /// Clients are sent to one of the `others`, if there are any.
    pub async fn drain(mut self, limit: Duration, others: Vec<String>) {
        self.http_state.draining.store(true, Relaxed);
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
    mailbox: ReactorMailbox<C::Message>,
    largest: u32,
    stage: watch::Receiver<Stage>,
    drained: mpsc::Sender<()>,
) {
    let ReactorMailbox { messages, backlog, wakeups } = mailbox;
    if transport == Transport::IoUring {
        match wakeups.try_clone().and_then(Uring::new) {
            Ok(uring) => return Reactor::new(handler, uring, messages, backlog, largest).run(stage, drained),
            Err(error) => tracing::warn!(%error, "no further io_uring is to be had; this reactor does without"),
        }
    }
    match Epoll::new(wakeups) {
        Ok(epoll) => Reactor::new(handler, epoll, messages, backlog, largest).run(stage, drained),
        Err(error) => tracing::error!(%error, "a reactor can't begin"),
    }
}

/// Accepts sockets, serves HTTP on them, and hands those that are upgraded to WebSocket to the reactors in turn.
async fn accept_connections<M: Send + 'static>(
    listener: TcpListener,
    http_state: Arc<HttpState>,
    senders: Vec<MailboxSender<ReactorMessage<M>>>,
    stage: watch::Receiver<Stage>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the acceptor can't start"),
    };
    let most = http_state.limits.connections;
    let mut turn = senders.into_iter().cycle();
    let handshake = move |stream: TcpStream, peer: IpAddr, here: CountedConnection| {
        let (Some(sender), http_state) = (turn.next(), Arc::clone(&http_state)) else { return };
        spawn_local(async move {
            if let Some(upgraded) = http::serve(stream, peer, http_state, &here).await {
                sender.send(ReactorMessage::Connection(Box::new(upgraded), here));
            }
        });
    };
    accept::run(listener, most, handshake, stage).await;
}
