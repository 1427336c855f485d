//! The gateway: players' sockets and fan-out, sessions, the admin socket, and what the `klaxon` binary is made of.

pub mod admin;
pub mod cli;
pub mod config;
pub mod console;
mod gateway;
mod handshake;
pub mod hub;
mod intake;
pub mod link;
pub mod log;
pub mod private_file;
pub mod session;
pub mod settings;
mod subscriber;
pub mod transport;

pub use gateway::{Address, Gateway};
