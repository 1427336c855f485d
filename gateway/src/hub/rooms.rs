//! A show's connections in one shard, and fan-outs to them.

use std::collections::HashMap;
use std::sync::Arc;

use klaxon_protocol::ids::{Seq, ShowId};
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::player::Phase;
use slab::Slab;

use super::ToShard;
use super::census::Count;
use super::conn::Conn;
use super::figures::ShowFigures;
use super::frame::EncodedEvent;
use crate::transport::ConnKey;

/// One show's connections in this shard.
pub(super) struct Room {
    pub figures: Arc<ShowFigures>,
    /// Connections that have joined, displaced ones included.
    pub connections: usize,
    /// Whether a round is open.
    pub open: bool,
    /// Whether no round has begun yet: until then disconnects are reported to the engine.
    pub in_lobby: bool,
    /// The connections that are sent the events. Closed connections are removed when a fan-out reaches them.
    pub members: Vec<ConnKey>,
}

/// A fan-out to all members of a room, done in pieces.
pub(super) struct FanOut {
    pub content: Content,
    /// The index of the next member.
    pub next: usize,
}

/// What a fan-out does for each member.
pub(super) enum Content {
    /// Sends an event.
    Event(Arc<EncodedEvent>),
    /// Compares the last event that the member was sent with the show's last event.
    LastSeq(Seq),
    /// Counts the member.
    Census(Count),
}

impl Content {
    /// The content of a message to all members; other messages are returned as the error.
    pub fn of(message: ToShard) -> Result<Self, ToShard> {
        match message {
            ToShard::Event(_, event) => Ok(Self::Event(event)),
            ToShard::Census(census) => Ok(Self::Census(Count::of(census))),
            ToShard::Engine(ref engine) => match &**engine {
                ToGateway::Said { seq, .. } => Ok(Self::LastSeq(*seq)),
                _ => Err(message),
            },
            other => Err(other),
        }
    }
}

impl FanOut {
    /// A fan-out that begins at the first member.
    pub const fn new(content: Content) -> Self {
        Self { content, next: 0 }
    }
}

/// The rooms of a shard.
#[derive(Default)]
pub(super) struct Rooms(HashMap<ShowId, Room>);

impl Rooms {
    /// The show's room, if it has connections here.
    pub fn get(&self, show: ShowId) -> Option<&Room> {
        self.0.get(&show)
    }

    /// The show's room, mutable, if it has connections here.
    pub fn get_mut(&mut self, show: ShowId) -> Option<&mut Room> {
        self.0.get_mut(&show)
    }

    /// Adds a connection that joins a show in this phase.
    pub fn enter(&mut self, show: ShowId, key: ConnKey, phase: Phase, figures: impl FnOnce() -> Arc<ShowFigures>) {
        let room = self.0.entry(show).or_insert_with(|| Room {
            figures: figures(),
            connections: 0,
            open: false,
            in_lobby: true,
            members: Vec::new(),
        });
        room.open |= phase.is_open();
        room.in_lobby &= phase.is_lobby();
        room.members.push(key);
        room.connections += 1;
        room.figures.connected();
    }

    /// Counts a connection that left a show.
    pub fn leave(&mut self, show: ShowId) {
        if let Some(room) = self.0.get_mut(&show) {
            room.connections -= 1;
            room.figures.disconnected();
        }
    }

    /// Whether a round is open in any show.
    pub fn any_open(&self) -> bool {
        self.0.values().any(|room| room.open)
    }

    /// Removes empty rooms. Removes closed members from a room once they are as many as the open ones.
    pub fn sweep(&mut self, conns: &Slab<Conn>, has_fan_out: impl Fn(ShowId) -> bool) {
        // A displaced connection can still send reactions, so it keeps the room.
        self.0.retain(|_, room| room.connections > 0);
        for (show, room) in &mut self.0 {
            // A fan-out in progress refers to members by index.
            if room.members.len() <= 2 * room.connections || has_fan_out(*show) {
                continue;
            }
            room.members.retain(|key| conns.get(key.slot as usize).is_some_and(|conn| conn.key == *key));
            room.members.shrink_to(2 * room.connections);
        }
    }
}
