//! What each query costs: the databases' own plans, compared with those that docs/archive.md names.

use std::collections::BTreeSet;

use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::time::Millis;
use klaxon_servers::MariaDb;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use tempfile::TempDir;

use super::super::{SqlArchive, queries};
use super::servers::postgres;
use crate::archive::Archive;
use crate::archive::contract::{player, question, show};

/// The shows that are there, a thousand a month, each of a hundred players, five of whom won something.
const SHOWS: u32 = 10_000;

/// The index on `shows.show`, whatever its name.
const SHOW: &str = "s show";

/// What is asked.
struct Asked {
    name: &'static str,
    query: &'static str,
    /// For its question marks, in order.
    values: &'static [&'static str],
    /// Which tables it reads, each by which index.
    by: &'static [&'static str],
}

const fn asked(
    name: &'static str,
    query: &'static str,
    values: &'static [&'static str],
    by: &'static [&'static str],
) -> Asked {
    Asked { name, query, values, by }
}

const ASKED: [Asked; 10] = [
    asked("show", queries::SHOW, &["'5000'"], &["g primary", SHOW]),
    asked("rounds", queries::ROUNDS, &["'5000'"], &["r primary", SHOW]),
    asked("questions", queries::QUESTIONS, &["'5000'"], &["c primary", "q primary", SHOW]),
    asked("podium", queries::PODIUM, &["'5000'", "10"], &["p players_by_place", SHOW]),
    asked("results", queries::PLAYERS, &["'5000'"], &["p primary", SHOW]),
    asked("history_of", queries::HISTORY, &["'player-777'", "10"], &["g primary", "p players_by_player", "s primary"]),
    asked("hardest_questions", queries::HARDEST, &["10"], &["q questions_by_share", "s primary"]),
    asked("top_winners", queries::WINNERS, &["'EUR'", "2592000000", "5184000000", "10"], &["r prizes_by_end"]),
    asked("answers", queries::ANSWERS, &["'5000'"], &["a primary"]),
    asked("shows_going_on", queries::JOURNALS, &["'shows'", "3", "0"], &["j journals_by_state"]),
];

/// This index is in the order in which it is asked, so it is read from its start for as long as rows are wanted.
const IN_ORDER: &str = "questions_by_share";

/// A query with its values in it.
fn filled(query: &str, values: &[&str]) -> String {
    let mut parts = query.split('?');
    let first = parts.next().unwrap().to_owned();
    parts.zip(values).fold(first, |filled, (part, value)| filled + value + part)
}

async fn explained(archive: &SqlArchive, explain: &str, asked: &Asked) -> Vec<AnyRow> {
    let query = archive.dialect.sql(&filled(asked.query, asked.values));
    sqlx::query(AssertSqlSafe(format!("{explain} {query}"))).fetch_all(&archive.pool).await.unwrap()
}

/// A step's table and index, as `ASKED` writes them.
fn step(alias: &str, index: &str) -> String {
    let index = match index {
        "PRIMARY" | "PRIMARY KEY" | "INTEGER PRIMARY KEY" => "primary",
        "shows_show_key" | "sqlite_autoindex_shows_1" => "show",
        index if index.ends_with("_pkey") => "primary",
        index => index,
    };
    format!("{alias} {index}")
}

async fn run(archive: &SqlArchive, statements: &[String]) {
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&archive.pool).await.unwrap();
    }
}

