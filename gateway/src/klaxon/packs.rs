//! `klaxon pack`: checks packs, and converts them from other formats to Klaxon's own.

use std::path::Path;

use anyhow::Context;
use klaxon_engine::pack::{self, Format, Imported, QuizPack, ReadOptions};
use klaxon_gateway::cli::{PackCommand, PackFormat};
use klaxon_protocol::games::trivia::Pack;
use klaxon_protocol::text::harmless_json;
use serde_json::json;

/// Reads a pack for a new show of trivia.
pub fn read(file: &Path) -> anyhow::Result<Pack> {
    Ok(pack::import(file, ReadOptions::default())?.pack)
}

pub fn run(command: &PackCommand) -> anyhow::Result<()> {
    match command {
        PackCommand::Check { file, written } => println!("{}", ready(&import(file, written, false)?.pack)),
        PackCommand::Show { file } => {
            let pack = pack::import_quiz(file, ReadOptions::default())?.pack;
            let shown = match pack.clone().into_trivia() {
                Some(trivia) => serde_json::to_string_pretty(&trivia)?,
                None => serde_json::to_string_pretty(&json!({ "part": "quiz", "questions": pack.into_questions() }))?,
            };
            println!("{}", harmless_json(&shown));
        }
        PackCommand::Import { file, written, skip_bad, to } => {
            let Imported { pack, left_out, .. } = import(file, written, *skip_bad)?;
            std::fs::write(to, in_native_format(&pack, to)).with_context(|| format!("can't write {}", to.display()))?;
            let left_out = left_out.map_or_else(String::new, |left_out| format!(", {} left out", left_out.questions));
            println!("{:?}: {} questions, written to {}{left_out}", pack.title, pack.questions.len(), to.display());
        }
    }
    Ok(())
}

/// What can be played of a pack, and where.
fn ready(pack: &QuizPack) -> String {
    let kinds: Vec<String> = pack.kinds().into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let place = if pack.clone().into_trivia().is_some() { "" } else { " in a quiz" };
    format!("{:?} ({}): {} questions, ready to be played{place}", pack.title, kinds.join(", "), pack.questions.len())
}

/// The pack as a file: of trivia's questions if trivia can ask all of them, and in JSON if the file's name says so.
fn in_native_format(pack: &QuizPack, to: &Path) -> String {
    let is_json = to.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let trivia = pack.clone().into_trivia().filter(|_| pack.language.is_none());
    match (trivia, is_json) {
        (Some(trivia), false) => pack::to_toml(&trivia),
        (Some(trivia), true) => pack::to_json(&trivia),
        (None, false) => pack.to_toml(),
        (None, true) => pack.to_json(),
    }
}

/// Reads a pack, and prints warnings about it to standard error.
fn import(file: &Path, written: &PackFormat, skip_bad: bool) -> anyhow::Result<Imported<QuizPack>> {
    let format = written.format.as_deref().map(str::parse::<Format>).transpose()?;
    let sheet = written.sheet.as_deref();
    let reading = ReadOptions { format, sheet, skip_bad, title: None };
    let imported = if written.trivia {
        let Imported { pack, notes, left_out } = pack::import(file, reading)?;
        Imported { pack: pack.into(), notes, left_out }
    } else {
        pack::import_quiz(file, reading)?
    };
    for note in &imported.notes {
        eprintln!("note: {}: {note}", file.display());
    }
    if let Some(left_out) = &imported.left_out {
        eprintln!("left out:\n{left_out}");
    }
    Ok(imported)
}
