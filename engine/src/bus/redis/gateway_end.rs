//! A gateway's end of the bus over Redis.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use klaxon_protocol::ids::{GatewayId, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};
use redis::RedisError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::attending::hear_answers;
use super::orders::Order;
use super::sending::{Ends, Sender};
use super::{Steering, Task, registry};
use crate::bus::GatewayEnd;
use crate::clock::Clock;
use crate::redis::{Connection, Redis};

/// How many messages one `receive` takes at most, but for the last entries'.
const TAKE: usize = 1024;
/// So many reads wait for the gateway; then the streams do.
const WAITING: usize = 64;
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(5);

/// A gateway's end of the bus over Redis. A gateway that is not closed before it is dropped is like one that died: engines notice
/// it two seconds later.
pub struct RedisGatewayEnd {
    id: GatewayId,
    redis: Redis,
    connection: Connection,
    orders: mpsc::UnboundedSender<Order>,
    inbox: tokio::sync::Mutex<Inbox>,
    others: Arc<Mutex<Vec<String>>>,
    steering: Steering,
    closing: watch::Sender<bool>,
    /// None once it is closed.
    registering: Mutex<Option<Task>>,
    _beside: [Task; 2],
}

struct Inbox {
    said: mpsc::Receiver<Vec<ToGateway>>,
    refused: mpsc::UnboundedReceiver<ToGateway>,
    is_closed: watch::Receiver<bool>,
}

impl RedisGatewayEnd {
    /// Connects a gateway that players reach at `public_url`, if they do. No two gateways that run have the same id.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn connect(redis: &Redis, id: GatewayId, public_url: Option<String>) -> Result<Self, RedisError> {
        let connection = redis.connect().await?;
        let steering = Steering::start(redis, Clock::of_process()).await?;
        let url = public_url.unwrap_or_default();
        let others = registry::register(&connection, redis.keys(), id, &url).await?;
        let others = Arc::new(Mutex::new(others));
        let (orders, told) = mpsc::unbounded_channel();
        let (said, hears) = mpsc::channel(WAITING);
        let (refused, refusals) = mpsc::unbounded_channel();
        let sender = Sender::new(Ends {
            redis: redis.clone(),
            connection: connection.clone(),
            gateway: id,
            orders: orders.clone(),
            said: said.clone(),
            refused,
            uncertainty: steering.told(),
        });
        let (closing, is_closed) = watch::channel(false);
        let registering = Task::spawn(register(redis.clone(), connection.clone(), id, url, Arc::clone(&others)));
        let beside = [Task::spawn(sender.run(told)), Task::spawn(hear_answers(redis.clone(), id, said))];
        Ok(Self {
            id,
            redis: redis.clone(),
            connection,
            orders,
            inbox: tokio::sync::Mutex::new(Inbox { said: hears, refused: refusals, is_closed }),
            others,
            steering,
            closing,
            registering: Mutex::new(Some(registering)),
            _beside: beside,
        })
    }
    /// Where players reach the other gateways that are up.
    #[must_use]
    pub fn others(&self) -> Vec<String> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How wrong this process's stamps may be, in microseconds either way.
    #[must_use]
    pub fn clock_uncertainty(&self) -> u32 {
        self.steering.uncertainty()
    }

    /// Leaves the bus, after all that was sent is with Redis: no barrier waits for this gateway any more. `receive` says then that
    /// nothing comes. If Redis is away, what was sent is lost after five seconds.
    pub async fn close(&self) {
        drop(self.registering.lock().unwrap_or_else(PoisonError::into_inner).take());
        let (closed, done) = oneshot::channel();
        let leaving = async {
            // If the sender is gone, it was closed before.
            if self.orders.send(Order::Close(closed)).is_ok() {
                let _ = done.await;
            }
            registry::leave(&mut self.connection.clone(), self.redis.keys(), self.id).await
        };
        match timeout(LEAVING, leaving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the gateway could not leave; it is missed in a moment"),
            Err(_) => tracing::warn!("the gateway could not leave in time; it is missed in a moment"),
        }
        self.closing.send_replace(true);
    }

    fn tell(&self, order: Order) {
        // A gateway that left says nothing more.
        let _ = self.orders.send(order);
    }
}

/// Says that the gateway is up, again and again.
async fn register(redis: Redis, connection: Connection, id: GatewayId, url: String, others: Arc<Mutex<Vec<String>>>) {
    let mut turns = interval(registry::SAY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        match registry::register(&connection, redis.keys(), id, &url).await {
            Ok(now) => *others.lock().unwrap_or_else(PoisonError::into_inner) = now,
            Err(error) => tracing::debug!(%error, "the gateway can't say that it is up; trying again"),
        }
    }
}

#[async_trait]
impl GatewayEnd for RedisGatewayEnd {
    fn send(&self, message: ToEngine) {
        self.tell(Order::Send(message));
    }

    fn attend(&self, show: ShowId) {
        self.tell(Order::Attend(show));
    }

    fn attend_only(&self, shows: &BTreeSet<ShowId>) {
        self.tell(Order::AttendOnly(shows.clone()));
    }

    fn crosses_a_network(&self) -> bool {
        true
    }

    async fn receive(&self, into: &mut Vec<ToGateway>) -> bool {
        let mut inbox = self.inbox.lock().await;
        let Inbox { said, refused, is_closed } = &mut *inbox;
        let before = into.len();
        while into.len() == before {
            tokio::select! {
                biased;
                Some(refusal) = refused.recv() => into.push(refusal),
                Some(messages) = said.recv() => into.extend(messages),
                _ = is_closed.wait_for(|closed| *closed) => return false,
            }
        }
        while into.len() < TAKE
            && let Ok(messages) = said.try_recv()
        {
            into.extend(messages);
        }
        true
    }

    fn id(&self) -> GatewayId {
        self.id
    }
}
