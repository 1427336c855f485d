//! A whole cluster on this machine: Redis, PostgreSQL, a Kafka broker, engines, gateways and the archive service, each a process of its own,
//! struck as a plan of faults says, and always cleaned up.

mod metrics;
mod service;
mod strike;

use std::path::PathBuf;
use std::time::Duration;

use klaxon_protocol::ids::ShowId;
use klaxon_servers::{Broker, Persistence, Postgres, Redis, Storage, free_port};
use sqlx::{Connection, PgConnection};
use tokio::process::Command;

use crate::costs::Cost;
use crate::host::AdminDoor;
use crate::memory::{MemoryWatch, Resident};
use crate::server::{ServerError, file_error};
use crate::swarm::Doors;

pub use service::{Service, Told};

/// The topic of the journals.
const TOPIC: &str = "klaxon.journal";
/// How long a gateway may take to send its players away when it stops; by then they are gone.
const DRAIN_LIMIT: &str = "2s";
/// The databases of one PostgreSQL: the archive's, and the broker's own storage.
const ARCHIVE: &str = "klaxon";
const STORAGE: &str = "broker";

/// What a cluster is made of.
#[derive(Debug, Clone)]
pub struct ClusterPlan {
    /// The `klaxon` program.
    pub klaxon: PathBuf,
    /// Where its processes keep their data and logs; must exist.
    pub place: PathBuf,
    /// How many engines.
    pub engines: u16,
    /// How many gateways.
    pub gateways: u16,
    /// What Redis keeps over a kill.
    pub persistence: Persistence,
}

/// A running cluster. All of it is killed when dropped.
#[derive(Debug)]
pub struct Cluster {
    plan: ClusterPlan,
    // Dropped in this order: whoever uses a server goes before it.
    gateways: Vec<Service>,
    engines: Vec<Service>,
    archive: Service,
    broker: Broker,
    postgres: Postgres,
    redis: Redis,
    token: String,
    memory: MemoryWatch,
    /// How many answers each engine had counted when the last question was asked.
    counted: Vec<u64>,
}

impl Cluster {
    /// Starts everything, in an order in which each finds what it needs, and says what it is at.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn start(plan: ClusterPlan, at_work: impl Fn(&str)) -> Result<Self, ServerError> {
        at_work("redis-server and PostgreSQL");
        let (redis, postgres) = tokio::try_join!(Redis::start(plan.persistence), Postgres::start())?;
        for database in [ARCHIVE, STORAGE] {
            create(&postgres.url(), database).await?;
        }
        at_work("broker");
        let broker = Broker::start(Storage::Postgres(named(&postgres.url(), STORAGE))).await?;
        let made = Making { plan: &plan, redis: redis.url(), kafka: broker.address() };
        let mut engines = Vec::new();
        for number in 1..=plan.engines {
            at_work(&format!("engine {number} of {}", plan.engines));
            engines.push(made.engine(number).await?);
        }
        at_work("archive");
        let archive = made.archive(&named(&postgres.url(), ARCHIVE)).await?;
        let mut gateways = Vec::new();
        for number in 1..=plan.gateways {
            at_work(&format!("gateway {number} of {}", plan.gateways));
            gateways.push(made.gateway(number).await?);
        }
        let path = made.token_file();
        let token = std::fs::read_to_string(&path).map_err(file_error(&path))?.trim().to_owned();
        let counted = vec![0; engines.len()];
        let memory = MemoryWatch::start();
        let mut cluster = Self { plan, gateways, engines, archive, broker, postgres, redis, token, memory, counted };
        cluster.watch_memory();
        Ok(cluster)
    }

    /// Where players connect.
    #[must_use]
    pub fn doors(&self) -> Doors {
        let mut addresses = self.gateways.iter().filter_map(|gateway| gateway.told().players);
        let first = addresses.next().unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
        Doors::new(first, addresses.collect())
    }

    /// Where hosts connect.
    #[must_use]
    pub fn door(&self) -> AdminDoor {
        let addresses = self.gateways.iter().map(|gateway| gateway.told().admin).collect();
        AdminDoor { addresses, token: self.token.clone() }
    }

    /// What its processes have cost so far.
    #[must_use]
    pub fn costs(&mut self) -> Vec<Cost> {
        let ids =
            |services: &mut [Service]| services.iter_mut().map(|service| service.process().id()).collect::<Vec<_>>();
        vec![
            Cost::of("gateways", &ids(&mut self.gateways)),
            Cost::of("engines", &ids(&mut self.engines)),
            Cost::of("redis", &[self.redis.process().id()]),
            Cost::of("archive", &[self.archive.process().id()]),
        ]
    }

    /// The archive's database.
    #[must_use]
    pub fn database(&self) -> String {
        named(&self.postgres.url(), ARCHIVE)
    }

    /// How many processes of `klaxon` there are.
    #[must_use]
    pub const fn processes(&self) -> usize {
        self.engines.len() + self.gateways.len() + 1
    }

    /// What it is made of, for people.
    #[must_use]
    pub fn what(&self) -> String {
        let kept = match self.plan.persistence {
            Persistence::None => "that keeps nothing",
            Persistence::AppendOnly => "with an append-only file",
        };
        let (engines, gateways) = (self.plan.engines, self.plan.gateways);
        format!("{engines} engines, {gateways} gateways, 1 archive service; a Redis {kept}, a Kafka broker, PostgreSQL")
    }

    /// Starts the broker again if it does not answer though nobody struck it, as whoever supervises one would: tansu 0.6.0 now and then
    /// stops listening after its clients came back all at once.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn supervise(&mut self) -> Result<(), ServerError> {
        for _ in 0..LOOKS {
            if self.broker.answers().await {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        eprintln!("the broker stopped listening by itself, and is started again");
        Ok(self.broker.start_again().await?)
    }

    /// The show's journal, as Kafka has it by now.
    ///
    /// # Errors
    /// If `klaxon replay` can't read it.
    pub async fn journal(&mut self, show: ShowId) -> Result<Vec<u8>, ServerError> {
        let file = self.plan.place.join(format!("{show}.klxj"));
        let mut command = Command::new(&self.plan.klaxon);
        command.args(["replay", "--kafka", &self.broker.address(), "--kafka-topic", TOPIC, "--show"]);
        command.arg(show.to_string()).arg("--save").arg(&file).kill_on_drop(true);
        let start = |error| ServerError::Start { program: self.plan.klaxon.clone(), error };
        let output = command.output().await.map_err(start)?;
        match std::fs::read(&file) {
            Ok(bytes) => Ok(bytes),
            Err(_) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                let log = format!("{said}the broker's last words:\n{}", self.broker.process().last_words());
                Err(ServerError::Ended { status: output.status, log })
            }
        }
    }

    /// Stops everything, in an order in which nobody misses anything. Gives the memory of all processes of `klaxon` together over time.
    ///
    /// # Errors
    /// If something does not stop when told to.
    pub async fn stop(mut self) -> Result<Resident, ServerError> {
        let resident = self.memory.stop();
        for service in self.gateways.iter_mut().chain(&mut self.engines).chain([&mut self.archive]) {
            service.stop().await?;
        }
        for process in [self.broker.process(), self.postgres.process(), self.redis.process()] {
            process.stop().await.map_err(klaxon_servers::ServerError::from)?;
        }
        Ok(resident)
    }

    /// Looks at the memory of the processes that there are now.
    fn watch_memory(&mut self) {
        let services = self.gateways.iter_mut().chain(&mut self.engines).chain([&mut self.archive]);
        self.memory.look_at(services.map(|service| service.process().id()).collect());
    }
}

