//! A whole live show, played against real processes: the players, the host, the processes, the faults, and the report.

pub mod cluster;
pub mod costs;
pub mod database;
pub mod faults;
pub mod games;
pub mod host;
pub mod journals;
pub mod memory;
pub mod players;
pub mod replay;
pub mod report;
pub mod service;
pub mod show;
pub mod standalone;
