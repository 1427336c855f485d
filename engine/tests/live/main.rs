//! Live shows over the bus, with the real journal and the real archive on disk.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod bans;
mod database;
mod faults;
mod house;
mod journal;
mod kafka;
mod people;
mod resuming;
mod sealed;
mod seats;
mod shows;
