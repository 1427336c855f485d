//! The archive in one SQLite file.

mod queries;
mod rows;

#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::time::Millis;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, SqlitePool};

use super::{
    Archive, ArchiveError, HardQuestion, PlayedShow, PlayerResults, QuestionResult, ShowResults, ShowSummary, Winner,
};

/// How long a query waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);
/// How many connections there are: one that stores and some that ask.
const CONNECTIONS: u32 = 4;
/// How many rows one statement inserts; SQLite takes 32,766 values a statement.
const BATCH: usize = 1000;

/// The archive in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteArchive {
    pool: SqlitePool,
}

impl SqliteArchive {
    /// Opens the archive in the file `path`, which is made if it is not there (mode 600; missing directories have mode 700),
    /// and brings its tables up to date.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`], naming the file.
    pub async fn open(path: &Path) -> Result<Self, ArchiveError> {
        let failed = |error: &dyn std::fmt::Display| ArchiveError::Unavailable(format!("{}: {error}", path.display()));
        let file = path.to_owned();
        let made = tokio::task::spawn_blocking(move || make_file(&file)).await;
        made.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| failed(&error))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With a write-ahead log this is safe against crashes; a power cut may take the last shows, which can be stored again.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await;
        let pool = pool.map_err(|error| failed(&error))?;
        sqlx::migrate!("migrations/sqlite").run(&pool).await.map_err(|error| failed(&error))?;
        Ok(Self { pool })
    }

    /// Waits for what is being stored, and closes the file. Whatever is asked after it fails.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// SQLite would make the file readable for everybody; its companions take its mode over.
fn make_file(path: &PathBuf) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty() && !directory.is_dir())
    {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

fn failed(error: sqlx::Error) -> ArchiveError {
    ArchiveError::Unavailable(error.to_string())
}

fn bad(show: ShowId, problem: impl Into<String>) -> ArchiveError {
    ArchiveError::BadResults { show, problem: problem.into() }
}

/// What SQLite refuses because the results contradict themselves is not SQLite's fault.
fn refused(show: ShowId) -> impl Fn(sqlx::Error) -> ArchiveError {
    move |error| match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() || database.is_check_violation() => {
            bad(show, database.message())
        }
        _ => failed(error),
    }
}

/// SQLite's integers have a sign.
fn signed(show: ShowId, what: &str, value: u64) -> Result<i64, ArchiveError> {
    i64::try_from(value).map_err(|_| bad(show, format!("{what} is {value}; the archive holds at most {}", i64::MAX)))
}

fn check(results: &ShowResults) -> Result<(), ArchiveError> {
    let show = results.summary.show;
    for question in &results.questions {
        let QuestionResult { question, choices, counts, right, .. } = question;
        if choices.len() != counts.len() {
            return Err(bad(
                show,
                format!("question {question} has {} choices, {} counts", choices.len(), counts.len()),
            ));
        }
        if right.index() >= choices.len() {
            return Err(bad(show, format!("question {question} has {} choices, {right} is right", choices.len())));
        }
    }
    Ok(())
}

