//! Sockets: accepting, reading and writing, by io_uring or epoll.
//!
//! The [`ConnectionHandler`] separates sockets from the meaning of messages: it processes bytes, and has no socket. A
//! reactor drives it with its own sockets, by io_uring or by readiness (epoll).

mod accept;
mod backlog;
#[cfg(test)]
mod contract;
mod drain;
mod driver;
mod epoll;
mod handler;
mod http;
mod mailbox;
mod outbox;
mod reactor;
mod receive_time;
mod selection;
mod slots;
mod sockets;
mod uring;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use klaxon_protocol::time::Millis;

use crate::link::Clock;

pub use accept::listen;
pub use backlog::MAX_BACKLOG;
pub use drain::Drain;
pub use handler::{ConnectionHandler, Payload, SocketAction};
pub use outbox::Outbox;
pub use selection::Transport;
pub use sockets::{ReactorHandle, ReactorPool, Sockets};
pub(crate) use wire::MOST_ON_WIRE;
pub use wire::{Fault, Inbound, Wire};

use http::{HttpState, Upgraded};

/// What `benches/uring` measures beside other ways of doing it. For nothing else.
#[doc(hidden)]
pub mod measured {
    pub use super::Stage;
    pub use super::accept::{CountedConnection, run as accept};
    pub use super::http::{HttpState, Upgraded, serve};
    pub use super::uring::ring::{Done, Ring};
}

/// The limits of a listener's sockets.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at one time; more are refused with `no_capacity`.
    pub connections: usize,
    /// Bytes of one message; a client that sends a longer one is disconnected.
    pub message: u32,
}

/// The stages of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Connections are accepted.
    Running,
    /// New connections are refused, and all others are closed by a deadline; their clients are sent to other gateways
    /// if there are any.
    Draining {
        /// When those that are left are closed.
        until: Instant,
        /// The URLs of the other gateways.
        others: Arc<[String]>,
    },
    /// All threads end.
    Stopped,
}

/// A reading of the server's clock, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Reads the clock.
    #[must_use]
    pub fn now() -> Self {
        Self(Clock::of_process().micros())
    }

    /// The time in the protocol's milliseconds.
    #[must_use]
    pub const fn millis(self) -> Millis {
        Millis(self.0 / 1000)
    }

    /// Half way to another reading.
    #[must_use]
    pub const fn middle(self, other: Self) -> Self {
        Self(self.0.midpoint(other.0))
    }
}

/// A connection's key: its shard, its slot there, and how often the slot was used before. Keys are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnKey {
    /// The number of the shard.
    pub shard: u8,
    /// Below 2^24.
    pub slot: u32,
    /// Distinguishes the connections that have used the slot.
    pub generation: u32,
}

impl ConnKey {
    /// The key as a number, for engines, which only return it.
    #[must_use]
    pub const fn to_wire(self) -> u64 {
        (self.generation as u64) << 32 | (self.slot as u64 & 0x00ff_ffff) << 8 | self.shard as u64
    }

    /// The key for a number that an engine returned.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "each part is cut out of the whole")]
    pub const fn from_wire(wire: u64) -> Self {
        Self { shard: wire as u8, slot: (wire >> 8) as u32 & 0x00ff_ffff, generation: (wire >> 32) as u32 }
    }
}

/// The connection's id in logs, which its client receives as `session`.
impl fmt::Display for ConnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.to_wire())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_the_engine_as_it_went() {
        for key in [
            ConnKey { shard: 0, slot: 0, generation: 0 },
            ConnKey { shard: 255, slot: 0x00ff_ffff, generation: u32::MAX },
            ConnKey { shard: 3, slot: 70_000, generation: 9 },
        ] {
            assert_eq!(ConnKey::from_wire(key.to_wire()), key);
        }
    }
}
