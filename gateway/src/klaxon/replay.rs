//! `klaxon replay`: replays a journal from a file or from Kafka, and compares every state with the recorded one.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use klaxon_engine::game::Games;
use klaxon_engine::replay;
use klaxon_engine::seal::{SealKeys, open_journal};
use klaxon_gateway::cli::ReplayOptions;
use klaxon_gateway::config::seal_secrets;
use klaxon_protocol::register::Register;

use crate::cluster;

/// A journal's bytes, what stands apart from it, and what it is called.
struct Journal {
    name: String,
    bytes: Vec<u8>,
    people: Register,
}

async fn read(options: &ReplayOptions) -> anyhow::Result<Journal> {
    let keys = match &options.seal_key_file {
        Some(path) => SealKeys::of_secrets(&seal_secrets(path).context("seal-key-file")?),
        None => SealKeys::default(),
    };
    if let Some(path) = &options.journal {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("can't read {name}"))?;
        let bytes = open_journal(&keys, bytes).with_context(|| name.clone())?;
        return Ok(Journal { name, bytes, people: beside(path)? });
    }
    let (Some(kafka), Some(show)) = (&options.kafka, options.show) else {
        anyhow::bail!("name a journal's file, or --kafka and --show");
    };
    let name = format!("show {show} in {kafka}/{}", options.kafka_topic);
    let read = cluster::read_journal(kafka, &options.kafka_topic, show).await;
    let bytes = read.and_then(|bytes| Ok(open_journal(&keys, bytes)?)).with_context(|| name.clone())?;
    if let Some(save) = &options.save {
        // The journal contains the right answers, so the file is private.
        let mut file = OpenOptions::new();
        file.write(true).create(true).truncate(true).mode(0o600);
        file.open(save)
            .and_then(|mut file| file.write_all(&bytes))
            .with_context(|| format!("can't write {}", save.display()))?;
    }
    Ok(Journal { name, bytes, people: Register::default() })
}

/// Who is who, from the file beside the journal's, if it is there.
fn beside(journal: &Path) -> anyhow::Result<Register> {
    let path = journal.with_extension("klxp");
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
