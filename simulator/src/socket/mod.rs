//! The connections of swarm and bench to servers.

pub mod admin;
pub mod handshake;
pub mod timestamps;
