//! A whole cluster on this machine: Redis, PostgreSQL, a Kafka broker, engines, gateways and the archive service, each
//! in a process of its own. A plan of faults kills and stops them; all are ended when the cluster is dropped.

mod metrics;
mod victims;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use klaxon_protocol::ids::ShowId;
use klaxon_servers::{
    ANY_ADDRESS, Broker, Klaxon, Persistence, Postgres, Redis, Server, ServerError, Storage, free_port,
};
use tokio::process::Command;

use crate::socket::admin::AdminAccess;
use crate::swarm::costs::Cost;
use crate::swarm::memory::{MemoryWatch, Resident};
use crate::swarm::players::Gateways;
use crate::swarm::service::{ServiceError, file_error};

/// The Kafka topic of the journals.
const TOPIC: &str = "klaxon.journal";
/// The time limit for a stopping gateway to drain its connections; after it they are closed.
const DRAIN_LIMIT: &str = "2s";

/// The configuration of a cluster.
#[derive(Debug, Clone)]
pub struct ClusterPlan {
    /// The path of the `klaxon` program.
    pub klaxon: PathBuf,
    /// The path of the program that processes are upgraded to, if any.
    pub next: Option<PathBuf>,
    /// The directory for the processes' data and logs; it must exist.
    pub place: PathBuf,
    /// The number of engines.
    pub engines: u16,
    /// The number of gateways.
    pub gateways: u16,
    /// What Redis keeps when it is killed.
    pub persistence: Persistence,
}

/// A running cluster. All its processes are killed when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    plan: ClusterPlan,
    // Fields are dropped in this order: a process before the servers that it uses.
    gateways: Vec<Klaxon>,
    engines: Vec<Klaxon>,
    archive: Klaxon,
    broker: Broker,
    postgres: Postgres,
    redis: Redis,
    /// The URL of the archive's database.
    database: String,
    admin: AdminAccess,
    memory: MemoryWatch,
    /// The number of answers that each engine had counted when the last question was asked.
    counted: Vec<u64>,
}

impl Cluster {
    /// Starts all processes, each after those that it requires; `at_work` is called with the name of what is being
    /// started.
    ///
    /// # Errors
    /// If a process does not start.
    pub async fn start(plan: ClusterPlan, at_work: impl Fn(&str)) -> Result<Self, ServiceError> {
        let key_file = seal_key_file(&plan);
        make_seal_key(&key_file).map_err(file_error(&key_file))?;
        at_work("redis-server and PostgreSQL");
        let (redis, postgres) = tokio::try_join!(Redis::start(plan.persistence), Postgres::start())?;
        let (database, storage) =
            (postgres.create_database("klaxon").await?, postgres.create_database("broker").await?);
        at_work("broker");
        let broker = Broker::start(Storage::Postgres(storage)).await?;
        let made = Making { plan: &plan, redis: redis.url(), kafka: broker.address() };
        let mut engines = Vec::new();
        for number in 1..=plan.engines {
            at_work(&format!("engine {number} of {}", plan.engines));
            engines.push(made.engine(number).await?);
        }
        at_work("archive");
        let archive = made.archive(&database).await?;
        let mut gateways = Vec::new();
        for number in 1..=plan.gateways {
            at_work(&format!("gateway {number} of {}", plan.gateways));
            gateways.push(made.gateway(number).await?);
        }
        let path = made.token_file();
        let admin = gateways.iter().map(|gateway| gateway.listens().admin).collect();
        let admin = AdminAccess::of_file(admin, &path).map_err(file_error(&path))?;
        let counted = vec![0; engines.len()];
        let memory = MemoryWatch::start();
        let mut cluster =
            Self { plan, gateways, engines, archive, broker, postgres, redis, database, admin, memory, counted };
        cluster.watch_memory();
        Ok(cluster)
    }

    /// The addresses for players.
    #[must_use]
    pub fn gateways(&self) -> Gateways {
        let mut addresses = self.gateways.iter().filter_map(|gateway| gateway.listens().players);
        let first = addresses.next().unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
        Gateways::new(first, addresses.collect())
    }

    /// The access for hosts.
    #[must_use]
    pub fn admin(&self) -> AdminAccess {
        self.admin.clone()
    }

    /// The processor time of its processes so far.
    #[must_use]
    pub fn costs(&mut self) -> Vec<Cost> {
        let ids =
            |services: &mut [Klaxon]| services.iter_mut().map(|service| service.process().id()).collect::<Vec<_>>();
        vec![
            Cost::of("gateways", &ids(&mut self.gateways)),
            Cost::of("engines", &ids(&mut self.engines)),
            Cost::of("redis", &[self.redis.process().id()]),
            Cost::of("archive", &[self.archive.process().id()]),
        ]
    }

    /// The URL of the archive's database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The number of `klaxon` processes.
    #[must_use]
    pub const fn processes(&self) -> usize {
        self.engines.len() + self.gateways.len() + 1
    }

    /// A description of the cluster for people.
    #[must_use]
    pub fn what(&self) -> String {
        let kept = match self.plan.persistence {
            Persistence::None => "that keeps nothing",
            Persistence::AppendOnly => "with an append-only file",
        };
        let (engines, gateways) = (self.plan.engines, self.plan.gateways);
        format!("{engines} engines, {gateways} gateways, 1 archive service; a Redis {kept}, a Kafka broker, PostgreSQL")
    }

