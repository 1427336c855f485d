//! Forgetting a person: their rows stay, with points and prizes, and tell no more whose they are.

use klaxon_protocol::apart;
use klaxon_protocol::ids::{PlayerId, ShowId};
use sqlx::{Connection as _, Row as _};

use super::dialect::Dialect;
use super::{SqlArchive, failed, queries, rows};
use crate::archive::ArchiveError;

/// What says whose a row is, by player, name, show and seat. Prizes repeat players.
const RENAME: [&str; 2] = [
    "UPDATE players SET player = ?, name = ? WHERE show_id = ? AND seat = ?",
    "UPDATE prizes SET player = ?, name = ? WHERE show_id = ? AND seat = ?",
];

impl SqlArchive {
    /// Takes a person's id and name out of this show's rows or of those of all shows. What stands there then is what the show's journal gives
    /// once they are forgotten there, so storing the show again changes nothing. Returns the shows in which they were.
    ///
    /// In SQLite no byte of it is left in the database's files. Other databases keep old rows for as long as they like.
    ///
    /// # Errors
    /// [`ArchiveError::Unavailable`]: nothing, or all of it was done, and it can be done again.
    pub async fn forget(&self, player: &PlayerId, show: Option<ShowId>) -> Result<Vec<ShowId>, ArchiveError> {
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        if self.dialect == Dialect::Sqlite {
            sqlx::raw_sql("PRAGMA secure_delete = ON").execute(&mut *connection).await.map_err(failed)?;
        }
        let mut shows = Vec::new();
        let mut transaction = connection.begin_with(self.dialect.begin()).await.map_err(failed)?;
        let found = self.query(queries::SEATS_OF).bind(self.dialect.text(player.as_str()));
        let found = found.fetch_all(&mut *transaction).await.map_err(failed)?;
        for (of, key, seat) in rows::each(&found, rows::seat_of)? {
            if show.is_some_and(|show| show != of) {
                continue;
            }
            for rename in RENAME {
                let query = self.query(rename).bind(apart::forgotten(of, seat).as_str().to_owned());
                let query = query.bind(apart::unnamed(seat).as_str().to_owned()).bind(key).bind(i64::from(seat.0));
                query.execute(&mut *transaction).await.map_err(failed)?;
            }
            shows.push(of);
        }
        transaction.commit().await.map_err(failed)?;
        if self.dialect == Dialect::Sqlite {
            // Pages that were freed before, and the write-ahead log.
            sqlx::raw_sql("VACUUM").execute(&mut *connection).await.map_err(failed)?;
            let log =
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await.map_err(failed)?;
            if log.try_get::<i64, _>(0).map_err(failed)? != 0 {
                let problem =
                    "somebody else has the database open, so what was forgotten is still in its log: try again";
                return Err(ArchiveError::Unavailable(problem.into()));
            }
        }
        shows.sort_unstable();
        shows.dedup();
        Ok(shows)
    }
}
