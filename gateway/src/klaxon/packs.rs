//! `klaxon pack`: looks at packs, and brings them from other formats into Klaxon's own.

use std::path::Path;

use anyhow::Context;
use klaxon_engine::pack::{self, Format};
use klaxon_gateway::cli::PackCommand;
use klaxon_protocol::pack::Pack;
use klaxon_protocol::text::harmless_json;

/// The name that stands for the bundled pack wherever a pack file is wanted.
const BUNDLED: &str = "bundled";

/// Reads a pack for a new show.
pub fn read(file: &Path) -> anyhow::Result<Pack> {
    if file == Path::new(BUNDLED) { Ok(pack::bundled()) } else { Ok(pack::read(file, None)?) }
}

pub fn run(command: &PackCommand) -> anyhow::Result<()> {
    match command {
        PackCommand::Check { file, format } => {
            let pack = read_as(file, format.as_deref())?;
            println!("{:?}: {} questions, ready to be played", pack.title, pack.questions.len());
        }
        PackCommand::Show { file } => println!("{}", harmless_json(&serde_json::to_string_pretty(&read(file)?)?)),
        PackCommand::Import { file, format, to } => {
            let pack = read_as(file, format.as_deref())?;
            std::fs::write(to, pack::to_toml(&pack)).with_context(|| format!("can't write {}", to.display()))?;
            println!("{:?}: {} questions, written to {}", pack.title, pack.questions.len(), to.display());
        }
    }
    Ok(())
}

fn read_as(file: &Path, format: Option<&str>) -> anyhow::Result<Pack> {
    match format {
        None => read(file),
        Some(name) => Ok(pack::read(file, Some(name.parse::<Format>()?))?),
    }
}
