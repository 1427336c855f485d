//! What a connection costs to accept, and what its whole handshake costs the door.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use klaxon_gateway::transport::measured::{CountedConnection, HttpState, Stage, Upgraded, accept, serve};
use klaxon_gateway::transport::{Limits, listen};
use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::{LocalSet, spawn_local};

use super::bare::Bare;
use super::{SEND_BUFFER, Way, bind_to, compare, interrupted, process_clock, thread_clock};

/// Those who come in a round. The kernel keeps as many waiting.
const CROWD: usize = 1000;
/// Between those who come one by one: the door sleeps meanwhile.
const PAUSE: Duration = Duration::from_micros(100);
const REQUEST: &[u8] = b"GET /play HTTP/1.1\r\nHost: klaxon\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: klaxon.v1.json\r\n\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coming {
    /// Before the first is accepted.
    AtOnce,
    OneByOne,
}

/// A thread on another core that comes in again and again.
struct ConnectionCount {
    ask: mpsc::Sender<Coming>,
    /// All have come, and that took so much of a processor.
    come: mpsc::Receiver<Duration>,
}

impl ConnectionCount {
    fn to(listener: &TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let (ask, asked) = mpsc::channel();
        let (tell, come) = mpsc::channel();
        thread::spawn(move || {
            bind_to(1);
            come_in(address, &asked, &tell);
        });
        Self { ask, come }
    }

    /// What it takes of a processor to accept them, in whatever threads that happens.
    fn cost<T>(&self, coming: Coming, accept: impl FnOnce() -> T) -> Duration {
        self.ask.send(coming).unwrap();
        if coming == Coming::AtOnce {
            self.come.recv().unwrap();
        }
        let before = process_clock();
        let accepted = accept();
        let mut cost = process_clock() - before;
        if coming == Coming::OneByOne {
            cost -= self.come.recv().unwrap();
        }
        drop(accepted);
        cost
    }
}

fn come_in(address: SocketAddr, asked: &mpsc::Receiver<Coming>, tell: &mpsc::Sender<Duration>) {
    let mut here = Vec::new();
    for coming in asked {
        here.clear();
        let before = thread_clock();
        for _ in 0..CROWD {
            let mut client = TcpStream::connect(address).unwrap();
            client.write_all(REQUEST).unwrap();
            here.push(client);
            if coming == Coming::OneByOne {
                thread::sleep(PAUSE);
            }
        }
        tell.send(thread_clock() - before).unwrap();
    }
}

/// A listener whose connections leave nothing behind in the kernel when they are dropped.
fn listener() -> TcpListener {
    let listener = listen(([127, 0, 0, 1], 0).into(), SEND_BUFFER).unwrap();
    SockRef::from(&listener).set_linger(Some(Duration::ZERO)).unwrap();
    listener
}

/// Accepts as mio and tokio do: until there are no more, and then sleeps.
struct ByReadiness {
    poll: Poll,
    listener: mio::net::TcpListener,
    events: Events,
}

impl ByReadiness {
    fn new(listener: TcpListener) -> Self {
        let poll = Poll::new().unwrap();
        let mut listener = mio::net::TcpListener::from_std(listener);
        poll.registry().register(&mut listener, Token(0), Interest::READABLE).unwrap();
        Self { poll, listener, events: Events::with_capacity(64) }
    }

    fn accept(&mut self) -> Vec<OwnedFd> {
        let mut accepted = Vec::with_capacity(CROWD);
        while accepted.len() < CROWD {
            while self.poll.poll(&mut self.events, None).is_err_and(|error| interrupted(&error)) {}
            while let Ok((stream, _)) = self.listener.accept() {
                accepted.push(stream.into());
            }
        }
        accepted
    }
}

/// The gateway's door, without reactors behind it.
struct Door {
    runtime: Runtime,
    tasks: LocalSet,
    upgraded: tokio::sync::mpsc::UnboundedReceiver<(Upgraded, CountedConnection)>,
    _stage: watch::Sender<Stage>,
}

impl Door {
    fn new(listener: TcpListener) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (tasks, (stage, watch)) = (LocalSet::new(), watch::channel(Stage::Running));
        let (send, upgraded) = tokio::sync::mpsc::unbounded_channel();
        let limits = Limits { connections: 2 * CROWD, message: 4096 };
        let front = Arc::new(HttpState::new(limits));
        tasks.spawn_local(async move {
            let handshake = move |stream, peer, here: CountedConnection| {
                let (send, front) = (send.clone(), Arc::clone(&front));
                spawn_local(async move {
                    let upgraded = serve(stream, peer, front, &here).await.unwrap();
                    send.send((upgraded, here)).unwrap();
                });
            };
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            accept(listener, limits.connections, handshake, watch).await;
        });
        Self { runtime, tasks, upgraded, _stage: stage }
    }

    fn shake_hands(&mut self) -> Vec<(Upgraded, CountedConnection)> {
        self.tasks.block_on(&self.runtime, async {
            let mut upgraded = Vec::with_capacity(CROWD);
            while upgraded.len() < CROWD {
                self.upgraded.recv_many(&mut upgraded, CROWD).await;
            }
            upgraded
        })
    }
}

pub fn measure() {
    bind_to(0);
    for (coming, title) in
        [(Coming::AtOnce, "connections that wait"), (Coming::OneByOne, "connections that come one by one")]
    {
        let [by_readiness, by_completion, door] = std::array::from_fn(|_| listener());
        // Of a non-blocking listener the ring would say at once that nobody comes.
        by_completion.set_nonblocking(false).unwrap();
        let crowds = [&by_readiness, &by_completion, &door].map(ConnectionCount::to);
        let mut readiness = ByReadiness::new(by_readiness);
        let (mut completion, mut door) = (Bare::usual(CROWD), Door::new(door));
        let [first, second, third] = &crowds;
        let ways = vec![
            accepting("accept4 after epoll", move || first.cost(coming, || readiness.accept())),
            accepting("multishot ACCEPT", move || second.cost(coming, || completion.accept(&by_completion, CROWD))),
            accepting("the whole handshake, at the door", move || third.cost(coming, || door.shake_hands())),
        ];
        compare(title, ways);
    }
}

fn accepting<'a>(name: &str, mut round: impl FnMut() -> Duration + 'a) -> Way<'a> {
    Way { name: name.to_owned(), round: Box::new(move || (round(), CROWD)) }
}