/// Fills the tables on the server's side. `series` is a table with the numbers of a range in the column `n`.
fn filling(series: impl Fn(&str, u32, u32) -> String, text: fn(&str) -> String) -> Vec<String> {
    let shows = series("s", 1, SHOWS);
    let seats = series("p", 0, 99);
    let two = series("q", 1, 2);
    let player = text("(s.n * 100 + p.n) % 100000");
    let player = format!("CONCAT('player-', {player})");
    let show = text("s.n");
    vec![
        format!(
            "INSERT INTO shows (SHOW_, code, title, mode, created_at, ended_at, joined, pot, currency, paid, rolled_over)
             SELECT {show}, 'QUIZ42', 'A show', 'both', 0, s.n * 2592000, 100, 500, 'EUR', 500, 0 FROM {shows} ORDER BY s.n"
        ),
        format!(
            "INSERT INTO games (show_id, game) SELECT s.n, 'lots' FROM {shows}"
        ),
        format!(
            "INSERT INTO rounds (show_id, round, body) SELECT s.n, q.n, '{{}}' FROM {shows} CROSS JOIN {two} ORDER BY s.n, q.n"
        ),
        format!(
            "INSERT INTO questions (show_id, question, text, right_choice, answers, right_answers, silent, voided, asked_at, closed_at)
             SELECT s.n, q.n, 'What?', 1, 100, (s.n * 37 + q.n) % 100, 0, 0, s.n, s.n FROM {shows} CROSS JOIN {two}"
        ),
        format!(
            "INSERT INTO choices (show_id, question, choice, text, answers)
             SELECT s.n, q.n, c.n, 'This', 50 FROM {shows} CROSS JOIN {two} CROSS JOIN {}",
            series("c", 0, 1)
        ),
        format!(
            "INSERT INTO players (show_id, seat, player, name, alive, lives, score, right_answers, place, prize)
             SELECT s.n, p.n, {player}, 'Ann', 1, 0, 7, 1, p.n + 1, CASE WHEN p.n < 5 THEN 100 ELSE 0 END
             FROM {shows} CROSS JOIN {seats} ORDER BY s.n, p.n"
        ),
        "INSERT INTO prizes (show_id, seat, player, name, currency, ended_at, amount)
         SELECT p.show_id, p.seat, p.player, p.name, s.currency, s.ended_at, p.prize
         FROM players p JOIN shows s ON s.id = p.show_id WHERE p.prize > 0"
            .to_owned(),
        format!(
            "INSERT INTO answers (SHOW_, question, seat, choice, read_at)
             SELECT {show}, q.n, p.n, 1, 0 FROM {shows} CROSS JOIN {two} CROSS JOIN {}",
            series("p", 0, 9)
        ),
        format!(
            "INSERT INTO journals (SHOW_, topic, PARTITION_, first_offset, next_number, fence, state)
             SELECT {show}, 'shows', s.n % 8, s.n, 100, 1, CASE WHEN s.n > 9990 THEN 0 ELSE 1 END FROM {shows}"
        ),
    ]
}

/// Both servers fill the key of a show with its number.
fn quoted(statements: Vec<String>, quote: char) -> Vec<String> {
    let quoted = |word: &str| format!("{quote}{word}{quote}");
    let each = statements.into_iter();
    each.map(|said| said.replace("SHOW_", &quoted("show")).replace("PARTITION_", &quoted("partition"))).collect()
}

/// The steps of PostgreSQL's plan, a line each, of which none may read a whole table or index.
fn steps_of_postgres(rows: &[AnyRow]) -> BTreeSet<String> {
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut steps = BTreeSet::new();
    for (at, line) in lines.iter().enumerate() {
        assert!(!line.contains("Seq Scan"), "{lines:#?}");
        if let Some((_, index)) = line.split_once(" using ") {
            let mut words = index.split_whitespace();
            let (index, alias) = (words.next().unwrap(), words.nth(2).unwrap());
            let bounded = lines.get(at + 1).is_some_and(|next| next.contains("Index Cond"));
            assert!(bounded || index == IN_ORDER, "{lines:#?}");
            steps.insert(step(alias, index));
        }
    }
    steps
}

#[tokio::test]
async fn postgres_reads_no_whole_table_of_a_million_players() {
    let (url, _server) = postgres().await;
    let archive = SqlArchive::open(&url).await.unwrap();
    let series = |name: &str, from, to| format!("(SELECT n::BIGINT AS n FROM generate_series({from}, {to}) n) {name}");
    run(&archive, &quoted(filling(series, |number| format!("({number})::TEXT")), '"')).await;
    run(&archive, &["VACUUM ANALYZE".to_owned()]).await;
    for asked in &ASKED {
        let steps = steps_of_postgres(&explained(&archive, "EXPLAIN", asked).await);
        assert!(steps.iter().eq(asked.by), "{}: {steps:?}", asked.name);
    }
}

