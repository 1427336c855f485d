//! `klaxon replay`: replays a journal from a file or from Kafka, and compares every state with the recorded one.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use klaxon_engine::game::Games;
use klaxon_engine::replay;
use klaxon_engine::seal::{SealKeys, open_journal, open_records};
use klaxon_gateway::cli::ReplayOptions;
use klaxon_gateway::config::seal_secrets;
use klaxon_protocol::register::{Register, as_files};

use crate::cluster;

/// A journal's bytes, what stands apart from it, and what it is called.
struct Journal {
    name: String,
    bytes: Vec<u8>,
    people: Register,
}

/// The keys in this file.
pub fn seal_keys(file: Option<&Path>) -> anyhow::Result<SealKeys> {
    Ok(match file {
        Some(path) => SealKeys::of_secrets(&seal_secrets(path).context("seal-key-file")?),
        None => SealKeys::default(),
    })
}

async fn read(options: &ReplayOptions) -> anyhow::Result<Journal> {
    let keys = seal_keys(options.seal_key_file.as_deref())?;
    if let Some(path) = &options.journal {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("can't read {name}"))?;
        let (bytes, people) = open_journal(&keys, bytes, beside(path)?).with_context(|| name.clone())?;
        return Ok(Journal { name, bytes, people });
    }
    let (Some(kafka), Some(show)) = (&options.kafka, options.show) else {
        anyhow::bail!("name a journal's file, or --kafka and --show");
    };
    let name = format!("show {show} in {kafka}/{}", options.kafka_topic);
    let sealed = cluster::read_journal(options, kafka, show).await.with_context(|| name.clone())?;
    let opened = open_records(&keys, sealed);
    let records = opened.map_err(|(number, error)| anyhow::anyhow!("{name}: record {number}: {error}"))?;
    let (bytes, people) = as_files(&records)?;
    if let Some(path) = &options.save {
        save(&path.with_extension(PEOPLE_EXTENSION), &people)?;
        save(path, &bytes)?;
    }
    Ok(Journal { name, bytes, people: Register::read(&people)? })
}

/// The end of the name of the file with what stands apart from a journal.
const PEOPLE_EXTENSION: &str = "klxp";

/// Writes a file, for its owner only: it has the right answers, or names.
fn save(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new();
    file.write(true).create(true).truncate(true).mode(0o600);
    let written = file.open(path).and_then(|mut file| file.write_all(bytes));
    written.with_context(|| format!("can't write {}", path.display()))
}

/// Who is who, from the file beside the journal's, if it is there.
fn beside(journal: &Path) -> anyhow::Result<Register> {
    let path = journal.with_extension(PEOPLE_EXTENSION);
    match std::fs::read(&path) {
        Ok(bytes) => Register::read(&bytes).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Register::default()),
        Err(error) => Err(error).with_context(|| format!("can't read {}", path.display())),
    }
}

pub async fn replay(options: &ReplayOptions) -> anyhow::Result<()> {
    let Journal { name, bytes, people } = read(options).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut printed = Ok(());
    let replayed = replay::replay_with(&Games::default(), &bytes, people, |record, _| {
        if printed.is_ok() {
            printed = writeln!(out, "{}", replay::line(record));
        }
    });
    printed.and_then(|()| out.flush()).context("can't print the show")?;
    let rebuilt = replayed.context(name)?;
    writeln!(
        out,
        "identical: {} records of show {}, last state {:016x}",
        rebuilt.records,
        rebuilt.show,
        rebuilt.game.state_hash()
    )?;
    Ok(out.flush()?)
}
