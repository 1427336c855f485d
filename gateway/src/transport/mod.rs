//! The seam between sockets and what is made of them.
//!
//! A transport owns sockets, and one [`Shard`](crate::hub::Shard) for each of its threads. It tells the shard what happens, with
//! the time at which it happened, and the shard never waits, never reads a clock and never sees a socket:
//!
//! | the transport says | when |
//! | --- | --- |
//! | `opened` | a WebSocket handshake is done |
//! | `message`, `pinged`, `failed`, `leaving` | bytes were read and [`Wire`] made this of them; stamped with the read's time |
//! | `closed` | the socket is gone |
//! | `hear` | the link or another shard has something for this one |
//! | `work` | until it says that nothing is left; between two calls the transport reads what is readable |
//! | `flush_answers` | the readable sockets were read |
//! | `tick` | some ten times a second |
//!
//! After each of these, `take_dirty` names the connections that have bytes to write. The transport writes from their
//! [`Outbox`](crate::hub::Outbox) what the socket takes and reports it with `wrote`; `fate` says whether to close it. Writing
//! may as well be a submission whose completion calls `wrote`.

mod accept;
mod drain;
mod http;
pub(crate) mod tokio;
mod wire;

use std::fmt;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use klaxon_protocol::time::Millis;

use crate::hub::ForShard;
use crate::link::Clock;

pub(crate) use accept::{InCrowd, listen, run as take_sockets};
pub(crate) use http::Front;
pub(crate) use wire::{Fault, Heard, Wire};

/// What a shard's thread is handed.
pub(crate) enum Input {
    /// Something to hear.
    Hear(ForShard),
    /// A socket that was just accepted.
    Socket(TcpStream, InCrowd),
}

/// How far the gateway's life has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    Running,
    /// Nobody is let in, and all are sent away, to the others if there are any, by then.
    Draining {
        until: Instant,
        others: Arc<[String]>,
    },
    Stopped,
}

/// A reading of the server's clock, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub u64);

impl Moment {
    /// Reads the clock.
    pub fn now() -> Self {
        Self(Clock::of_process().micros())
    }

    /// The same for the protocol.
    pub const fn millis(self) -> Millis {
        Millis(self.0 / 1000)
    }
}

/// A connection's key: its shard, its slot there, and how often the slot was used before. No second socket gets the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ConnKey {
    pub shard: u8,
    /// Below 2^24.
    pub slot: u32,
    pub use_of_slot: u32,
}

impl ConnKey {
    /// The key as engines carry it.
    pub const fn to_wire(self) -> u64 {
        (self.use_of_slot as u64) << 32 | (self.slot as u64 & 0x00ff_ffff) << 8 | self.shard as u64
    }

    /// The key that an engine gave back.
    #[expect(clippy::cast_possible_truncation, reason = "each part is cut out of the whole")]
    pub const fn from_wire(wire: u64) -> Self {
        Self { shard: wire as u8, slot: (wire >> 8) as u32 & 0x00ff_ffff, use_of_slot: (wire >> 32) as u32 }
    }
}

/// The connection's name in logs, which its player knows as the session.
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
            ConnKey { shard: 0, slot: 0, use_of_slot: 0 },
            ConnKey { shard: 255, slot: 0x00ff_ffff, use_of_slot: u32::MAX },
            ConnKey { shard: 3, slot: 70_000, use_of_slot: 9 },
        ] {
            assert_eq!(ConnKey::from_wire(key.to_wire()), key);
        }
    }
}
