//! The swarm of players, the audit of what the server promises, and the benchmarks.

pub mod audit;
pub mod bench;
pub mod cluster;
pub mod costs;
pub mod database;
pub mod doorstep;
pub mod evidence;
pub mod faults;
pub mod host;
pub mod memory;
pub mod pack;
pub mod report;
pub mod server;
pub mod show;
mod stamped;
pub mod swarm;
