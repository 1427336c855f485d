//! The benchmark of the transport: Klaxon compared with a floor of plain system calls and with a customary server,
//! measured alternately in one run. [docs/benchmarks.md](../../../docs/benchmarks.md) explains how to read it.

pub mod boot;
pub mod contestant;
pub mod customary;
pub mod document;
pub mod door;
pub mod fairness;
pub mod fan_out;
pub mod floor;
pub mod frames;
pub mod goals;
pub mod growth;
pub mod hosting;
pub mod idle;
pub mod intake;
pub mod kernel;
pub mod load;
pub mod measure;
pub mod memory;
pub mod plan;
pub mod question;
pub mod reactors;
pub mod report;
pub mod rows;
pub mod statistics;
pub mod stopping;
