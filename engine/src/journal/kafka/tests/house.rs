//! A Redis, a broker, and engines' journals on them.

use std::path::Path;

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_protocol::journal::Record;
use klaxon_servers::redis::Persistence;
use klaxon_servers::{Broker, Storage, free_port};
use redis::AsyncCommands;
use tempfile::TempDir;

use crate::journal::OpenError;
use crate::journal::kafka::{Kafka, KafkaJournal, KafkaOpenError, read_show};
use crate::redis::Redis;

pub const TOPIC: &str = "klaxon-journal";

/// A Redis and a broker's address, and a disk for each engine.
pub struct House {
    pub redis: klaxon_servers::Redis,
    pub way: Redis,
    pub broker: Option<Broker>,
    port: u16,
    disks: Vec<TempDir>,
}

impl House {
    /// With Redis, a broker that does not run yet, and disks for two engines.
    pub async fn without_kafka(persistence: Persistence) -> Self {
        let redis = klaxon_servers::Redis::start(persistence).await.unwrap();
        let way = Redis::new(&[redis.url()], "klaxon").unwrap();
        let disks = (0..2).map(|_| TempDir::new().unwrap()).collect();
        Self { redis, way, broker: None, port: free_port().unwrap(), disks }
    }

    pub async fn new() -> Self {
        let mut house = Self::without_kafka(Persistence::None).await;
        house.start_kafka(Storage::Memory).await;
        house
    }

    pub async fn start_kafka(&mut self, storage: Storage) {
        self.broker = Some(Broker::start_at(storage, self.port).await.unwrap());
    }

    pub fn kafka(&self) -> Kafka {
        Kafka { partitions: 2, ..Kafka::new(&format!("127.0.0.1:{}", self.port), TOPIC) }
    }

    /// The journal of an engine, on its own disk, which it may have to wait for if it was just left.
    pub async fn journal(&self, engine: usize) -> KafkaJournal {
        loop {
            match KafkaJournal::open(&self.way, self.kafka(), self.disks[engine].path()).await {
                Err(KafkaOpenError::Spool(OpenError::InUse(_))) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
    }

    /// The directory of an engine's spool.
    pub fn disk(&self, engine: usize) -> &Path {
        self.disks[engine].path()
    }

    /// Has Redis know a lease of the show, as its arbiter writes it.
    pub async fn lease(&self, show: ShowId, fence: u64) {
        lease(&self.way, show, Fence(fence)).await;
    }

    /// What Kafka has of a show.
    pub async fn in_kafka(&self, show: ShowId) -> Vec<Record> {
        read_show(&self.kafka(), show).await.unwrap()
    }

    /// The numbers in Kafka as they are there, with all that is there twice.
    pub async fn sent(&self, show: ShowId) -> Vec<(u64, Fence)> {
        let kafka = self.kafka();
        tokio::task::spawn_blocking(move || crate::journal::kafka::scan::labels_of(&kafka, show)).await.unwrap()
    }

    pub async fn spooled(&self, engine: usize) -> usize {
        let files = std::fs::read_dir(self.disks[engine].path()).unwrap();
        files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".klxj")).count()
    }

    /// Waits until it is so.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        let waiting = async {
            while !is_so(self).await {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("{what}"));
    }
}

pub async fn lease(way: &Redis, show: ShowId, fence: Fence) {
    let mut connection = way.connect().await.unwrap();
    let _: () = connection.hset(way.keys().lease(show), "fence", fence.0).await.unwrap();
    let _: () = connection.sadd(way.keys().shows(), show.to_string()).await.unwrap();
}