/// What all processes of `klaxon` are told.
struct Making<'p> {
    plan: &'p ClusterPlan,
    redis: String,
    kafka: String,
}

impl Making<'_> {
    fn token_file(&self) -> PathBuf {
        self.plan.place.join("admin.token")
    }

    async fn start(&self, name: &str, words: &[&str], more: Vec<String>) -> Result<Service, ServerError> {
        let mut all: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        all.extend(more);
        all.extend(["--admin-token-file".to_owned(), self.token_file().display().to_string()]);
        Service::start(&self.plan.klaxon, name, all, &self.plan.place).await
    }

    async fn engine(&self, number: u16) -> Result<Service, ServerError> {
        let name = format!("engine-{number}");
        let words = ["engine", "--redis", &self.redis, "--kafka", &self.kafka, "--kafka-topic", TOPIC, "--name", &name];
        self.start(&name, &words, vec!["--admin-listen".into(), any_port()?]).await
    }

    async fn gateway(&self, number: u16) -> Result<Service, ServerError> {
        let (players, secret) = (any_port()?, self.plan.place.join("resume.secret").display().to_string());
        let url = format!("ws://{players}/play");
        let words = ["gateway", "--redis", &self.redis, "--listen", &players, "--public-url", &url];
        let more = ["--admin-listen", &any_port()?, "--secret-file", &secret, "--drain-limit", DRAIN_LIMIT];
        let more = more.iter().map(|&word| word.to_owned()).collect();
        self.start(&format!("gateway-{number}"), &words, more).await
    }

    async fn archive(&self, database: &str) -> Result<Service, ServerError> {
        let words = ["archive", "--kafka", &self.kafka, "--kafka-topic", TOPIC, "--database", database];
        self.start("archive", &words, vec!["--admin-listen".into(), any_port()?]).await
    }
}

/// An address that a process keeps when it is started again.
fn any_port() -> Result<String, ServerError> {
    let port = free_port().map_err(klaxon_servers::ServerError::from)?;
    Ok(format!("127.0.0.1:{port}"))
}

/// The URL of another database of the same server.
fn named(url: &str, database: &str) -> String {
    url.rsplit_once('/').map_or_else(|| url.to_owned(), |(server, _)| format!("{server}/{database}"))
}

async fn create(url: &str, database: &'static str) -> Result<(), ServerError> {
    let statement = match database {
        ARCHIVE => "CREATE DATABASE klaxon",
        _ => "CREATE DATABASE broker",
    };
    let created = async {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query(statement).execute(&mut connection).await?;
        connection.close().await
    };
    created.await.map_err(|error| ServerError::Database(error.to_string()))
}

/// So often the broker is asked before it is taken for deaf.
const LOOKS: u32 = 3;
/// The pause between two looks whether a process ended by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
