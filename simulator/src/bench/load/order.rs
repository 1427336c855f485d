//! The messages between the bench and its load, as lines of JSON.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::Micros;

/// What the load is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Order {
    /// Players connect and, if there is a message for it, join.
    Connect(Connect),
    /// All of them go.
    Leave,
    /// All players wait for one question.
    AwaitQuestion,
    /// All players send this as fast as they can, and wait for the reply.
    Answer(String),
    /// Whatever comes is read, until nothing has come for this many milliseconds.
    Drain(u64),
    /// All players read for this many milliseconds, and answer pings.
    Listen(u64),
    /// All players send this once in `every` milliseconds, in turn, for `long` milliseconds.
    Beat {
        /// What is sent.
        text: String,
        /// How often, in milliseconds.
        every: u64,
        /// For how long, in milliseconds.
        long: u64,
    },
}

/// Where and how players connect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connect {
    /// The server.
    pub to: SocketAddr,
    /// How many they are.
    pub players: usize,
    /// What each of them sends first; the server's last message in reply is `you`. Nothing is sent to a server that knows no shows.
    pub join: Option<String>,
    /// The third number of their addresses: those of no two loads may be the same, or the ports run out.
    pub network: u8,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Reply {
    /// It is done.
    Done,
    /// All players received it.
    Arrivals(Arrivals),
    /// It could not be done.
    Failed(String),
}

/// When all players received something.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Arrivals {
    /// When the kernel had it for each, on this machine's clock, from the first to the last.
    pub at: Vec<Micros>,
    /// What the first one received.
    pub first: String,
}

impl Arrivals {
    /// From the first to the last.
    #[must_use]
    pub fn took(&self) -> Duration {
        let (first, last) = (self.at.first().copied().unwrap_or_default(), self.at.last().copied().unwrap_or_default());
        Duration::from_micros(last.0.saturating_sub(first.0))
    }
}
