//! The swarm of players, the audit of what the server promises, and the benchmarks.

pub mod audit;
pub mod evidence;
