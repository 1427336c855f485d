//! A show's connections in one shard, and the messages on their way to them.

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
    /// Whether no round was begun yet: until then the engine needs to know who disconnects.
    pub in_lobby: bool,
    /// Who is sent the events. Members that disconnected are removed when a fan-out comes to them.
    pub members: Vec<ConnKey>,
}

/// A message on its way to all members of a room, in pieces.
pub(super) struct FanOut {
    pub content: Content,
    /// The index of the next member.
    pub next: usize,
}

/// What a fan-out does at each member.
pub(super) enum Content {
    /// Sends an event.
    Event(Arc<EncodedEvent>),
    /// Compares what the member was sent with the show's last event.
    LastSeq(Seq),
    /// Counts the member.
    Census(Count),
}

impl Content {
    /// What goes to all members; gives back a message that does not.
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
    /// From the first member on.
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

    /// The same to change it.
    pub fn get_mut(&mut self, show: ShowId) -> Option<&mut Room> {
        self.0.get_mut(&show)
    }

    /// A connection joins a show in this phase.
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

    /// A connection left a show.
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

    /// Removes empty rooms, and members that are gone from the others once those are as many as the ones that are not.
    pub fn sweep(&mut self, conns: &Slab<Conn>, has_fan_out: impl Fn(ShowId) -> bool) {
        // A displaced connection's reactions still count for its show, so it keeps the room.
        self.0.retain(|_, room| room.connections > 0);
        for (show, room) in &mut self.0 {
            // A fan-out in progress knows members by their index.
            if room.members.len() <= 2 * room.connections || has_fan_out(*show) {
                continue;
            }
            room.members.retain(|key| conns.get(key.slot as usize).is_some_and(|conn| conn.key == *key));
            room.members.shrink_to(2 * room.connections);
        }
    }
}
