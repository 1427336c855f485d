//! The hub: connections in shards, and what the engine says on its way to them.
//!
//! A [`Shard`] is a state machine that a transport drives (see [`crate::transport`]). What all shards have in common is in
//! [`Common`]; what the world outside tells a shard is a [`ForShard`].

mod agenda;
mod arrivals;
mod audience;
mod census;
mod conn;
mod counts;
mod crew;
mod farewell;
mod figures;
pub(crate) mod frame;
mod incoming;
mod liveness;
mod patience;
mod players;
mod shard;
#[cfg(test)]
mod tests;
mod turns;
mod unreplied;
mod wheel;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::ids::{GatewayId, QuestionId, SeatRef, Seq, ShowId};
use klaxon_protocol::link::{Reply, Resynced, Seated, ToEngine};

use crate::intake::Pace;
use crate::session::{Doors, Origins};
use crate::settings::GatewaySettings;
use crate::transport::ConnKey;

pub(crate) use arrivals::Arrivals;
pub(crate) use census::Census;
pub(crate) use counts::describe;
pub(crate) use figures::AllFigures;
pub(crate) use frame::Event;
pub(crate) use players::Players;
pub(crate) use shard::Shard;

/// What a shard can reach beyond its own connections. Nothing here waits.
pub(crate) trait Outside: Send + Sync {
    /// Hands a message to the engine.
    fn engine(&self, message: ToEngine);
    /// Hands something to a shard of this gateway, which may be the sender.
    fn shard(&self, shard: u8, message: ForShard);
}

/// What all shards of a gateway have in common.
pub(crate) struct Common {
    pub settings: GatewaySettings,
    pub gateway: GatewayId,
    pub outside: Arc<dyn Outside>,
    pub doors: Doors,
    pub origins: Origins,
    pub pace: Pace,
    pub players: Players,
    pub arrivals: Arrivals,
    pub figures: AllFigures,
}

impl Common {
    /// What these settings make.
    pub fn new(settings: GatewaySettings, gateway: GatewayId, outside: Arc<dyn Outside>) -> Self {
        Self {
            gateway,
            outside,
            doors: Doors::new(settings.auth.clone(), settings.reserved_names.clone(), &settings.secret),
            origins: Origins::new(&settings.secret),
            pace: Pace::new(&settings),
            players: Players::default(),
            arrivals: Arrivals::default(),
            figures: AllFigures::default(),
            settings,
        }
    }
}

/// What a shard is told.
pub(crate) enum ForShard {
    /// A connection is in.
    Seated(Box<Seated>),
    /// A connection gets the snapshot that it asked for.
    Resynced(Box<Resynced>),
    /// A connection is not in.
    JoinRefused(ConnKey, ErrorMessage),
    /// What became of answers.
    Replies(ShowId, Vec<Reply>),
    /// An event for all of a show's connections.
    Event(ShowId, Arc<Event>),
    /// Hand in what was read.
    Barrier(Arc<Barrier>),
    /// Close a player's connections.
    Dismiss(ShowId, SeatRef, ErrorCode),
    /// A newer connection has the display.
    Displace(ConnKey),
    /// The player has newer connections enough.
    Evict(ConnKey),
    /// These players have the display elsewhere.
    Moved(ShowId, Arc<[SeatRef]>),
    /// Say whose connections are here.
    Census(Arc<Census>),
    /// The last event that was said: whoever has not heard it missed it.
    Said(ShowId, Seq),
}

/// A close barrier on its way through the shards.
///
/// A shard passes it after it has read all that was in its sockets when it heard of the barrier, and handed that to the engine: an
/// answer that the kernel had before the close counts by the kernel's own time, however long reading all of them takes.
pub(crate) struct Barrier {
    show: ShowId,
    question: QuestionId,
    shards_left: AtomicUsize,
}

impl Barrier {
    /// A barrier that so many shards have to pass.
    pub const fn new(show: ShowId, question: QuestionId, shards: usize) -> Self {
        Self { show, question, shards_left: AtomicUsize::new(shards) }
    }

    /// One more shard has handed in all it had. The last one tells the engine, after all that the others handed in.
    fn pass(&self, common: &Common) {
        if self.shards_left.fetch_sub(1, AcqRel) == 1 {
            let (gateway, show, question) = (common.gateway, self.show, self.question);
            common.outside.engine(ToEngine::BarrierPassed { gateway, show, question });
        }
    }
}
