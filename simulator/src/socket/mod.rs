//! How swarm and bench connect to servers.

pub mod admin;
pub mod handshake;
pub mod timestamps;
