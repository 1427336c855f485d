//! `klaxon pack`: checks packs, and converts them from other formats to Klaxon's own.

use std::path::Path;

use anyhow::Context;
use klaxon_engine::pack::{self, Format, Imported, ReadOptions};
use klaxon_gateway::cli::{PackCommand, PackFormat};
use klaxon_protocol::games::trivia::Pack;
use klaxon_protocol::text::harmless_json;

/// Reads a pack for a new show.
pub fn read(file: &Path) -> anyhow::Result<Pack> {
    if file == Path::new(pack::BUNDLED) { Ok(pack::bundled()) } else { Ok(pack::read(file, None)?) }
}

pub fn run(command: &PackCommand) -> anyhow::Result<()> {
    match command {
        PackCommand::Check { file, written } => {
            let pack = import(file, written, false)?.pack;
            println!("{:?}: {} questions, ready to be played", pack.title, pack.questions.len());
        }
        PackCommand::Show { file } => println!("{}", harmless_json(&serde_json::to_string_pretty(&read(file)?)?)),
        PackCommand::Import { file, written, skip_bad, to } => {
            let Imported { pack, left_out, .. } = import(file, written, *skip_bad)?;
            std::fs::write(to, pack::to_toml(&pack)).with_context(|| format!("can't write {}", to.display()))?;
            let left_out = left_out.map_or_else(String::new, |left_out| format!(", {} left out", left_out.questions));
            println!("{:?}: {} questions, written to {}{left_out}", pack.title, pack.questions.len(), to.display());
        }
    }
    Ok(())
}

/// Reads a pack, and prints warnings about it to standard error.
fn import(file: &Path, written: &PackFormat, skip_bad: bool) -> anyhow::Result<Imported> {
    let format = written.format.as_deref().map(str::parse::<Format>).transpose()?;
    let sheet = written.sheet.as_deref();
    if format.is_none() && file == Path::new(pack::BUNDLED) {
        return Ok(Imported { pack: pack::bundled(), notes: Vec::new(), left_out: None });
    }
    let imported = pack::import(file, ReadOptions { format, sheet, skip_bad, title: None })?;
    for note in &imported.notes {
        eprintln!("note: {}: {note}", file.display());
    }
    if let Some(left_out) = &imported.left_out {
        eprintln!("left out:\n{left_out}");
    }
    Ok(imported)
}
