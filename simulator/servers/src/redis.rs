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

/// What a Redis that was killed knows when it is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing.
    None,
    /// Everything it had acknowledged (an append-only file).
    AppendOnly,
}

/// A Redis of our own.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
    /// Gone with the server.
    _directory: TempDir,
}

impl Redis {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// If there is no `redis-server`, or it does not start.
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

    /// Where it is, such as `redis://127.0.0.1:6379`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its process: to pause, to kill.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again on the same port after it was killed, with what it kept.
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

/// Whether a Redis answers PONG on this port; one that still loads its file answers with an error.
pub(crate) async fn answers(port: u16) -> bool {
    matches!(ask(port, "PING").await, Ok(answer) if answer == "+PONG")
}

/// The answer of the Redis on this port to a command: its first line and, if it is a text, the text.
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
