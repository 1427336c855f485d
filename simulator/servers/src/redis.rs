//! A real `redis-server`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::{Server, Starting, local};
use crate::{Process, ServerError, free_port};

/// What a Redis keeps when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing.
    None,
    /// Every acknowledged write (append-only file).
    AppendOnly,
}

/// A Redis server that is started for a test or a demo.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
    /// Deleted with the server.
    _directory: TempDir,
}

impl Redis {
    /// Starts a server on a free port and waits until it answers.
    ///
    /// # Errors
    /// If `redis-server` is not installed, or does not start.
    pub async fn start(persistence: Persistence) -> Result<Self, ServerError> {
        let directory = tempfile::tempdir()?;
        let port = free_port()?;
        let appends = if persistence == Persistence::AppendOnly { "yes" } else { "no" };
        let arguments = [
            ["--port", &port.to_string()],
            ["--bind", "127.0.0.1"],
            ["--dir", &directory.path().display().to_string()],
            ["--save", ""],
            ["--appendonly", appends],
            ["--maxmemory-policy", "noeviction"],
        ];
        let arguments = arguments.iter().flatten().map(|&word| word.to_owned()).collect();
        let mut process = Process::start("redis-server", arguments, Vec::new(), &directory.path().join("log"))?;
        process.ready(async || answers(port).await).await?;
        Ok(Self { process, port, _directory: directory })
    }

    /// The server's URL, such as `redis://127.0.0.1:6379`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The server's process, to pause or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Restarts the server on the same port after it was killed, with the data that it kept.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_again(&mut self) -> Result<(), ServerError> {
        self.process.start_again()?;
        let port = self.port;
        self.process.ready(async || answers(port).await).await
    }
}

impl Server for Redis {
    fn name(&self) -> &str {
        "redis"
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        vec![local(self.port)]
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn start_again(&mut self) -> Starting<'_> {
        Box::pin(Self::start_again(self))
    }
}

/// Whether a Redis answers PONG on this port; while it loads its file it answers with an error.
pub(crate) async fn answers(port: u16) -> bool {
    matches!(ask(port, "PING").await, Ok(answer) if answer == "+PONG")
}

/// Sends a command to the Redis on this port. Returns the first line of the reply, or the text if the reply is one.
pub(crate) async fn ask(port: u16, command: &str) -> io::Result<String> {
    let ask = async {
        let mut stream = BufStream::new(TcpStream::connect(("127.0.0.1", port)).await?);
        stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        stream.flush().await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        if let Some(length) = answer.trim_end().strip_prefix('$').and_then(|length| length.parse().ok()) {
            let mut text = vec![0; length];
            stream.read_exact(&mut text).await?;
            answer = String::from_utf8_lossy(&text).into_owned();
        }
        Ok(answer.trim_end().to_owned())
    };
    timeout(Duration::from_secs(1), ask).await.unwrap_or_else(|late| Err(late.into()))
}
