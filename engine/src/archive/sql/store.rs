//! Writes results to the tables.

use klaxon_protocol::ids::ShowId;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

use super::dialect::{Dialect, OnConflict, Table};
use super::{failed, queries, rows};
use crate::archive::{ArchiveError, Played, PlayerResults, QuestionResult, ShowResults};

/// How many values one statement holds at most; SQLite takes 32,766, the others 65,535.
const VALUES: usize = 10_000;

const SHOWS: Table = Table {
    name: "shows",
    columns: &[
        "show",
        "code",
        "title",
        "mode",
        "created_at",
        "ended_at",
        "joined",
        "pot",
        "currency",
        "paid",
        "rolled_over",
    ],
    key: &["show"],
    again: OnConflict::Replaced,
};
const QUESTIONS: Table = Table {
    name: "questions",
    columns: &[
        "show_id",
        "question",
        "text",
        "category",
        "difficulty",
        "right_choice",
        "answers",
        "right_answers",
        "silent",
        "voided",
        "asked_at",
        "closed_at",
    ],
    key: &["show_id", "question"],
    again: OnConflict::Refused,
};
const CHOICES: Table = Table {
    name: "choices",
    columns: &["show_id", "question", "choice", "text", "answers"],
    key: &["show_id", "question", "choice"],
    again: OnConflict::Refused,
};
const PLAYERS: Table = Table {
    name: "players",
    columns: &[
        "show_id",
        "seat",
        "player",
        "name",
        "alive",
        "lives",
        "score",
        "right_answers",
        "out_at",
        "place",
        "prize",
    ],
    key: &["show_id", "seat"],
    again: OnConflict::Refused,
};
const PRIZES: Table = Table {
    name: "prizes",
    columns: &["show_id", "seat", "player", "name", "currency", "ended_at", "amount"],
    key: &["show_id", "seat"],
    again: OnConflict::Refused,
};

const GAMES: Table =
    Table { name: "games", columns: &["show_id", "game"], key: &["show_id"], again: OnConflict::Refused };
const ROUNDS: Table = Table {
    name: "rounds",
    columns: &["show_id", "round", "body"],
    key: &["show_id", "round"],
    again: OnConflict::Refused,
};

/// Deletes the rows that refer to a show's row, leaves first.
const DELETE_SHOW: [&str; 6] = [
    "DELETE FROM rounds WHERE show_id = ?",
    "DELETE FROM games WHERE show_id = ?",
    "DELETE FROM prizes WHERE show_id = ?",
    "DELETE FROM players WHERE show_id = ?",
    "DELETE FROM choices WHERE show_id = ?",
    "DELETE FROM questions WHERE show_id = ?",
];

/// A statement whose parameters are being bound.
pub(super) type Statement<'q> = Query<'q, Any, AnyArguments>;

/// Inserts the rows, many in a statement; `bind` gives a row's values in the order of the table's columns.
pub(super) async fn insert<T>(
    connection: &mut AnyConnection,
    dialect: Dialect,
    table: &Table,
    rows: &[T],
    bind: impl for<'q> Fn(Statement<'q>, &'q T) -> Statement<'q>,
) -> Result<(), sqlx::Error> {
    let most = VALUES / table.columns.len();
    for chunk in rows.chunks(most) {
        let insert = dialect.insert(table, chunk.len());
        // Only statements whose text recurs are worth caching: single rows and full chunks.
        let mut statement = sqlx::query(AssertSqlSafe(insert)).persistent(chunk.len() == 1 || chunk.len() == most);
        for row in chunk {
            statement = bind(statement, row);
        }
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

/// SQL's integers are signed. Amounts of money and times of a show were checked to fit before; the remaining numbers
/// never get that large.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn bad(show: ShowId, problem: impl Into<String>) -> ArchiveError {
    ArchiveError::BadResults { show, problem: problem.into() }
}

/// Maps a constraint violation to [`ArchiveError::BadResults`]: then the results contradict themselves, and the
/// database is fine.
fn refused(show: ShowId) -> impl Fn(sqlx::Error) -> ArchiveError {
    move |error| match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() || database.is_check_violation() => {
            bad(show, database.message())
        }
        _ => failed(error),
    }
}

/// # Errors
/// [`ArchiveError::BadResults`] if no database could hold these.
pub(super) fn check(results: &ShowResults) -> Result<(), ArchiveError> {
    let show = results.summary.show;
    let fits = |what: &str, value: u64| match i64::try_from(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(bad(show, format!("{what} is {value}; the archive holds at most {}", i64::MAX))),
    };
    let summary = &results.summary;
    fits("created_at", summary.created_at.0)?;
    fits("ended_at", summary.ended_at.0)?;
    fits("the pot", summary.pot)?;
    fits("what was paid", summary.paid)?;
    fits("what rolled over", summary.rolled_over)?;
    for question in &results.questions {
        let QuestionResult { question, choices, counts, right, asked_at, closed_at, .. } = question;
        if choices.len() != counts.len() {
            let (choices, counts) = (choices.len(), counts.len());
            return Err(bad(show, format!("question {question} has {choices} choices, {counts} counts")));
        }
        if right.index() >= choices.len() {
            return Err(bad(show, format!("question {question} has {} choices, {right} is right", choices.len())));
        }
        fits("asked_at", asked_at.0)?;
        fits("closed_at", closed_at.0)?;
    }
    results.players.iter().try_for_each(|player| fits("a prize", player.prize))
}

