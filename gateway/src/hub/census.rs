//! A census of a show's players at this gateway, for an engine that does not know which players are connected.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};

use klaxon_protocol::ids::{SeatRef, ShowId};
use klaxon_protocol::link::{Present, ToEngine};

use super::Common;
use crate::transport::ConnKey;

/// A census, shared by the shards.
pub struct Census {
    show: ShowId,
    number: u32,
    shards_left: AtomicUsize,
}

impl Census {
    /// A census in which `shards` shards take part.
    pub const fn new(show: ShowId, number: u32, shards: usize) -> Self {
        Self { show, number, shards_left: AtomicUsize::new(shards) }
    }

    pub const fn show(&self) -> ShowId {
        self.show
    }
}

/// The players that a shard has found so far.
pub(super) struct Count {
    census: Arc<Census>,
    players: Vec<(SeatRef, u64)>,
}

impl Count {
    pub const fn of(census: Arc<Census>) -> Self {
        Self { census, players: Vec::new() }
    }

    /// Adds a player's connection that receives the events.
    pub fn add(&mut self, seat: SeatRef, conn: ConnKey) {
        self.players.push((seat, conn.to_wire()));
    }

    /// Reports the counted players to the engine, before any of them can disconnect. `is_over`: the shard has no more.
    pub fn hand_in(&mut self, common: &Common, is_over: bool) {
        let send = |players, is_last| {
            let (gateway, show, census) = (common.gateway, self.census.show, self.census.number);
            common.router.to_engine(ToEngine::Present(Present { gateway, show, census, players, is_last }));
        };
        if !self.players.is_empty() {
            send(std::mem::take(&mut self.players), false);
        }
        // The last shard ends the census, after the reports of all others.
        if is_over && self.census.shards_left.fetch_sub(1, AcqRel) == 1 {
            send(Vec::new(), true);
        }
    }
}
