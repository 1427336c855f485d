//! An engine's end of the bus over Redis.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use dashmap::DashMap;
use klaxon_protocol::host::ShowLine;
use klaxon_protocol::ids::{CommandId, Fence, GatewayId, ShowCode, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};
use redis::{RedisError, pipe};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::directory::Directory;
use super::hearing::{Item, hear};
use super::registry::Gateways;
use super::requests::Open;
use super::saying::{Order, Voice};
use super::trouble::Trouble;
use super::{Steering, Task, answering, entry, registry, requests, unavailable};
use crate::bus::{BusError, EngineEnd, Entered, Heard, Left, Place, Turn};
use crate::clock::Clock;
use crate::redis::{Connection, Redis};

/// How many things one `receive` takes at most.
const TAKE: usize = 256;

/// An engine's end of the bus over Redis. What it still had to say is not said if it is dropped before [`Self::finish`].
pub struct RedisEngineEnd {
    redis: Redis,
    connection: Connection,
    directory: Directory,
    playing: Arc<DashMap<ShowId, Playing>>,
    gateways: Gateways,
    engine: mpsc::UnboundedSender<Item>,
    inbox: tokio::sync::Mutex<Inbox>,
    /// None once it is finished.
    hosts: Mutex<Option<Hosts>>,
    voices: Mutex<JoinSet<()>>,
    steering: Steering,
    /// Takes requests; none once it is closed.
    taking: Mutex<Option<Task>>,
    _beside: [Task; 2],
}

/// A show that is played here.
struct Playing {
    fence: Fence,
    voice: mpsc::UnboundedSender<Order>,
    trouble: Trouble,
    /// None once another engine has the show.
    reader: Option<Task>,
}

struct Inbox {
    items: mpsc::UnboundedReceiver<Item>,
    /// Requests that were received last time: whoever asks for more has dealt with them.
    dealt_with: Vec<String>,
    done: mpsc::UnboundedSender<String>,
    is_closed: bool,
}

/// To those who send answers to hosts.
struct Hosts {
    answers: mpsc::UnboundedSender<(GatewayId, ToGateway)>,
    sender: JoinHandle<()>,
}

