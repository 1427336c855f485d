//! The `klaxon` command: the one place that puts an engine and a gateway into one process.

mod packs;
mod replay;
mod serve;

use std::process::ExitCode;

use klaxon_gateway::cli::{Command, Klaxon};
use klaxon_gateway::console;

fn main() -> ExitCode {
    let done = match Klaxon::from_process().command {
        Command::Serve(options) => serve::serve(&options),
        Command::Host(options) => console::run(&options, &packs::read),
        Command::Replay(options) => replay::replay(&options),
        Command::Pack(command) => packs::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
