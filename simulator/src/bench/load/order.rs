//! The messages between the bench and its load, as lines of JSON.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::evidence::Micros;

/// An order to the load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Order {
    /// Connect players and, if there is a message for it, let them join.
    Connect(Connect),
    /// Disconnect all players.
    Leave,
    /// Wait until all players have received one question.
    AwaitQuestion,
    /// Send this from all players as fast as possible, and wait for the replies.
    Answer(String),
    /// Read until nothing has been received for this many milliseconds.
    Drain(u64),
    /// Read for this many milliseconds, and answer pings.
    Listen(u64),
    /// Send this from each player once in `every` milliseconds, evenly spread, for `long` milliseconds.
    Beat {
        /// The message.
        text: String,
        /// The interval per player, in milliseconds.
        every: u64,
        /// The duration, in milliseconds.
        long: u64,
    },
}

/// Where and how players connect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connect {
    /// The server's address.
    pub to: SocketAddr,
    /// The number of players.
    pub players: usize,
    /// The first message of each player; the server's last message in reply is `you`. None for servers without shows.
    pub join: Option<String>,
    /// The third byte of the players' addresses. It must be different for each load, or the ports are exhausted.
    pub network: u8,
}

/// The result of an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Reply {
    /// The order was carried out.
    Done,
    /// All players received the message.
    Arrivals(Arrivals),
    /// The order failed, for this reason.
    Failed(String),
}

/// When all players received a message.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Arrivals {
    /// When the kernel received each player's message, on this machine's clock, in ascending order.
    pub at: Vec<Micros>,
    /// The message that the first player received.
    pub first: String,
}

impl Arrivals {
    /// The time from the first to the last.
    #[must_use]
    pub fn took(&self) -> Duration {
        let (first, last) = (self.at.first().copied().unwrap_or_default(), self.at.last().copied().unwrap_or_default());
        Duration::from_micros(last.0.saturating_sub(first.0))
    }
}
