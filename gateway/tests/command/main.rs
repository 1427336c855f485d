//! The `klaxon` program as an operator runs it: started, played on, killed, stopped.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod bans;
mod cluster;
mod compose;
mod compose_file;
mod crash;
mod files;
mod forget;
#[allow(dead_code, reason = "the protocol's tests use the rest")]
#[path = "../../../protocol/tests/wire/layout/mod.rs"]
mod layout;
mod mistakes;
mod old_client;
mod player;
mod program;
mod run_script;
mod seats;
mod server;
#[path = "../../../protocol/tests/wire/validate.rs"]
mod validate;
mod whole_show;
