//! A real broker with Kafka's protocol, tansu.

use std::net::SocketAddr;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep, timeout};

use crate::install::{run, words};
use crate::server::{Server, Starting, local};
use crate::{Process, ServerError, free_port};

/// The environment variable with tansu's path.
const VARIABLE: &str = "KLAXON_TANSU";
/// Where `make tools` installs it, below the home directory.
const BUILT: &str = ".cache/klaxon/tansu-0.6.0/bin/tansu";

/// Limits of a restart: attempts, checks after each attempt, and the pause before each check.
const STARTS: usize = 5;
const LOOKS: usize = 6;
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The tables that tansu requires in a PostgreSQL database and does not create itself.
const TABLES: &str = include_str!("broker.sql");

/// Where a broker stores its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In its memory: all is lost when it is killed.
    Memory,
    /// In the PostgreSQL database at this URL; missing tables are created. Nothing is lost when it is killed.
    Postgres(String),
}

/// A broker that is started for a test or a demo.
#[derive(Debug)]
pub struct Broker {
    process: Process,
    port: u16,
    /// Deleted with the server.
    _directory: TempDir,
}

impl Broker {
    /// Starts a broker on a free port and waits until it answers.
    ///
    /// # Errors
    /// If tansu is not installed, or does not start.
    pub async fn start(storage: Storage) -> Result<Self, ServerError> {
        Self::start_at(storage, free_port()?).await
    }

    /// As [`Self::start`], on the given port.
    ///
    /// # Errors
    /// If tansu is not installed, or does not start.
    pub async fn start_at(storage: Storage, port: u16) -> Result<Self, ServerError> {
        let directory = tempfile::tempdir()?;
        let log = directory.path().join("log");
        let storage = match storage {
            Storage::Memory => "memory://tansu/".to_owned(),
            Storage::Postgres(url) => {
                let tables = directory.path().join("tables.sql");
                std::fs::write(&tables, TABLES)?;
                let tables = tables.display().to_string();
                run(&words(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", &tables, &url]), &log).await?;
                url
            }
        };
        let listener = format!("tcp://127.0.0.1:{port}");
        let arguments = [
            "broker",
            "--listener-url",
            &listener,
            "--advertised-listener-url",
            &listener,
            "--storage-engine",
            &storage,
        ];
        let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
        let process = Process::start(&program(), arguments, Vec::new(), &log)?;
        let mut broker = Self { process, port, _directory: directory };
        broker.ready().await?;
        Ok(broker)
    }

    async fn ready(&mut self) -> Result<(), ServerError> {
        let port = self.port;
        self.process.ready(async || answers(port).await).await
    }

    /// The broker's address, such as `127.0.0.1:9092`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The broker's process, to pause or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Whether the broker answers a request for its API versions.
    pub async fn answers(&self) -> bool {
        answers(self.port).await
    }

    /// Restarts the broker on the same port after it was killed, with the records that its storage kept.
    ///
    /// tansu 0.6.0 sometimes stops listening permanently when all its clients reconnect at once, while its process
    /// stays alive. It is restarted in that case, as a supervisor would do.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_again(&mut self) -> Result<(), ServerError> {
        for _ in 0..STARTS {
            self.process.start_again()?;
            self.ready().await?;
            if self.stays().await {
                break;
            }
        }
        Ok(())
    }

    /// Whether the broker still answers after its clients have reconnected.
    async fn stays(&self) -> bool {
        for _ in 0..LOOKS {
            sleep(LOOK_AGAIN).await;
            if !self.answers().await {
                return false;
            }
        }
        true
    }
}

impl Server for Broker {
    fn name(&self) -> &str {
        "broker"
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

fn program() -> String {
    if let Ok(named) = std::env::var(VARIABLE) {
        return named;
    }
    let built = std::env::home_dir().map(|home| home.join(BUILT)).filter(|path| path.exists());
    built.unwrap_or_else(|| PathBuf::from("tansu")).display().to_string()
}

/// Whether a broker on this port answers a request for its API versions.
async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        // The length of the request, then: ApiVersions (18), version 0, correlation id 1, no client id.
        stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]).await?;
        stream.read_i32().await?;
        std::io::Result::Ok(stream.read_i32().await? == 1)
    };
    matches!(timeout(Duration::from_secs(1), ask).await, Ok(Ok(true)))
}
