//! Close barriers: the engine asks for every answer that was read before a close, and tallies when all shards have
//! handed in theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};

use klaxon_protocol::ids::{RoundId, ShowId};
use klaxon_protocol::link::ToEngine;

use super::Common;
use crate::transport::Timestamp;

/// A barrier of this gateway, shared by its shards.
///
/// A shard passes it when every socket has been read since the barrier arrived, and the answers have been sent to the
/// engine. Whether an answer was in time is decided by the kernel's receive time, however long reading all sockets
/// takes.
pub struct Barrier {
    show: ShowId,
    round: RoundId,
    shards_left: AtomicUsize,
}

impl Barrier {
    /// A barrier that `shards` shards have to pass.
    pub const fn new(show: ShowId, round: RoundId, shards: usize) -> Self {
        Self { show, round, shards_left: AtomicUsize::new(shards) }
    }

    /// Counts a shard that has sent its answers. The last shard reports to the engine, after the answers of all shards.
    fn pass(&self, common: &Common) {
        if self.shards_left.fetch_sub(1, AcqRel) == 1 {
            let (gateway, show, round) = (common.gateway, self.show, self.round);
            common.router.to_engine(ToEngine::BarrierPassed { gateway, show, round });
        }
    }
}

/// The barriers that one shard has not passed yet. The engine has one per show at a time.
#[derive(Default)]
pub(super) struct Barriers(Vec<PendingBarrier>);

struct PendingBarrier {
    barrier: Arc<Barrier>,
    arrived: Timestamp,
}

impl Barriers {
    /// Adds a barrier that arrived.
    pub fn add(&mut self, barrier: Arc<Barrier>, now: Timestamp) {
        self.0.push(PendingBarrier { barrier, arrived: now });
    }

    /// The number of pending barriers.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is pending.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether [`Self::pass`] would pass any barrier: then the shard's answers have to be sent first.
    pub fn can_pass(&self, read_to: Timestamp) -> bool {
        self.0.iter().any(|pending| pending.arrived < read_to)
    }

    /// Passes the barriers that arrived before `read_to`: what sockets had received by then has been read.
    pub fn pass(&mut self, read_to: Timestamp, common: &Common) {
        self.0.retain(|pending| {
            let waits = pending.arrived >= read_to;
            if !waits {
                pending.barrier.pass(common);
            }
            waits
        });
    }
}
