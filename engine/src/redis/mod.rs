//! Access to Redis for the arbiter, the bus and the journal: connections, key names, and scripts.
//!
//! One Redis or a Redis Cluster: all keys of a show have the same hash tag, so that a script can use all of them.

mod keys;
pub mod scripts;

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{Client, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value};

pub use keys::Keys;

use crate::seal::SealKeys;

/// Timeout of a reply. After it the outcome of the call is unknown.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1000);
/// How long connecting may take.
const CONNECTION_TIMEOUT: Duration = Duration::from_millis(1000);
/// The pause before the next attempt to connect, at first and at most.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(250);

/// A Redis or a Redis Cluster.
#[derive(Clone)]
pub struct Redis {
    servers: Servers,
    keys: Arc<Keys>,
    seal_keys: SealKeys,
}

#[derive(Clone)]
enum Servers {
    One(Client),
    /// Its nodes.
    Cluster(Arc<[String]>),
}

impl Redis {
    /// The Redis at `urls`, such as `redis://127.0.0.1:6379`; several are nodes of one Redis Cluster. Every key begins with
    /// `prefix`. Connects nowhere yet.
    ///
    /// # Errors
    /// If there is no URL, or one is malformed.
    pub fn new(urls: &[String], prefix: &str) -> Result<Self, RedisError> {
        let servers = match urls {
            [] => return Err(RedisError::from((ErrorKind::InvalidClientConfig, "no URL of a Redis"))),
            [url] => Servers::One(Client::open(url.as_str())?),
            nodes => {
                cluster(nodes, RESPONSE_TIMEOUT)?;
                Servers::Cluster(nodes.into())
            }
        };
        Ok(Self { servers, keys: Arc::new(Keys::new(prefix)), seal_keys: SealKeys::default() })
    }

    /// Returns this Redis with sealing: what the bus writes of a show's secrets is sealed with the first of these keys.
    #[must_use]
    pub fn sealed(self, seal_keys: SealKeys) -> Self {
        Self { seal_keys, ..self }
    }

    /// The keys by which secrets on the bus are sealed.
    #[must_use]
    pub const fn seal_keys(&self) -> &SealKeys {
        &self.seal_keys
    }

    /// The names of its keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A connection for many callers at once: pipelined, and reconnecting by itself. A call without a reply within a second fails, and its
    /// outcome is unknown.
    ///
    /// # Errors
    /// If Redis does not answer now.
    pub async fn connect(&self) -> Result<Connection, RedisError> {
        self.connect_with(RESPONSE_TIMEOUT).await
    }

    /// A connection for one caller whose reads block at Redis for up to `longest`.
    ///
    /// # Errors
    /// If Redis does not answer now.
    pub async fn connect_waiting(&self, longest: Duration) -> Result<Connection, RedisError> {
        self.connect_with(longest + RESPONSE_TIMEOUT).await
    }

    async fn connect_with(&self, timeout: Duration) -> Result<Connection, RedisError> {
        Ok(match &self.servers {
            Servers::One(client) => {
                let config = ConnectionManagerConfig::new()
                    .set_response_timeout(Some(timeout))
                    .set_connection_timeout(Some(CONNECTION_TIMEOUT))
                    .set_min_delay(*BACKOFF.start())
                    .set_max_delay(*BACKOFF.end());
                Connection::One(client.get_connection_manager_with_config(config).await?)
            }
            // The time that a call may take, with all attempts, can be set for the whole client only.
            Servers::Cluster(nodes) => Connection::Cluster(cluster(nodes, timeout)?.get_async_connection().await?),
        })
    }
}

fn cluster(nodes: &[String], timeout: Duration) -> Result<ClusterClient, RedisError> {
    let builder = ClusterClient::builder(nodes.iter().map(String::as_str)).connection_timeout(CONNECTION_TIMEOUT);
    builder.response_timeout(timeout).overall_response_timeout(Some(timeout)).build()
}

/// A connection to a Redis or a Redis Cluster. Its clones share it.
#[derive(Clone)]
pub enum Connection {
    /// To one Redis.
    One(ConnectionManager),
    /// To all nodes of a cluster.
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
