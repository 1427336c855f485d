//! What the engine said and is still to be done: each show's in its order, and the shows by turns, so that none waits until all
//! of another one's players are told.

use std::collections::{HashMap, VecDeque};

use klaxon_protocol::ids::ShowId;

use super::ForShard;
use super::audience::FanOut;

/// The shows of which something is to be done.
#[derive(Default)]
pub(super) struct Turns {
    lanes: HashMap<ShowId, Lane>,
    /// Whose turn is next. Each show that has a lane is here once.
    order: VecDeque<ShowId>,
}

/// What is to be done of one show.
#[derive(Default)]
pub(super) struct Lane {
    /// What is on its way through the room; the rest comes after it.
    pub fan_out: Option<FanOut>,
    pub queue: VecDeque<ForShard>,
}

impl Turns {
    /// There is more to be done of a show, after all that there was before.
    pub fn add(&mut self, show: ShowId, message: ForShard) {
        let lane = self.lanes.entry(show).or_insert_with(|| {
            self.order.push_back(show);
            Lane::default()
        });
        lane.queue.push_back(message);
    }

    /// The show whose turn it is. Its lane comes back with [`Self::end`].
    pub fn begin(&mut self) -> Option<(ShowId, Lane)> {
        let show = self.order.pop_front()?;
        Some((show, self.lanes.remove(&show).unwrap_or_default()))
    }

    /// A show's turn is over; if it has more to do, it has another after all others.
    pub fn end(&mut self, show: ShowId, lane: Lane) {
        if lane.fan_out.is_some() || !lane.queue.is_empty() {
            self.lanes.insert(show, lane);
            self.order.push_back(show);
        }
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Whether something is on its way through a show's room.
    pub fn pass_through(&self, show: ShowId) -> bool {
        self.lanes.get(&show).is_some_and(|lane| lane.fan_out.is_some())
    }
}