/// Replaces the show's row, and with it all that hangs on it; its key in this database.
async fn replace_show(connection: &mut SqliteConnection, summary: &ShowSummary) -> Result<i64, ArchiveError> {
    let show = summary.show;
    sqlx::query("DELETE FROM shows WHERE show = ?")
        .bind(show.to_string())
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    let row = sqlx::query(
        "INSERT INTO shows (show, code, title, mode, created_at, ended_at, joined, pot, currency, paid, rolled_over) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(show.to_string())
    .bind(summary.code.as_str())
    .bind(&summary.title)
    .bind(rows::mode_text(summary.mode))
    .bind(signed(show, "created_at", summary.created_at.0)?)
    .bind(signed(show, "ended_at", summary.ended_at.0)?)
    .bind(summary.joined)
    .bind(signed(show, "pot", summary.pot)?)
    .bind(&summary.currency)
    .bind(signed(show, "paid", summary.paid)?)
    .bind(signed(show, "rolled_over", summary.rolled_over)?);
    Ok(row.execute(connection).await.map_err(refused(show))?.last_insert_rowid())
}

async fn insert_questions(
    connection: &mut SqliteConnection,
    show: ShowId,
    id: i64,
    questions: &[QuestionResult],
) -> Result<(), ArchiveError> {
    for question in questions {
        let row = sqlx::query(
            "INSERT INTO questions (show_id, question, text, category, difficulty, right_choice, answers, right_answers, \
             silent, voided, asked_at, closed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id)
        .bind(question.question.0)
        .bind(&question.text)
        .bind(&question.category)
        .bind(question.difficulty.map(rows::difficulty_text))
        .bind(question.right.0)
        .bind(question.counts.iter().copied().map(i64::from).sum::<i64>())
        .bind(question.counts[question.right.index()])
        .bind(question.silent)
        .bind(question.voided)
        .bind(signed(show, "asked_at", question.asked_at.0)?)
        .bind(signed(show, "closed_at", question.closed_at.0)?);
        row.execute(&mut *connection).await.map_err(refused(show))?;
        let mut insert = QueryBuilder::new("INSERT INTO choices (show_id, question, choice, text, answers) ");
        let choices = question.choices.iter().zip(&question.counts).zip(0_i64..);
        insert.push_values(choices, |mut row, ((text, &answers), choice)| {
            row.push_bind(id).push_bind(question.question.0).push_bind(choice).push_bind(text).push_bind(answers);
        });
        insert.build().execute(&mut *connection).await.map_err(refused(show))?;
    }
    Ok(())
}

async fn insert_players(
    connection: &mut SqliteConnection,
    show: ShowId,
    id: i64,
    players: &[PlayerResults],
) -> Result<(), ArchiveError> {
    for batch in players.chunks(BATCH) {
        let prizes: Vec<i64> =
            batch.iter().map(|player| signed(show, "a prize", player.prize)).collect::<Result<_, _>>()?;
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO players (show_id, seat, player, name, alive, lives, score, right_answers, out_at, place, prize) ",
        );
        insert.push_values(batch.iter().zip(prizes), |mut row, (player, prize)| {
            row.push_bind(id)
                .push_bind(player.seat.0)
                .push_bind(player.player.as_str())
                .push_bind(player.name.as_str())
                .push_bind(player.alive)
                .push_bind(player.lives)
                .push_bind(player.score)
                .push_bind(player.right_answers)
                .push_bind(player.out_at.map(|question| question.0))
                .push_bind(player.place)
                .push_bind(prize);
        });
        insert.build().execute(&mut *connection).await.map_err(refused(show))?;
    }
    Ok(())
}

fn each<T>(rows: &[SqliteRow], read: impl Fn(&SqliteRow) -> Result<T, ArchiveError>) -> Result<Vec<T>, ArchiveError> {
    rows.iter().map(read).collect()
}

#[async_trait]
impl Archive for SqliteArchive {
    async fn store(&self, results: &ShowResults) -> Result<(), ArchiveError> {
        check(results)?;
        let show = results.summary.show;
        // Immediate: two that read first and then want to write would refuse each other.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let id = replace_show(&mut transaction, &results.summary).await?;
        insert_questions(&mut transaction, show, id, &results.questions).await?;
        insert_players(&mut transaction, show, id, &results.players).await?;
        transaction.commit().await.map_err(failed)
    }

    async fn show(&self, show: ShowId) -> Result<Option<ShowSummary>, ArchiveError> {
        let found = sqlx::query(queries::SHOW).bind(show.to_string()).fetch_optional(&self.pool).await;
        found.map_err(failed)?.as_ref().map(rows::summary).transpose()
    }

    async fn questions(&self, show: ShowId) -> Result<Vec<QuestionResult>, ArchiveError> {
        let found = sqlx::query(queries::QUESTIONS).bind(show.to_string()).fetch_all(&self.pool).await;
        rows::questions(&found.map_err(failed)?)
    }

    async fn podium(&self, show: ShowId, limit: u32) -> Result<Vec<PlayerResults>, ArchiveError> {
        let found = sqlx::query(queries::PODIUM).bind(show.to_string()).bind(limit).fetch_all(&self.pool).await;
        each(&found.map_err(failed)?, rows::player)
    }

    async fn history_of(&self, player: &PlayerId, limit: u32) -> Result<Vec<PlayedShow>, ArchiveError> {
        let found = sqlx::query(queries::HISTORY).bind(player.as_str()).bind(limit).fetch_all(&self.pool).await;
        each(&found.map_err(failed)?, |row| Ok(PlayedShow { show: rows::summary(row)?, player: rows::player(row)? }))
    }

    async fn hardest_questions(&self, limit: u32) -> Result<Vec<HardQuestion>, ArchiveError> {
        let found = sqlx::query(queries::HARDEST).bind(limit).fetch_all(&self.pool).await;
        each(&found.map_err(failed)?, rows::hard_question)
    }

    async fn top_winners(
        &self,
        from: Millis,
        until: Millis,
        currency: &str,
        limit: u32,
    ) -> Result<Vec<Winner>, ArchiveError> {
        let bound = |time: Millis| i64::try_from(time.0).unwrap_or(i64::MAX);
        let query = sqlx::query(queries::WINNERS).bind(currency).bind(bound(from)).bind(bound(until)).bind(limit);
        each(&query.fetch_all(&self.pool).await.map_err(failed)?, rows::winner)
    }
}
