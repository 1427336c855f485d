//! A live gateway on loopback, with an engine that says yes.
#![expect(clippy::unwrap_used, reason = "what goes wrong in a test should stop it")]

mod close;
mod door;
mod forged;
mod hostile;
mod house;
mod life;
mod origins;
mod patience;
mod players;
mod raw;
mod several;
