//! The real servers that Klaxon's tests, its demo and its kills start: each in a temporary folder of its own, on free ports of
//! this machine, and ended when dropped, or when whoever started it ends.

mod process;
pub mod redis;
pub mod redis_cluster;

pub use process::{Process, ServerError, free_port};
pub use redis::{Persistence, Redis};
pub use redis_cluster::RedisCluster;