/// The rows that the server has read so far, for everybody.
async fn rows_read(archive: &SqlArchive) -> u64 {
    let status = sqlx::query("SHOW GLOBAL STATUS LIKE 'Handler\\_read\\_%'").fetch_all(&archive.pool).await.unwrap();
    status.iter().map(|row| row.get::<String, _>("Value").parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn mariadb_reads_no_whole_table_of_a_million_players() {
    // Its own, since it is counted what it reads.
    let server = MariaDb::start().await.unwrap();
    let archive = SqlArchive::open(&server.url()).await.unwrap();
    let series = |name: &str, from, to| format!("(SELECT seq AS n FROM seq_{from}_to_{to}) {name}");
    run(&archive, &quoted(filling(series, |number| format!("CAST({number} AS CHAR)")), '`')).await;
    run(
        &archive,
        &["ANALYZE TABLE shows, games, rounds, questions, choices, players, prizes, answers, journals".to_owned()],
    )
    .await;
    for asked in &ASKED {
        let rows = explained(&archive, "EXPLAIN", asked).await;
        let column = |row: &AnyRow, name: &str| row.get::<String, _>(name);
        let steps = rows.iter().map(|row| {
            let how = column(row, "type");
            assert!(["const", "eq_ref", "ref", "range"].contains(&&*how), "{}: {how}", asked.name);
            step(&column(row, "table"), &column(row, "key"))
        });
        let steps: BTreeSet<String> = steps.collect();
        assert!(steps.iter().eq(asked.by), "{}: {steps:?}", asked.name);
    }
    // So much for the plans. This is what it does, with the values as they come from us.
    let before = rows_read(&archive).await;
    let show = ShowId(5000);
    assert_eq!(archive.results(show).await.unwrap().unwrap().players.len(), 100);
    assert_eq!(archive.podium(show, 10).await.unwrap().len(), 10);
    assert_eq!(archive.answers(show).await.unwrap().len(), 20);
    assert_eq!(archive.history_of(&PlayerId::parse("player-777").unwrap(), 20).await.unwrap().len(), 10);
    assert_eq!(archive.hardest_questions(10).await.unwrap().len(), 10);
    let month = (Millis(2_592_000_000), Millis(5_184_000_000));
    assert_eq!(archive.top_winners(month.0, month.1, "EUR", 10).await.unwrap().len(), 10);
    let read = rows_read(&archive).await - before;
    // Of these 5,000 are the month's prizes, which it reads, groups and sorts.
    assert!((5_000..50_000).contains(&read), "{read} rows were read");
}

/// The steps of SQLite's plan, of which each must search.
fn steps_of_sqlite(rows: &[AnyRow]) -> BTreeSet<String> {
    let lines: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let tables = lines.iter().filter(|line| !line.starts_with("USE TEMP B-TREE") && !line.contains("SCALAR SUBQUERY"));
    let step = |line: &String| {
        let (alias, rest) = line.strip_prefix("SEARCH ").expect(line).split_once(" USING ").expect(line);
        let (index, _) = rest.split_once(" (").expect(line);
        let index = index.trim_start_matches("COVERING ").trim_start_matches("INDEX ");
        step(alias, index)
    };
    tables.map(step).collect()
}

#[tokio::test]
async fn sqlite_reads_no_whole_table() {
    let directory = TempDir::new().unwrap();
    let archive = SqlArchive::open_file(&directory.path().join("archive.db")).await.unwrap();
    for stored in [false, true] {
        for asked in &ASKED {
            let steps = steps_of_sqlite(&explained(&archive, "EXPLAIN QUERY PLAN", asked).await);
            assert!(steps.iter().eq(asked.by), "{}: {steps:?}", asked.name);
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

#[test]
fn the_documentation_says_by_which_index_each_query_finds_its_rows() {
    let documentation = include_str!("../../../../../docs/archive.md");
    for asked in &ASKED {
        let of_it = format!("`{}`", asked.name);
        let mut lines = documentation.lines().filter(|line| line.starts_with("| `"));
        let line = lines.find(|line| line.split('|').nth(1).unwrap().contains(&of_it)).expect(asked.name);
        for index in asked.by.iter().filter_map(|by| by.split_once('_').and(by.split_once(' '))) {
            assert!(line.contains(&format!("`{}`", index.1)), "{}: {line}", asked.name);
        }
    }
}
