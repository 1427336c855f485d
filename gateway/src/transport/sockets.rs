//! The threads that own sockets: the door, and the reactors.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::{LocalSet, spawn_local};

use super::accept::InCrowd;
use super::bell::{self, Chime, Inbox, Post};
use super::epoll::Epoll;
use super::reactor::{Input, Reactor};
use super::uring::Uring;
use super::{Crew, Front, Limits, Stage, Transport, accept, http};

/// The door and the reactors of a listener. Dropping it ends them at once.
pub struct Sockets {
    stage: watch::Sender<Stage>,
    front: Arc<Front>,
    bells: Box<dyn Fn() + Send + Sync>,
    /// Closed when the last reactor is drained.
    drained: mpsc::Receiver<()>,
    /// Closed when the last thread is done.
    done: mpsc::Receiver<()>,
}

/// How other threads reach a crew.
#[derive(Clone)]
pub struct ToCrew<W>(Post<Input<W>>);

impl<W> ToCrew<W> {
    /// Tells it something.
    pub fn tell(&self, word: W) {
        self.0.send(Input::Word(word));
    }
}

/// Reactors that wait for their crews.
pub struct Idle<W> {
    transport: Transport,
    inboxes: Vec<(Inbox<Input<W>>, Chime)>,
    posts: Vec<Post<Input<W>>>,
}

impl<W: Send + 'static> Idle<W> {
    /// So many reactors, to be begun with as many crews.
    ///
    /// # Errors
    /// If there are no descriptors to be had, or not the transport that was asked for.
    pub fn new(transport: Transport, reactors: usize) -> io::Result<Self> {
        let transport = transport.choose()?;
        let (mut inboxes, mut posts) = (Vec::new(), Vec::new());
        for _ in 0..reactors {
            let (post, inbox, chime) = bell::inbox()?;
            inboxes.push((inbox, chime));
            posts.push(post);
        }
        Ok(Self { transport, inboxes, posts })
    }

    /// The ways to the crews, in their order.
    #[must_use]
    pub fn ways(&self) -> Vec<ToCrew<W>> {
        self.posts.iter().cloned().map(ToCrew).collect()
    }

    /// Begins: whoever connects to the listener is some crew's from now on. There must be as many crews as reactors.
    ///
    /// # Errors
    /// If there are no threads to be had.
    pub fn begin<C: Crew<Word = W>>(
        self,
        listener: TcpListener,
        limits: Limits,
        crews: impl IntoIterator<Item = C>,
    ) -> io::Result<Sockets> {
        let Self { transport, inboxes, posts } = self;
        let (stage, watch) = watch::channel(Stage::Running);
        let ((drains, drained), (dones, done)) = (mpsc::channel(1), mpsc::channel(1));
        let front = Arc::new(Front::new(limits));
        // A start that fails half way drops `stage`, which ends the threads that were started.
        for (number, ((inbox, chime), crew)) in inboxes.into_iter().zip(crews).enumerate() {
            let (stage, drains, dones) = (watch.clone(), drains.clone(), dones.clone());
            let post = (inbox, chime);
            thread::Builder::new().name(format!("reactor-{number}")).spawn(move || {
                run(transport, crew, post, limits.message, stage, drains);
                drop(dones);
            })?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (door_front, bells) = (Arc::clone(&front), posts.clone());
        thread::Builder::new().name("door".into()).spawn(move || {
            LocalSet::new().block_on(&runtime, keep_the_door(listener, door_front, posts, watch));
            drop(dones);
        })?;
        tracing::info!(%transport, reactors = bells.len(), "sockets");
        let bells = Box::new(move || bells.iter().for_each(Post::ring));
        Ok(Sockets { stage, front, bells, drained, done })
    }
}

impl Sockets {
    /// How far the sockets' life has come, for others who end with them.
    pub(crate) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Lets nobody in any more, asks the crews to part, and is done when all connections are gone or after `limit`. Whoever
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
        (self.bells)();
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.set(Stage::Stopped);
    }
}

/// A reactor's thread.
fn run<C: Crew>(
    transport: Transport,
    crew: C,
    (inbox, chime): (Inbox<Input<C::Word>>, Chime),
    largest: u32,
    stage: watch::Receiver<Stage>,
    drained: mpsc::Sender<()>,
) {
    if transport == Transport::IoUring {
        match chime.again().and_then(Uring::new) {
            Ok(uring) => return Reactor::new(crew, uring, inbox, largest).run(stage, drained),
            Err(error) => tracing::warn!(%error, "no further io_uring is to be had; this reactor does without"),
        }
    }
    match Epoll::new(chime) {
        Ok(epoll) => Reactor::new(crew, epoll, inbox, largest).run(stage, drained),
        Err(error) => tracing::error!(%error, "a reactor can't begin"),
    }
}

/// Takes sockets, speaks HTTP with them, and hands those that speak WebSocket then to the reactors in turn.
async fn keep_the_door<W: Send + 'static>(
    listener: TcpListener,
    front: Arc<Front>,
    posts: Vec<Post<Input<W>>>,
    stage: watch::Receiver<Stage>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the door can't be opened"),
    };
    let most = front.limits.connections;
    let mut turn = posts.into_iter().cycle();
    let greet = move |stream: TcpStream, peer: IpAddr, here: InCrowd| {
        let (Some(post), front) = (turn.next(), Arc::clone(&front)) else { return };
        spawn_local(async move {
            if let Some(upgraded) = http::serve(stream, peer, front, &here).await {
                post.send(Input::Connection(Box::new(upgraded), here));
            }
        });
    };
    accept::run(listener, most, greet, stage).await;
}
