//! Klaxon's sockets: everything between players' and hosts' phones and the engine.

mod gateway;
mod hub;
mod intake;
pub mod link;
pub mod session;
pub mod settings;
mod transport;

pub use gateway::Gateway;
