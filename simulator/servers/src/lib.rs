//! The real servers that Klaxon's tests, its demo and its kills start: each in a temporary folder of its own, on free ports of
//! this machine, and ended when dropped, or when whoever started it ends.

pub mod broker;
mod process;
pub mod redis;

pub use broker::{Broker, Storage};
pub use process::{Process, ServerError, free_port};
pub use redis::{Persistence, Redis};
