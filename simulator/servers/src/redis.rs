//! A real `redis-server`.

use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Process, ServerError, free_port};

/// What a Redis that was killed knows when it is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing.
    None,
    /// Everything it had said yes to (an append-only file).
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

/// Whether a Redis says PONG on this port; one that still loads its file says something else.
async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(&answer == b"+PONG")
    };
    matches!(timeout(Duration::from_secs(1), ask).await, Ok(Ok(true)))
}
