//! What the transport costs: Klaxon beside the floor of plain system calls and beside a server as people write it first, measured
//! side by side in one run. [docs/benchmarks.md](../../../docs/benchmarks.md) says how to read it.

pub mod contestant;
pub mod customary;
pub mod doorstep;
pub mod fan_out;
pub mod floor;
pub mod frames;
pub mod hosting;
pub mod kernel;
pub mod load;
pub mod question;
pub mod statistics;
