//! `klaxon forget`: takes a person out of what is kept of shows.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use klaxon_engine::archive::SqlArchive;
use klaxon_engine::journal::{FileJournal, Forgotten, SyncPolicy, listed_shows};
use klaxon_engine::seal::SealKeys;
use klaxon_gateway::cli::ForgetOptions;
use klaxon_protocol::ids::{PlayerId, ShowId};

use crate::cluster;
use crate::replay::seal_keys;

pub async fn forget(options: &ForgetOptions) -> anyhow::Result<ExitCode> {
    let ForgetOptions { player, data_dir, database, show, .. } = options;
    let keys = seal_keys(options.seal_key_file.as_deref())?;
    let mut is_forgotten = true;
    // A spool before Kafka: whatever is uploaded from it later does not name them any more.
    if let Some(data) = data_dir {
        is_forgotten &= in_directory(data, player, *show, &keys).await?;
    }
    if options.redis.is_some() || options.kafka.is_some() {
        is_forgotten &= cluster::forget(options, &keys).await?;
        println!(
            "Shows of a cluster that were begun by an older version name players in their journals, which are as they were. Spools that were not \
             named still have them on their disks, and do not upload them: see docs/operations.md."
        );
    }
    if let Some(url) = database {
        let archive = SqlArchive::open(url.expose()).await?;
        in_archive(&archive, &url.to_string(), player, *show).await?;
    }
    Ok(if is_forgotten { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the person is forgotten everywhere in the data directory of a `klaxon serve` or a `klaxon engine`.
async fn in_directory(data: &Path, player: &PlayerId, show: Option<ShowId>, keys: &SealKeys) -> anyhow::Result<bool> {
    let journals = ["journal", "spool"].map(|name| data.join(name)).into_iter().find(|journals| journals.is_dir());
    let journals = journals.with_context(|| {
        format!("{} is no data directory of `klaxon serve` or `klaxon engine`: it has no journals", data.display())
    })?;
    let journal = FileJournal::open(&journals, SyncPolicy::Always).await.context("stop the server first")?;
    let forgotten = journal.forget(player, show, keys).await?;
    println!("{}: {forgotten}", journals.display());
    let Forgotten { named_in, unread, .. } = forgotten;
    let file = data.join("archive.sqlite");
    if file.exists() {
        let archive = SqlArchive::open_file(&file).await?;
        in_archive(&archive, &file.display().to_string(), player, show).await?;
    }
    for show in &named_in {
        println!(
            "{} names them itself, as it was begun by an older version, and is as it was: delete it to forget them",
            journals.join(format!("{show}.klxj")).display()
        );
    }
    for problem in &unread {
        println!("This can't be read, and may name them: {problem}");
    }
    println!("Backups, logs, and what hosts wrote are as they were.");
    Ok(named_in.is_empty() && unread.is_empty())
}

async fn in_archive(archive: &SqlArchive, what: &str, player: &PlayerId, show: Option<ShowId>) -> anyhow::Result<()> {
    let shows = archive.forget(player, show).await?;
    archive.close().await;
    println!("{what}: their rows name them no more, of {}", listed_shows(&shows));
    Ok(())
}
