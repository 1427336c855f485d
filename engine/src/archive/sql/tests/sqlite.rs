//! What only an archive in a file can get wrong.

use std::os::unix::fs::PermissionsExt;

use sqlx::Row;
use tempfile::TempDir;

use super::super::super::contract::{archive_contract, player, question, show};
use super::super::*;

async fn new_archive() -> (SqlArchive, TempDir) {
    let directory = TempDir::new().unwrap();
    let archive = SqlArchive::open_file(&directory.path().join("archive.db")).await.unwrap();
    (archive, directory)
}

archive_contract!(new_archive().await);

#[tokio::test]
async fn the_documentation_names_every_table_and_index() {
    let (archive, _directory) = new_archive().await;
    let documentation = include_str!("../../../../../docs/archive.md");
    let names =
        sqlx::query("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'");
    let names = names.fetch_all(&archive.pool).await.unwrap();
    assert_eq!(names.len(), 15);
    for row in names {
        let name: &str = row.get("name");
        assert!(documentation.contains(&format!("`{name}`")), "{name}");
    }
}

#[tokio::test]
async fn a_file_holds_what_was_stored_when_it_is_opened_again() {
    let (archive, directory) = new_archive().await;
    let results = show(3, 9, vec![question(1, [1, 2, 3], false)], vec![player(0, "ann", 1, 5)]);
    archive.store(&results).await.unwrap();
    archive.close().await;
    let again = SqlArchive::open_file(&directory.path().join("archive.db")).await.unwrap();
    assert_eq!(again.show(ShowId(3)).await.unwrap(), Some(results.summary));
}

#[tokio::test]
async fn two_processes_may_use_one_file() {
    let (archive, directory) = new_archive().await;
    let second = SqlArchive::open_file(&directory.path().join("archive.db")).await.unwrap();
    for (number, archive) in (0..).zip([&archive, &second, &archive, &second]) {
        archive.store(&show(number, number, Vec::new(), vec![player(0, "ann", 1, 5)])).await.unwrap();
    }
    let ann = PlayerId::parse("ann").unwrap();
    assert_eq!(archive.history_of(&ann, 9).await.unwrap(), second.history_of(&ann, 9).await.unwrap());
    assert_eq!(archive.history_of(&ann, 9).await.unwrap().len(), 4);
}

#[tokio::test]
async fn others_on_the_machine_can_not_read_it() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("results/archive.db");
    let archive = SqlArchive::open_file(&path).await.unwrap();
    archive.store(&show(3, 9, Vec::new(), vec![player(0, "ann", 1, 5)])).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert!(path.with_extension("db-wal").exists(), "readers do not wait for whoever stores");
}

#[tokio::test]
async fn a_file_that_is_no_archive_is_named_and_left_alone() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notes.txt");
    let notes = "These are notes, and no database at all.\n".repeat(100);
    std::fs::write(&path, &notes).unwrap();
    let refused = SqlArchive::open_file(&path).await.unwrap_err();
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
}

#[tokio::test]
async fn a_closed_archive_says_that_it_is_unavailable() {
    let (archive, _directory) = new_archive().await;
    archive.close().await;
    assert!(matches!(archive.show(ShowId(1)).await, Err(ArchiveError::Unavailable(_))));
}