/// Replaces what is stored of the show by these results, which [`check`] accepted.
pub(super) async fn replace(
    connection: &mut AnyConnection,
    dialect: Dialect,
    results: &ShowResults,
) -> Result<(), ArchiveError> {
    let show = results.summary.show;
    // The show's row is written first: a concurrent transaction that stores the same show waits for it.
    insert_show(connection, dialect, results).await.map_err(refused(show))?;
    let id = key(connection, dialect, show).await.map_err(failed)?;
    for delete in DELETE_SHOW {
        let delete = sqlx::query(AssertSqlSafe(dialect.sql(delete))).bind(id);
        delete.execute(&mut *connection).await.map_err(failed)?;
    }
    insert_questions(connection, dialect, id, &results.questions).await.map_err(refused(show))?;
    insert_game(connection, dialect, id, results).await.map_err(refused(show))?;
    insert_players(connection, dialect, id, results).await.map_err(refused(show))
}

async fn insert_show(
    connection: &mut AnyConnection,
    dialect: Dialect,
    results: &ShowResults,
) -> Result<(), sqlx::Error> {
    insert(connection, dialect, &SHOWS, std::slice::from_ref(&results.summary), |row, summary| {
        row.bind(summary.show.to_string())
            .bind(summary.code.as_str())
            .bind(&summary.title)
            .bind(rows::mode_text(summary.played.mode()))
            .bind(integer(summary.created_at.0))
            .bind(integer(summary.ended_at.0))
            .bind(i64::from(summary.joined))
            .bind(integer(summary.pot))
            .bind(&summary.currency)
            .bind(integer(summary.paid))
            .bind(integer(summary.rolled_over))
    })
    .await
}

/// The show's key in this database.
async fn key(connection: &mut AnyConnection, dialect: Dialect, show: ShowId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(AssertSqlSafe(dialect.sql(queries::KEY))).bind(show.to_string()).fetch_one(connection).await
}

async fn insert_questions(
    connection: &mut AnyConnection,
    dialect: Dialect,
    id: i64,
    questions: &[QuestionResult],
) -> Result<(), sqlx::Error> {
    insert(connection, dialect, &QUESTIONS, questions, |row, question| {
        row.bind(id)
            .bind(i64::from(question.question.0))
            .bind(&question.text)
            .bind(question.category.as_deref())
            .bind(question.difficulty.map(rows::difficulty_text))
            .bind(i64::from(question.right.0))
            .bind(question.counts.iter().copied().map(i64::from).sum::<i64>())
            .bind(question.counts.get(question.right.index()).copied().map_or(0, i64::from))
            .bind(i64::from(question.silent))
            .bind(i64::from(question.voided))
            .bind(integer(question.asked_at.0))
            .bind(integer(question.closed_at.0))
    })
    .await?;
    let choices: Vec<_> = questions
        .iter()
        .flat_map(|question| {
            let choices = question.choices.iter().zip(&question.counts).zip(0_i64..);
            choices.map(|((text, &answers), choice)| (question.question, choice, text, answers))
        })
        .collect();
    insert(connection, dialect, &CHOICES, &choices, |row, &(question, choice, text, answers)| {
        row.bind(id).bind(i64::from(question.0)).bind(choice).bind(text).bind(i64::from(answers))
    })
    .await
}

async fn insert_game(
    connection: &mut AnyConnection,
    dialect: Dialect,
    id: i64,
    results: &ShowResults,
) -> Result<(), sqlx::Error> {
    if let Played::Game(game) = &results.summary.played {
        insert(connection, dialect, &GAMES, std::slice::from_ref(game), |row, game| row.bind(id).bind(game.as_str()))
            .await?;
    }
    insert(connection, dialect, &ROUNDS, &results.rounds, |row, round| {
        row.bind(id).bind(i64::from(round.round.0)).bind(round.body.to_string())
    })
    .await
}

async fn insert_players(
    connection: &mut AnyConnection,
    dialect: Dialect,
    id: i64,
    results: &ShowResults,
) -> Result<(), sqlx::Error> {
    insert(connection, dialect, &PLAYERS, &results.players, |row, player| {
        row.bind(id)
            .bind(i64::from(player.seat.0))
            .bind(dialect.text(player.player.as_str()))
            .bind(player.name.as_str())
            .bind(i64::from(player.alive))
            .bind(i64::from(player.lives))
            .bind(i64::from(player.score))
            .bind(i64::from(player.right_answers))
            .bind(player.out_at.map(|question| i64::from(question.0)))
            .bind(i64::from(player.place))
            .bind(integer(player.prize))
    })
    .await?;
    let summary = &results.summary;
    let winners: Vec<&PlayerResults> = results.players.iter().filter(|player| player.prize > 0).collect();
    insert(connection, dialect, &PRIZES, &winners, |row, player| {
        row.bind(id)
            .bind(i64::from(player.seat.0))
            .bind(dialect.text(player.player.as_str()))
            .bind(player.name.as_str())
            .bind(summary.currency.as_str())
            .bind(integer(summary.ended_at.0))
            .bind(integer(player.prize))
    })
    .await
}
