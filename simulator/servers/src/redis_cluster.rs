//! A real Redis Cluster of three nodes.

use std::io;

use tempfile::TempDir;

use crate::redis::{answers, ask};
use crate::{Process, ServerError, free_port};

/// Nodes of the cluster, each with a third of the slots and no replica.
const NODES: u16 = 3;
const SLOTS: u16 = 16_384;

/// A Redis Cluster that is started for a test. It keeps nothing on disk.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Node>,
    /// Deleted with the servers.
    _directory: TempDir,
}

#[derive(Debug)]
struct Node {
    process: Process,
    port: u16,
    /// The port for connections between the nodes.
    bus: u16,
}

impl RedisCluster {
    /// Starts a cluster and waits until every node has the complete slot map.
    ///
    /// # Errors
    /// If `redis-server` is not installed, a node does not start, or the nodes don't form a cluster.
    pub async fn start() -> Result<Self, ServerError> {
        let directory = tempfile::tempdir()?;
        let mut nodes = Vec::new();
        for number in 0..NODES {
            let own = directory.path().join(number.to_string());
            std::fs::create_dir(&own)?;
            let (port, bus) = (free_port()?, free_port()?);
            let arguments = [
                ["--port", &port.to_string()],
                ["--bind", "127.0.0.1"],
                ["--dir", &own.display().to_string()],
                ["--save", ""],
                ["--maxmemory-policy", "noeviction"],
                ["--cluster-enabled", "yes"],
                ["--cluster-port", &bus.to_string()],
                // A node that is silent for 2 s is considered failed; only the shows in its slots are affected.
                ["--cluster-node-timeout", "2000"],
                ["--cluster-require-full-coverage", "no"],
            ];
            let arguments = arguments.iter().flatten().map(|&word| word.to_owned()).collect();
            let mut process = Process::start("redis-server", arguments, Vec::new(), &own.join("log"))?;
            process.ready(async || answers(port).await).await?;
            nodes.push(Node { process, port, bus });
        }
        let mut cluster = Self { nodes, _directory: directory };
        cluster.join().await?;
        Ok(cluster)
    }

    /// Assigns slots to each node, and connects the nodes to each other.
    async fn join(&mut self) -> Result<(), ServerError> {
        let first = (self.nodes[0].port, self.nodes[0].bus);
        for (number, node) in (0..NODES).zip(&self.nodes) {
            let slots = SLOTS / NODES * number..if number + 1 == NODES { SLOTS } else { SLOTS / NODES * (number + 1) };
            node.order(&format!("CLUSTER ADDSLOTSRANGE {} {}", slots.start, slots.end - 1)).await?;
            // Different epochs from the start, so that the nodes need not resolve a conflict.
            node.order(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1)).await?;
            if number > 0 {
                node.order(&format!("CLUSTER MEET 127.0.0.1 {} {}", first.0, first.1)).await?;
            }
        }
        self.whole().await
    }

    /// The URLs of its nodes, such as `redis://127.0.0.1:6379`.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("redis://127.0.0.1:{}", node.port)).collect()
    }

    /// A node's process, to pause or kill it.
    ///
    /// # Panics
    /// If `node` is 3 or more.
    pub fn process(&mut self, node: usize) -> &mut Process {
        &mut self.nodes[node].process
    }

    /// The index of the node that has the keys with this hash tag.
    ///
    /// # Errors
    /// If the first node does not answer.
    pub async fn node_of(&self, tag: &str) -> io::Result<usize> {
        let told = ask(self.nodes[0].port, &format!("CLUSTER KEYSLOT {tag}")).await?;
        let slot: u16 = told.trim_start_matches(':').parse().map_err(|_| io::Error::other(told.clone()))?;
        Ok(usize::from((slot / (SLOTS / NODES)).min(NODES - 1)))
    }

    /// Restarts a node on the same port after it was killed. It has its slots, but no data.
    ///
    /// # Errors
    /// If it does not start, or does not become part of the cluster again.
    ///
    /// # Panics
    /// If `node` is 3 or more.
    pub async fn start_again(&mut self, node: usize) -> Result<(), ServerError> {
        self.nodes[node].process.start_again()?;
        self.whole().await
    }

    /// Waits until every node has the complete slot map.
    async fn whole(&mut self) -> Result<(), ServerError> {
        for node in &mut self.nodes {
            let port = node.port;
            node.process.ready(async || is_whole(port).await).await?;
        }
        Ok(())
    }
}

impl Node {
    async fn order(&self, command: &str) -> io::Result<()> {
        match ask(self.port, command).await?.as_str() {
            "+OK" => Ok(()),
            refused => Err(io::Error::other(format!("{command}: {refused}"))),
        }
    }
}

/// Whether this node has the complete slot map.
async fn is_whole(port: u16) -> bool {
    let Ok(info) = ask(port, "CLUSTER INFO").await else { return false };
    let knows = |line: String| info.lines().any(|told| told.trim() == line);
    knows("cluster_state:ok".into())
        && knows(format!("cluster_known_nodes:{NODES}"))
        && knows(format!("cluster_slots_assigned:{SLOTS}"))
}
