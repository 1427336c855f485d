//! What only an archive in a file can get wrong.

use std::os::unix::fs::PermissionsExt;

use sqlx::{AssertSqlSafe, Row};
use tempfile::TempDir;

use super::super::contract::{archive_contract, player, question, show};
use super::*;

async fn new_archive() -> (SqliteArchive, TempDir) {
    let directory = TempDir::new().unwrap();
    let archive = SqliteArchive::open(&directory.path().join("archive.db")).await.unwrap();
    (archive, directory)
}

archive_contract!(new_archive().await);

/// What SQLite says it would do, a line a step.
async fn plan_of(archive: &SqliteArchive, query: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
    let rows = sqlx::query(explain).fetch_all(&archive.pool).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn every_query_uses_the_index_that_is_there_for_it_and_reads_no_whole_table() {
    let (archive, _directory) = new_archive().await;
    let by_show = "s USING COVERING INDEX sqlite_autoindex_shows_1";
    let documented = [
        (queries::SHOW, vec!["s USING INDEX sqlite_autoindex_shows_1"], false),
        (queries::QUESTIONS, vec![by_show, "q USING PRIMARY KEY", "c USING PRIMARY KEY"], false),
        (queries::PODIUM, vec![by_show, "p USING INDEX players_by_place"], false),
        (queries::HISTORY, vec!["p USING INDEX players_by_player", "s USING INTEGER PRIMARY KEY"], true),
        (queries::HARDEST, vec!["q USING INDEX questions_by_share", "s USING INTEGER PRIMARY KEY"], false),
        (
            queries::WINNERS,
            vec!["s USING COVERING INDEX shows_by_end", "p USING COVERING INDEX players_by_prize"],
            true,
        ),
    ];
    for stored in [false, true] {
        for (query, indices, sorts) in &documented {
            let (sorting, steps): (Vec<_>, Vec<_>) =
                plan_of(&archive, query).await.into_iter().partition(|step| step.starts_with("USE TEMP B-TREE"));
            assert_eq!(steps.len(), indices.len(), "{steps:?}");
            for (step, index) in steps.iter().zip(indices) {
                assert!(step.starts_with("SEARCH") && step.contains(index), "{step:?} should search {index:?}");
            }
            assert_eq!(!sorting.is_empty(), *sorts, "{query}: {sorting:?}");
        }
        // Once more as SQLite sees it when it knows what is in the tables.
        if !stored {
            for number in 0..50 {
                let players =
                    (0..20).map(|seat| player(seat, &format!("player-{seat}"), seat, u64::from(seat / 10))).collect();
                archive.store(&show(number, number, vec![question(1, [1, 2, 3], false)], players)).await.unwrap();
            }
            sqlx::query("ANALYZE").execute(&archive.pool).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_documentation_names_every_table_and_index() {
    let (archive, _directory) = new_archive().await;
    let documentation = include_str!("../../../../docs/archive.md");
    let names =
        sqlx::query("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'");
    let names = names.fetch_all(&archive.pool).await.unwrap();
    assert_eq!(names.len(), 9);
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
    let again = SqliteArchive::open(&directory.path().join("archive.db")).await.unwrap();
    assert_eq!(again.show(ShowId(3)).await.unwrap(), Some(results.summary));
}

#[tokio::test]
async fn two_processes_may_use_one_file() {
    let (archive, directory) = new_archive().await;
    let second = SqliteArchive::open(&directory.path().join("archive.db")).await.unwrap();
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
    let archive = SqliteArchive::open(&path).await.unwrap();
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
    let refused = SqliteArchive::open(&path).await.unwrap_err();
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notes);
}

#[tokio::test]
async fn a_closed_archive_says_that_it_is_unavailable() {
    let (archive, _directory) = new_archive().await;
    archive.close().await;
    assert!(matches!(archive.show(ShowId(1)).await, Err(ArchiveError::Unavailable(_))));
}
