//! The simulator: a swarm of players and injected faults, the audit of what was observed, and the benchmarks.
//! [docs/architecture.md](../../docs/architecture.md) defines which part may depend on which.

pub mod audit;
pub mod bench;
pub mod evidence;
pub mod machine;
pub mod messages;
pub mod report;
pub mod socket;
pub mod swarm;
