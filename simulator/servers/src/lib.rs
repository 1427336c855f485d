//! The real servers that Klaxon's tests, its demo and its kill tests start. Each has a temporary directory of its own
//! and free ports of this machine. It is ended when it is dropped, or when the process that started it ends.

pub mod broker;
mod install;
mod klaxon;
pub mod mariadb;
pub mod postgres;
mod process;
pub mod redis;
pub mod redis_cluster;
mod server;
pub mod usage;

pub use broker::{Broker, Storage};
pub use klaxon::{ANY_ADDRESS, Addresses, Klaxon};
pub use mariadb::MariaDb;
pub use postgres::Postgres;
pub use process::{Process, ServerError, ending_with_us, free_port};
pub use redis::{Persistence, Redis};
pub use redis_cluster::RedisCluster;
pub use server::{Server, Starting, kill_for, pause_for};