    /// Restarts the broker if it does not answer although no fault hit it, as a supervisor would do: tansu 0.6.0
    /// sometimes stops listening after all its clients reconnected at once.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn supervise(&mut self) -> Result<(), ServiceError> {
        for _ in 0..LOOKS {
            if self.broker.answers().await {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        eprintln!("the broker stopped listening by itself, and is started again");
        Ok(self.broker.start_again().await?)
    }

    /// The show's journal as it is in Kafka now, and its person records.
    ///
    /// # Errors
    /// If `klaxon replay` can't read it.
    pub async fn journal(&mut self, show: ShowId) -> Result<(Vec<u8>, Vec<u8>), ServiceError> {
        let file = self.plan.place.join(format!("{show}.klxj"));
        let mut command = Command::new(&self.plan.klaxon);
        command.args(["replay", "--kafka", &self.broker.address(), "--kafka-topic", TOPIC, "--show"]);
        command.arg(show.to_string()).arg("--save").arg(&file).kill_on_drop(true);
        command.arg("--seal-key-file").arg(seal_key_file(&self.plan));
        let program = self.plan.klaxon.display().to_string();
        let output = match command.output().await {
            Ok(output) => output,
            Err(error) => return Err(ServerError::Start { program, error }.into()),
        };
        match (std::fs::read(&file), std::fs::read(file.with_extension("klxp"))) {
            (Ok(journal), Ok(people)) => Ok((journal, people)),
            _ => {
                let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                let log = format!("{stderr}the end of the broker's log:\n{}", self.broker.process().log_end());
                Err(ServerError::Ended { program, status: output.status, log }.into())
            }
        }
    }

    /// Stops all processes, each before those that it requires. Returns the summed memory of all `klaxon` processes
    /// over time.
    ///
    /// # Errors
    /// If a process does not stop.
    pub async fn stop(mut self) -> Result<Resident, ServiceError> {
        let resident = self.memory.stop();
        for service in self.gateways.iter_mut().chain(&mut self.engines).chain([&mut self.archive]) {
            service.stop().await?;
        }
        for process in [self.broker.process(), self.postgres.process(), self.redis.process()] {
            process.stop().await?;
        }
        Ok(resident)
    }

    /// Samples the memory of the present processes from now on.
    fn watch_memory(&mut self) {
        let services = self.gateways.iter_mut().chain(&mut self.engines).chain([&mut self.archive]);
        self.memory.look_at(services.map(|service| service.process().id()).collect());
    }
}

/// The path of the key with which all processes of the cluster seal what they write to Redis and Kafka.
fn seal_key_file(plan: &ClusterPlan) -> PathBuf {
    plan.place.join("seal.keys")
}

/// Creates the file with the key, readable for its owner only.
fn make_seal_key(path: &std::path::Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}

/// The options that the command lines of all `klaxon` processes share.
struct Making<'p> {
    plan: &'p ClusterPlan,
    redis: String,
    kafka: String,
}

impl Making<'_> {
    fn token_file(&self) -> PathBuf {
        self.plan.place.join("admin.token")
    }

    async fn start(&self, name: &str, options: &[&str]) -> Result<Klaxon, ServerError> {
        let place = &self.plan.place;
        let mut command = vec![self.plan.klaxon.display().to_string()];
        command.extend(options.iter().map(|&option| option.to_owned()));
        command.extend(["--admin-token-file".into(), self.token_file().display().to_string()]);
        command.extend(["--admin-listen", ANY_ADDRESS].map(str::to_owned));
        command.extend(["--seal-key-file".into(), seal_key_file(self.plan).display().to_string()]);
        Klaxon::start(name, &command, &place.join(name), &place.join(format!("{name}.log"))).await
    }

    async fn engine(&self, number: u16) -> Result<Klaxon, ServerError> {
        let name = format!("engine-{number}");
        let to = ["--redis", &self.redis, "--kafka", &self.kafka, "--kafka-topic", TOPIC];
        self.start(&name, &[&["engine"], &to[..], &["--name", &name]].concat()).await
    }

    async fn gateway(&self, number: u16) -> Result<Klaxon, ServerError> {
        // It must be told its address before it starts.
        let players = format!("127.0.0.1:{}", free_port()?);
        let (url, secret) =
            (format!("ws://{players}/play"), self.plan.place.join("resume.secret").display().to_string());
        let at = ["gateway", "--redis", &self.redis, "--listen", &players, "--public-url", &url];
        let more = ["--secret-file", &secret, "--drain-limit", DRAIN_LIMIT];
        self.start(&format!("gateway-{number}"), &[&at[..], &more].concat()).await
    }

    async fn archive(&self, database: &str) -> Result<Klaxon, ServerError> {
        self.start("archive", &["archive", "--kafka", &self.kafka, "--kafka-topic", TOPIC, "--database", database])
            .await
    }
}

/// The number of checks before the broker counts as unresponsive.
const LOOKS: u32 = 3;
/// The pause between two checks.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
