//! The load: many players in a process of its own, on a core of its own, that cost as little as possible. The bench starts it and
//! tells it by lines of JSON what to do.

mod handle;
mod players;

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::evidence::Micros;
use serde::{Deserialize, Serialize};

pub use handle::{Load, LoadError};
use players::Players;

/// What the load is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Order {
    /// Players connect and, if there is something to say, join.
    Connect(Connect),
    /// All of them go.
    Leave,
    /// Everybody waits for one question.
    HearQuestion,
    /// Everybody says this as fast as they can, and waits for the reply.
    Answer(String),
    /// Whatever comes is read, until nothing has come for so many milliseconds.
    Drain(u64),
    /// Everybody listens for so many milliseconds, and answers pings.
    Listen(u64),
    /// Everybody says this once in `every` milliseconds, in turn, for `long` milliseconds.
    Beat {
        /// What is said.
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
    /// What each of them says first; the server's last word to that is `you`. Nothing is said to a server that knows no shows.
    pub join: Option<String>,
    /// The third number of their addresses: those of no two loads may be the same, or the ports run out.
    pub network: u8,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    /// It is done.
    Done,
    /// Everybody heard it.
    Heard(Heard),
    /// It could not be done.
    Failed(String),
}

/// When everybody heard something.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Heard {
    /// When the kernel had it for each, on this machine's clock, from the first to the last.
    pub at: Vec<Micros>,
    /// What the first one heard.
    pub first: String,
}

impl Heard {
    /// From the first to the last.
    #[must_use]
    pub fn took(&self) -> Duration {
        let (first, last) = (self.at.first().copied().unwrap_or_default(), self.at.last().copied().unwrap_or_default());
        Duration::from_micros(last.0.saturating_sub(first.0))
    }
}

/// Does what the lines on the standard input say, until there are no more.
///
/// # Errors
/// If whoever gives the orders is gone.
pub fn obey() -> io::Result<()> {
    let mut players = Players::new()?;
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        let outcome = match act(&mut players, order) {
            Ok(Some(heard)) => Outcome::Heard(heard),
            Ok(None) => Outcome::Done,
            Err(error) => Outcome::Failed(error.to_string()),
        };
        let mut line = serde_json::to_vec(&outcome)?;
        line.push(b'\n');
        out.write_all(&line)?;
        out.flush()?;
    }
    Ok(())
}

fn act(players: &mut Players, order: Order) -> io::Result<Option<Heard>> {
    match order {
        Order::Connect(connect) => players.connect(&connect)?,
        Order::Leave => players.leave()?,
        Order::HearQuestion => return players.hear_question().map(Some),
        Order::Answer(text) => return players.answer(text).map(Some),
        Order::Drain(quiet) => players.drain(Duration::from_millis(quiet))?,
        Order::Listen(long) => players.listen(Duration::from_millis(long))?,
        Order::Beat { text, every, long } => {
            players.beat(text, Duration::from_millis(every), Duration::from_millis(long))?;
        }
    }
    Ok(None)
}
