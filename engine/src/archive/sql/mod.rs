//! The archive in an SQL database: SQLite, PostgreSQL, MariaDB or MySQL.

mod batch;
mod dialect;
mod forget;
mod ingest;
mod queries;
mod rows;
mod store;

#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::time::Millis;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyPool, AssertSqlSafe};

use self::dialect::Dialect;
use self::store::{Statement, integer};
use super::{
    Archive, ArchiveError, HardQuestion, PlayedShow, PlayerResults, QuestionResult, RoundResult, ShowResults,
    ShowSummary, Winner,
};

pub use crate::journal::{Offset, Partition};
pub use batch::{ArchivedAnswer, JournalBatch, JournalState, Progress};

/// Connections in the pool: one for writing and some for queries.
const CONNECTIONS: u32 = 4;
/// How long a query waits for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How often a transaction is tried that the database aborts because of a concurrent one.
const TRIES: usize = 5;

/// The archive in an SQL database.
#[derive(Debug, Clone)]
pub struct SqlArchive {
    pool: AnyPool,
    dialect: Dialect,
}

impl SqlArchive {
    /// Opens the archive in the database at `url`, such as `postgres://klaxon@db/klaxon`, `mysql://klaxon@db/klaxon` (MariaDB,
    /// too) or `sqlite:archive.sqlite`, and brings its tables up to date.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`]. Its text does not contain the URL, which may hold a password.
    pub async fn open(url: &str) -> Result<Self, ArchiveError> {
        let Some(dialect) = Dialect::of(url) else {
            let problem = "an archive's URL begins with postgres://, mysql:// or sqlite:";
            return Err(ArchiveError::Unavailable(problem.into()));
        };
        install_default_drivers();
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(CONNECT).after_connect(
            move |connection, _| {
                Box::pin(async move { sqlx::raw_sql(dialect.init_statements()).execute(connection).await.map(drop) })
            },
        );
        let pool = options.connect(url).await.map_err(failed)?;
        dialect.migrator().run(&pool).await.map_err(|error| ArchiveError::Unavailable(error.to_string()))?;
        Ok(Self { pool, dialect })
    }

