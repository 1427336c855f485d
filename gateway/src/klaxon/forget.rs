//! `klaxon forget`: takes a person out of what is kept of shows.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use klaxon_engine::archive::SqlArchive;
use klaxon_engine::journal::{FileJournal, Forgotten, SyncPolicy};
use klaxon_gateway::cli::ForgetOptions;
use klaxon_protocol::ids::{PlayerId, ShowId};

pub async fn forget(options: &ForgetOptions) -> anyhow::Result<ExitCode> {
    let ForgetOptions { player, data_dir, database, show } = options;
    let mut is_forgotten = true;
    if let Some(data) = data_dir {
        is_forgotten = in_directory(data, player, *show).await?;
    }
    if let Some(url) = database {
        let archive = SqlArchive::open(url.expose()).await?;
        in_archive(&archive, &url.to_string(), player, *show).await?;
        println!(
            "The journals that a cluster keeps in Kafka, and in Redis while a show goes on, name players, and are as they were: see \
             docs/operations.md."
        );
    }
    Ok(if is_forgotten { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the person is forgotten everywhere in the data directory of a `klaxon serve`.
async fn in_directory(data: &Path, player: &PlayerId, show: Option<ShowId>) -> anyhow::Result<bool> {
    let journals = data.join("journal");
    anyhow::ensure!(journals.is_dir(), "{} is no data directory of `klaxon serve`: it has no journals", data.display());
    let journal = FileJournal::open(&journals, SyncPolicy::Always).await.context("stop the server first")?;
    let Forgotten { shows, records, named_in, unread } = journal.forget(player, show).await?;
    println!("{}: {records} records of them taken out, of {}", journals.display(), listed(&shows));
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
    println!("{what}: their rows name them no more, of {}", listed(&shows));
    Ok(())
}

fn listed<'s>(shows: impl IntoIterator<Item = &'s ShowId>) -> String {
    let shows: Vec<String> = shows.into_iter().map(ToString::to_string).collect();
    match &shows[..] {
        [] => "no show".to_owned(),
        [show] => format!("show {show}"),
        shows => format!("shows {}", shows.join(", ")),
    }
}
