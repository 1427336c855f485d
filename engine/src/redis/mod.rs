//! Redis, as the arbiter, the bus and the journal share it: how it is reached, and what its keys are called.
//!
//! One Redis or a Redis Cluster: all keys of a show carry its hash tag, so that a script may touch all of them.

mod keys;
pub mod scripts;

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{Client, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value};

pub use keys::Keys;

/// How long an answer may take; then the outcome is unknown.
const PATIENCE: Duration = Duration::from_millis(1000);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_millis(1000);
/// The pause before the next attempt to connect, at first and at most.
const BACKOFF: std::ops::RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(250);

/// A way to a Redis or a Redis Cluster.
#[derive(Clone)]
pub struct Redis {
    way: Way,
    keys: Arc<Keys>,
}

#[derive(Clone)]
enum Way {
    One(Client),
    /// Its nodes.
    Cluster(Arc<[String]>),
}

impl Redis {
    /// The Redis at `urls`, such as `redis://127.0.0.1:6379`; several are nodes of one Redis Cluster. Every key begins with
    /// `prefix`. Connects nowhere yet.
    ///
    /// # Errors
    /// If there is no URL, or one makes no sense.
    pub fn new(urls: &[String], prefix: &str) -> Result<Self, RedisError> {
        let way = match urls {
            [] => return Err(RedisError::from((ErrorKind::InvalidClientConfig, "no URL of a Redis"))),
            [url] => Way::One(Client::open(url.as_str())?),
            nodes => {
                cluster(nodes, PATIENCE)?;
                Way::Cluster(nodes.into())
            }
        };
        Ok(Self { way, keys: Arc::new(Keys::new(prefix)) })
    }

    /// What its keys are called.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Whether it is a Redis Cluster.
    #[must_use]
    pub const fn is_cluster(&self) -> bool {
        matches!(self.way, Way::Cluster(_))
    }

    /// A connection for many callers at once: pipelined, and connected again by itself. A call that is not answered within a
    /// second fails, and its outcome is unknown.
    ///
    /// # Errors
    /// If Redis does not answer now.
    pub async fn connect(&self) -> Result<Connection, RedisError> {
        self.connect_for(PATIENCE).await
    }

    /// A connection for one caller whose reads wait for up to `longest` on Redis' side.
    ///
    /// # Errors
    /// If Redis does not answer now.
    pub async fn connect_waiting(&self, longest: Duration) -> Result<Connection, RedisError> {
        self.connect_for(longest + PATIENCE).await
    }

    async fn connect_for(&self, patience: Duration) -> Result<Connection, RedisError> {
        Ok(match &self.way {
            Way::One(client) => {
                let config = ConnectionManagerConfig::new()
                    .set_response_timeout(Some(patience))
                    .set_connection_timeout(Some(CONNECT))
                    .set_min_delay(*BACKOFF.start())
                    .set_max_delay(*BACKOFF.end());
                Connection::One(client.get_connection_manager_with_config(config).await?)
            }
            // How long a call may take, with all attempts, can be said of the whole client only.
            Way::Cluster(nodes) => Connection::Cluster(cluster(nodes, patience)?.get_async_connection().await?),
        })
    }
}

fn cluster(nodes: &[String], patience: Duration) -> Result<ClusterClient, RedisError> {
    let builder = ClusterClient::builder(nodes.iter().map(String::as_str)).connection_timeout(CONNECT);
    builder.response_timeout(patience).overall_response_timeout(Some(patience)).build()
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