    /// Opens the archive in the SQLite file `path`, which is made if it is not there (mode 600; missing directories have mode
    /// 700), and brings its tables up to date.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`], naming the file.
    pub async fn open_file(path: &Path) -> Result<Self, ArchiveError> {
        let named = |error: &dyn std::fmt::Display| ArchiveError::Unavailable(format!("{}: {error}", path.display()));
        let file = path.to_owned();
        let made = tokio::task::spawn_blocking(move || make_file(&file)).await;
        let file = made.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| named(&error))?;
        let url = format!("sqlite:{}", percent_encode(file.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC));
        Self::open(&url).await.map_err(|error| match error {
            ArchiveError::Unavailable(problem) => named(&problem),
            other @ ArchiveError::BadResults { .. } => other,
        })
    }

    /// The file in which the database at `url` is kept, if it is a file.
    #[must_use]
    pub fn file_of(url: &str) -> Option<PathBuf> {
        let Some(Dialect::Sqlite) = Dialect::of(url) else { return None };
        url.parse::<SqliteConnectOptions>().ok().map(|options| options.get_filename().to_owned())
    }

    /// Waits for running writes, and closes the archive. Later calls fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// All that is stored of a show, to be compared with its journal; players by seat.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`].
    pub async fn results(&self, show: ShowId) -> Result<Option<ShowResults>, ArchiveError> {
        let Some(summary) = self.show(show).await? else { return Ok(None) };
        let questions = self.questions(show).await?;
        let players = self.query(queries::PLAYERS).bind(show.to_string()).fetch_all(&self.pool).await;
        let players = rows::each(&players.map_err(failed)?, rows::player)?;
        let rounds = self.rounds(show).await?;
        Ok(Some(ShowResults { summary, questions, players, rounds }))
    }

    fn query<'q>(&self, query: &str) -> Statement<'q> {
        sqlx::query(AssertSqlSafe(self.dialect.sql(query)))
    }

    /// Writes all of this or nothing: once more if another transaction was in the way.
    async fn write(&self, results: &[ShowResults], told: Option<&JournalBatch>) -> Result<(), ArchiveError> {
        results.iter().try_for_each(store::check)?;
        let mut tries = 1;
        loop {
            match self.write_once(results, told).await {
                Err(error) if error == in_the_way() && tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    async fn write_once(&self, results: &[ShowResults], told: Option<&JournalBatch>) -> Result<(), ArchiveError> {
        let mut transaction = self.pool.begin_with(self.dialect.begin()).await.map_err(failed)?;
        for results in results {
            store::replace(&mut transaction, self.dialect, results).await?;
        }
        if let Some(batch) = told {
            ingest::insert_batch(&mut transaction, self.dialect, batch).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }
}

/// Creates the file with mode 600 if it is missing: SQLite would make it readable for all users, and gives its other
/// files the same mode. Returns its absolute path.
fn make_file(path: &PathBuf) -> io::Result<PathBuf> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty() && !directory.is_dir())
    {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    path.canonicalize()
}

/// SQLSTATE codes of a transaction that was aborted because of a concurrent one: serialization failure, and
/// PostgreSQL's deadlock.
const CONFLICT_CODES: [&str; 2] = ["40001", "40P01"];

fn in_the_way() -> ArchiveError {
    ArchiveError::Unavailable("another transaction was in the way".into())
}

fn failed(error: sqlx::Error) -> ArchiveError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    if code.is_some_and(|code| CONFLICT_CODES.contains(&&*code)) {
        return in_the_way();
    }
    ArchiveError::Unavailable(error.to_string())
}

#[async_trait]
impl Archive for SqlArchive {
    async fn store(&self, results: &ShowResults) -> Result<(), ArchiveError> {
        self.write(std::slice::from_ref(results), None).await
    }

    async fn show(&self, show: ShowId) -> Result<Option<ShowSummary>, ArchiveError> {
        let found = self.query(queries::SHOW).bind(show.to_string()).fetch_optional(&self.pool).await;
        found.map_err(failed)?.as_ref().map(rows::summary).transpose()
    }

    async fn questions(&self, show: ShowId) -> Result<Vec<QuestionResult>, ArchiveError> {
        let found = self.query(queries::QUESTIONS).bind(show.to_string()).fetch_all(&self.pool).await;
        rows::questions(&found.map_err(failed)?)
    }

    async fn rounds(&self, show: ShowId) -> Result<Vec<RoundResult>, ArchiveError> {
        let found = self.query(queries::ROUNDS).bind(show.to_string()).fetch_all(&self.pool).await;
        rows::each(&found.map_err(failed)?, rows::round)
    }

    async fn podium(&self, show: ShowId, limit: u32) -> Result<Vec<PlayerResults>, ArchiveError> {
        let query = self.query(queries::PODIUM).bind(show.to_string()).bind(i64::from(limit));
        rows::each(&query.fetch_all(&self.pool).await.map_err(failed)?, rows::player)
    }

    async fn history_of(&self, player: &PlayerId, limit: u32) -> Result<Vec<PlayedShow>, ArchiveError> {
        let player = self.dialect.text(player.as_str());
        let found = self.query(queries::HISTORY).bind(player).bind(i64::from(limit)).fetch_all(&self.pool).await;
        rows::each(&found.map_err(failed)?, |row| {
            Ok(PlayedShow { show: rows::summary(row)?, player: rows::player(row)? })
        })
    }

    async fn hardest_questions(&self, limit: u32) -> Result<Vec<HardQuestion>, ArchiveError> {
        let found = self.query(queries::HARDEST).bind(i64::from(limit)).fetch_all(&self.pool).await;
        rows::each(&found.map_err(failed)?, rows::hard_question)
    }

    async fn top_winners(
        &self,
        from: Millis,
        until: Millis,
        currency: &str,
        limit: u32,
    ) -> Result<Vec<Winner>, ArchiveError> {
        let query = self.query(queries::WINNERS).bind(currency).bind(integer(from.0)).bind(integer(until.0));
        rows::each(&query.bind(i64::from(limit)).fetch_all(&self.pool).await.map_err(failed)?, rows::winner)
    }
}