impl RedisEngineEnd {
    /// Connects the engine of this name. No two engines that run have the same.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn connect(redis: &Redis, name: &str) -> Result<Self, RedisError> {
        let connection = redis.connect().await?;
        let steering = Steering::start(redis, Clock::of_process()).await?;
        let keys = redis.keys().clone();
        let (engine, items) = mpsc::unbounded_channel();
        let (done, struck) = mpsc::unbounded_channel();
        let (answers, to_send) = mpsc::unbounded_channel();
        let (playing, gateways, open) =
            (Arc::<DashMap<ShowId, Playing>>::default(), Gateways::default(), Open::default());
        let shows = {
            let playing = Arc::clone(&playing);
            move || playing.iter().map(|show| *show.key()).collect()
        };
        let taking = Task::spawn(requests::take(redis.clone(), name.to_owned(), open.clone(), engine.clone()));
        let beside = [
            Task::spawn(requests::strike(connection.clone(), keys.clone(), open, struck)),
            Task::spawn(registry::watch(connection.clone(), keys.clone(), gateways.clone(), shows, engine.clone())),
        ];
        let sender = tokio::spawn(answering::answer(connection.clone(), keys.clone(), to_send));
        Ok(Self {
            redis: redis.clone(),
            directory: Directory::new(connection.clone(), keys),
            connection,
            playing,
            gateways,
            engine,
            inbox: tokio::sync::Mutex::new(Inbox { items, dealt_with: Vec::new(), done, is_closed: false }),
            hosts: Mutex::new(Some(Hosts { answers, sender })),
            voices: Mutex::new(JoinSet::new()),
            steering,
            taking: Mutex::new(Some(taking)),
            _beside: beside,
        })
    }

    /// How wrong the time of this process may be, in microseconds either way.
    #[must_use]
    pub fn clock_uncertainty(&self) -> u32 {
        self.steering.uncertainty()
    }

    /// Takes in nothing more: `receive` gives what has come, and says then that it is all.
    pub fn close(&self) {
        drop(lock(&self.taking).take());
        // Without an inbox nobody receives.
        let _ = self.engine.send(Item::Closed);
    }

    /// Waits until all is said that this engine, and its shows that were let go, had to say.
    pub async fn finish(&self) {
        self.close();
        let mut voices = std::mem::take(&mut *lock(&self.voices));
        while voices.join_next().await.is_some() {}
        let hosts = lock(&self.hosts).take();
        if let Some(Hosts { answers, sender }) = hosts {
            drop(answers);
            if let Err(error) = sender.await {
                tracing::error!(%error, "answers to hosts broke off");
            }
        }
        let dealt_with = std::mem::take(&mut self.inbox.lock().await.dealt_with);
        if !dealt_with.is_empty() {
            requests::strike_out(&mut self.connection.clone(), self.redis.keys(), &dealt_with).await;
        }
    }

    fn tell(&self, show: ShowId, order: Order) {
        match self.playing.get(&show) {
            // A voice ends only after it was let go.
            Some(playing) => drop(playing.voice.send(order)),
            None => tracing::debug!(%show, "a show that is not played here says nothing"),
        }
    }

    /// Starts a voice for the show, or tells the one that it has of the new lease.
    fn play(&self, show: ShowId, fence: Fence, said: u64, heard: Place) {
        let (voice, trouble) = match self.playing.remove(&show) {
            Some((_, playing)) => (playing.voice, playing.trouble),
            None => self.voice(show),
        };
        let reading = hear(self.redis.clone(), show, fence, heard, self.engine.clone(), trouble.clone());
        let reader = Task::spawn(reading);
        let _ = voice.send(Order::Adopted(fence, said));
        self.playing.insert(show, Playing { fence, voice, trouble, reader: Some(reader) });
    }

    fn voice(&self, show: ShowId) -> (mpsc::UnboundedSender<Order>, Trouble) {
        let (orders, told) = mpsc::unbounded_channel();
        let trouble = Trouble::default();
        if let Some(hosts) = &*lock(&self.hosts) {
            let (connection, keys) = (self.connection.clone(), self.redis.keys().clone());
            let voice = Voice::new(show, (connection, keys), told, hosts.answers.clone(), self.engine.clone());
            let voice = voice.with(trouble.clone());
            let mut voices = lock(&self.voices);
            while voices.try_join_next().is_some() {}
            voices.spawn(voice.run());
        }
        (orders, trouble)
    }

    /// What of this is still of interest here.
    fn sort(&self, item: Item, inbox: &mut Inbox, into: &mut Vec<Heard>) {
        match item {
            Item::Heard(show, fence, heard) => {
                if self.playing.get(&show).is_some_and(|playing| playing.fence == fence && playing.reader.is_some()) {
                    into.extend(heard);
                }
            }
            Item::Request(id, message) => {
                inbox.dealt_with.push(id);
                into.push(message.into());
            }
            Item::Gone(gateway) => into.push(ToEngine::Bye { gateway }.into()),
            Item::Fenced(show, fence) => {
                if let Some(mut playing) = self.playing.get_mut(&show).filter(|playing| playing.fence == fence) {
                    playing.reader = None;
                }
            }
            Item::Closed => inbox.is_closed = true,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl EngineEnd for RedisEngineEnd {
    fn say(&self, turn: Turn) {
        self.tell(turn.show, Order::Say(turn));
    }

    fn answer(&self, to: GatewayId, message: ToGateway) {
        if let Some(hosts) = &*lock(&self.hosts) {
            // Whoever sends them ends only after this.
            let _ = hosts.answers.send((to, message));
        }
    }

    async fn receive(&self, into: &mut Vec<Heard>) -> bool {
        let mut inbox = self.inbox.lock().await;
        for id in std::mem::take(&mut inbox.dealt_with) {
            let _ = inbox.done.send(id);
        }
        let (mut items, before) = (Vec::new(), into.len());
        while into.len() == before && !inbox.is_closed {
            inbox.items.recv_many(&mut items, TAKE).await;
            for item in items.drain(..) {
                self.sort(item, &mut inbox, into);
            }
        }
        !inbox.is_closed
    }

    async fn adopt(&self, show: ShowId, fence: Fence) -> Result<Left, BusError> {
        let keys = self.redis.keys();
        let mut connection = self.connection.clone();
        let mut look = pipe();
        look.hget(keys.lease(show), "fence");
        look.hmget(keys.said(show), &["records", "heard", "last"][..]).smembers(keys.audience(show));
        type Answer = (Option<u64>, (Option<u64>, Option<Vec<u8>>, Option<Vec<u8>>), BTreeSet<u32>);
        let (lease, (records, heard, last), audience): Answer =
            look.query_async(&mut connection).await.map_err(unavailable)?;
        match lease {
            Some(lease) if lease == fence.0 => {}
            Some(_) => return Err(BusError::Fenced),
            None => return Err(BusError::Unavailable("the show's lease is not there".into())),
        }
        let gateways = self.gateways.up(&mut connection, keys, audience).await.map_err(unavailable)?;
        let place = |bytes: Option<Vec<u8>>| match bytes.map(|bytes| entry::place(&bytes).ok_or(bytes)) {
            None => Ok(Place::default()),
            Some(place) => place.map_err(|bytes| {
                let odd = String::from_utf8_lossy(&bytes);
                BusError::Unavailable(format!("{odd:?} stands in Redis where a position in a stream should"))
            }),
        };
        let (heard, last) = (place(heard)?, place(last)?);
        let said = if last.0 == fence.0 { last.1 } else { 0 };
        self.play(show, fence, said, heard);
        Ok(Left { said: records, gateways })
    }

    fn let_go(&self, show: ShowId, is_over: bool) {
        if let Some((_, playing)) = self.playing.remove(&show) {
            let _ = playing.voice.send(Order::LetGo(is_over));
        }
    }

    async fn enter(
        &self,
        show: ShowId,
        code: &ShowCode,
        create: &CommandId,
        made_of: u64,
    ) -> Result<Entered, BusError> {
        self.directory.clone().enter(show, code, create, made_of).await.map_err(unavailable)
    }

    fn list(&self, line: ShowLine) {
        self.tell(line.show, Order::List(line));
    }

    async fn lines(&self) -> Result<Option<Vec<ShowLine>>, BusError> {
        self.directory.clone().lines().await.map(Some).map_err(unavailable)
    }

    fn last_failure(&self, show: ShowId) -> Option<Instant> {
        self.playing.get(&show)?.trouble.last()
    }

    fn crosses_a_network(&self) -> bool {
        true
    }
}
