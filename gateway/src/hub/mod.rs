//! The hub: the connections in their shards, and the fan-out of what engines publish.
//!
//! A [`Shard`] is a state machine that a reactor drives (see [`crate::transport`]). What all shards share is in [`Common`]; what other
//! threads send to a shard is a [`ToShard`].

mod barriers;
mod census;
mod conn;
mod deadlines;
mod fair_queue;
mod figures;
mod frame;
mod liveness;
mod metrics;
mod pending_joins;
mod players;
mod rooms;
mod shard;
#[cfg(test)]
mod tests;
mod timer_wheel;
mod timers;
mod unreplied;

use std::sync::Arc;

use klaxon_protocol::ids::{GatewayId, ShowId};
use klaxon_protocol::link::{ToEngine, ToGateway};

use crate::intake::RateLimit;
use crate::link::Random;
use crate::session::{Admission, Origins};
use crate::settings::GatewaySettings;
use crate::transport::ConnKey;

pub(crate) use barriers::Barrier;
pub(crate) use census::Census;
pub(crate) use figures::AllFigures;
pub use frame::EncodedEvent;
pub(crate) use pending_joins::PendingJoins;
pub use players::Players;
pub use shard::Shard;

/// Where a shard sends messages. Nothing here blocks.
pub trait Router: Send + Sync {
    /// Publishes a message to the engines.
    fn to_engine(&self, message: ToEngine);
    /// Sends a message to a shard of this gateway, which may be the sender.
    fn to_shard(&self, shard: u8, message: ToShard);
}

/// What all shards of a gateway share.
pub struct Common {
    pub(crate) settings: GatewaySettings,
    /// How many shards the gateway has.
    pub(crate) shards: usize,
    pub(crate) gateway: GatewayId,
    pub(crate) router: Arc<dyn Router>,
    pub(crate) admission: Admission,
    pub(crate) origins: Origins,
    pub(crate) rate_limit: RateLimit,
    pub(crate) players: Players,
    pub(crate) pending_joins: PendingJoins,
    pub(crate) figures: AllFigures,
}

impl Common {
    /// The state for these settings.
    #[must_use]
    pub fn new(settings: GatewaySettings, gateway: GatewayId, router: Arc<dyn Router>, random: Random) -> Self {
        Self {
            gateway,
            router,
            admission: Admission::new(
                settings.auth.clone(),
                settings.players.reserved_names.clone(),
                &settings.secret,
                random,
            ),
            origins: Origins::new(&settings.secret),
            rate_limit: RateLimit::new(&settings),
            players: Players::default(),
            pending_joins: PendingJoins::default(),
            figures: AllFigures::default(),
            shards: settings.players.shards(),
            settings,
        }
    }
}

/// A message to a shard.
pub enum ToShard {
    /// A message of an engine, unchanged: for one connection of this shard, or for seats of a show.
    Engine(Arc<ToGateway>),
    /// An event for all of a show's connections.
    Event(ShowId, Arc<EncodedEvent>),
    /// Send all answers that were read to the engine.
    Barrier(Arc<Barrier>),
    /// Send the engine the seats that have a connection here.
    Census(Arc<Census>),
    /// A newer connection of the player gets the events.
    Displace(ConnKey),
    /// Close this connection, as the player has too many newer ones.
    Evict(ConnKey),
}

impl ToShard {
    /// The show in whose order the message is processed. None if it is processed on arrival: barriers, and messages for
    /// one connection that are independent of the show's other messages.
    fn show(&self) -> Option<ShowId> {
        match self {
            Self::Event(show, _) => Some(*show),
            Self::Census(census) => Some(census.show()),
            Self::Engine(message) => match &**message {
                ToGateway::Seated(seated) => Some(seated.show),
                ToGateway::Resynced(resynced) => Some(resynced.show),
                ToGateway::Dismiss { show, .. } | ToGateway::Moved { show, .. } | ToGateway::Said { show, .. } => {
                    Some(*show)
                }
                _ => None,
            },
            Self::Barrier(_) | Self::Displace(_) | Self::Evict(_) => None,
        }
    }
}

impl From<ToGateway> for ToShard {
    fn from(message: ToGateway) -> Self {
        Self::Engine(Arc::new(message))
    }
}
