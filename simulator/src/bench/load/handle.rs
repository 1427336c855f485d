//! The bench's handle of a load: a process that carries out orders, and is killed with the bench.

use std::io;
use std::process::Stdio;

use klaxon_servers::ending_with_us;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Duration, timeout};

use super::order::{Arrivals, Connect, Order, Reply};

/// The time limit of an order, except heartbeats.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why the load could not carry out an order.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The process could not be started, or has ended.
    #[error("the load: {0}")]
    Process(#[from] io::Error),
    /// The load reported this failure.
    #[error("the load: {0}")]
    Failed(String),
    /// The order was not completed in time.
    #[error("the load was not done with {0} in time")]
    Late(String),
}

/// A load's process. It is killed when dropped.
#[derive(Debug)]
pub struct Load {
    _child: Child,
    orders: ChildStdin,
    outcomes: Lines<BufReader<ChildStdout>>,
}

impl Load {
    /// Starts the load, with this same program; on this core, if one is given.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start(core: Option<usize>) -> Result<Self, LoadError> {
        let mut command = Command::from(ending_with_us(std::env::current_exe()?));
        command.arg("load");
        if let Some(core) = core {
            command.arg("--core").arg(core.to_string());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (Some(orders), Some(outcomes)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        Ok(Self { _child: child, orders, outcomes: BufReader::new(outcomes).lines() })
    }

    /// Connects players, and lets them join.
    ///
    /// # Errors
    /// If not all of them could.
    pub async fn connect(&mut self, connect: Connect) -> Result<(), LoadError> {
        self.tell(&Order::Connect(connect)).await?;
        self.done().await.map(drop)
    }

    /// Disconnects all players.
    ///
    /// # Errors
    /// If the load fails.
    pub async fn leave(&mut self) -> Result<(), LoadError> {
        self.tell(&Order::Leave).await?;
        self.done().await.map(drop)
    }

    /// Makes all players wait for one question: [`Self::received`] returns when they received it.
    ///
    /// # Errors
    /// If the load's process has ended.
    pub async fn listen(&mut self) -> Result<(), LoadError> {
        self.tell(&Order::AwaitQuestion).await
    }

    /// Sends an answer from all players; returns when the replies were received.
    ///
    /// # Errors
    /// If a reply is missing.
    pub async fn answer(&mut self, text: String) -> Result<Arrivals, LoadError> {
        self.tell(&Order::Answer(text)).await?;
        self.received().await
    }

    /// Reads until nothing has been received for `quiet`.
    ///
    /// # Errors
    /// If a player lost its connection.
    pub async fn drain(&mut self, quiet: Duration) -> Result<(), LoadError> {
        self.tell(&Order::Drain(millis(quiet))).await?;
        self.done().await.map(drop)
    }

    /// Sends `text` from each player at the interval `every`, during `long`.
    ///
    /// # Errors
    /// If a player lost its connection.
    pub async fn beat(&mut self, text: String, every: Duration, long: Duration) -> Result<(), LoadError> {
        self.tell(&Order::Beat { text, every: millis(every), long: millis(long) }).await?;
        self.within(long + PATIENCE).await.map(drop)
    }

    /// Reads on all connections during `long`, and answers pings.
    ///
    /// # Errors
    /// If a player lost its connection.
    pub async fn answer_pings(&mut self, long: Duration) -> Result<(), LoadError> {
        self.tell(&Order::Listen(millis(long))).await?;
        self.within(long + PATIENCE).await.map(drop)
    }

    /// When all players received the awaited message.
    ///
    /// # Errors
    /// If a player did not receive it.
    pub async fn received(&mut self) -> Result<Arrivals, LoadError> {
        Ok(self.done().await?.unwrap_or_default())
    }

    async fn tell(&mut self, order: &Order) -> Result<(), LoadError> {
        let mut line = serde_json::to_vec(order).map_err(io::Error::from)?;
        line.push(b'\n');
        self.orders.write_all(&line).await?;
        Ok(self.orders.flush().await?)
    }

    async fn done(&mut self) -> Result<Option<Arrivals>, LoadError> {
        self.within(PATIENCE).await
    }

    async fn within(&mut self, patience: Duration) -> Result<Option<Arrivals>, LoadError> {
        let line = timeout(patience, self.outcomes.next_line()).await;
        let line = line.map_err(|_| LoadError::Late("an order".into()))??;
        let line = line.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        match serde_json::from_str(&line).map_err(io::Error::from)? {
            Reply::Done => Ok(None),
            Reply::Arrivals(received) => Ok(Some(received)),
            Reply::Failed(why) => Err(LoadError::Failed(why)),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
