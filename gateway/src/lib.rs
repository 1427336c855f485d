//! The gateway: players' sockets and fan-out, sessions, the admin socket, and what the `klaxon` binary is made of.

pub mod admin;
mod clock;
pub mod link;
pub mod private_file;
