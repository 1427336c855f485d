//! A live gateway on loopback, with an engine that says yes.
#![expect(clippy::unwrap_used, reason = "what goes wrong in a test should stop it")]

mod close;
mod fixture;
mod forged;
mod handshake;
mod hostile;
mod life;
mod origins;
mod patience;
mod players;
mod raw;
mod several;
