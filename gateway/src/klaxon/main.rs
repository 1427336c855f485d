//! The `klaxon` command, which assembles engines, gateways and archives into processes.

mod check;
#[cfg_attr(not(feature = "cluster"), path = "alone.rs")]
mod cluster;
mod forget;
mod media;
mod packs;
mod process;
mod proof;
mod replay;
mod serve;
mod verify;

use std::process::ExitCode;

use klaxon_gateway::cli::{Command, Klaxon};
use klaxon_gateway::config::ConfigError;
use klaxon_gateway::console::{self, FileReaders};
use klaxon_protocol::text::HarmlessLines;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Klaxon::from_process().command {
        Command::Serve(options) => serve::serve(&options).await.map(|()| ExitCode::SUCCESS),
        Command::Gateway(options) => cluster::gateway(&options).await.map(|()| ExitCode::SUCCESS),
        Command::Engine(options) => cluster::engine(&options).await.map(|()| ExitCode::SUCCESS),
        Command::Archive(options) => cluster::archive(&options).await.map(|()| ExitCode::SUCCESS),
        Command::Host(options) => console::run(&options, FileReaders { pack: packs::read, show: check::read }).await,
        Command::Forget(options) => forget::forget(&options).await,
        Command::Replay(options) => replay::replay(&options).await.map(|()| ExitCode::SUCCESS),
        Command::Proof(options) => proof::proof(&options).map(|()| ExitCode::SUCCESS),
        Command::Verify(options) => verify::verify(&options).map(|()| ExitCode::SUCCESS),
        Command::Media(options) => media::media(&options).map(|()| ExitCode::SUCCESS),
        Command::Pack(command) => packs::run(&command).map(|()| ExitCode::SUCCESS),
        Command::Check(options) => check::check(&options).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {}", HarmlessLines(&format!("{error:#}")));
        // The same exit code as for options that clap refuses.
        if error.is::<ConfigError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}
