//! A live gateway on loopback, with an engine that says yes.

mod door;
mod hostile;
mod house;
mod life;
mod players;
