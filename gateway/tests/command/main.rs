//! The `klaxon` program as an operator runs it: started, played on, killed, stopped.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod bans;
mod cluster;
mod compose;
mod compose_file;
mod crash;
mod files;
mod mistakes;
mod player;
mod program;
mod run_script;
mod seats;
mod server;
mod whole_show;
