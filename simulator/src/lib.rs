//! The simulator: a swarm of players and what is done to the service meanwhile, the audit of what was seen, and the benchmarks.
//! [docs/architecture.md](../../docs/architecture.md) says which of the parts may know which.

pub mod audit;
pub mod bench;
pub mod evidence;
pub mod machine;
pub mod messages;
pub mod report;
pub mod socket;
pub mod swarm;
