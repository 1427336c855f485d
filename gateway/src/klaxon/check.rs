//! `klaxon check`: says everything that is wrong with a show's file, or plays it dry.

use std::io::Write;
use std::path::Path;

use klaxon_engine::dry_run::{self, DryOptions};
use klaxon_engine::show_file;
use klaxon_gateway::cli::CheckOptions;
use klaxon_protocol::host::CreateGame;
use klaxon_protocol::ids::CommandId;

/// Reads a show's file, for the command that creates it.
pub fn read(file: &Path, id: CommandId) -> anyhow::Result<CreateGame> {
    Ok(show_file::read(file)?.create(id))
}

pub fn check(&CheckOptions { ref file, players, seed }: &CheckOptions) -> anyhow::Result<()> {
    let show = show_file::read(file)?;
    let report = dry_run::play(&show, DryOptions { players, seed })?;
    write!(std::io::stdout(), "{report}")?;
    Ok(())
}
