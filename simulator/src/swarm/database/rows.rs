//! A show's rows in the archive's tables, which docs/archive.md explains.

use std::collections::BTreeMap;
use std::time::Duration;

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{Seat, ShowId};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::time::{Instant, sleep};

/// The time limit of one connection attempt.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two checks whether the show is complete.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The database reported an error.
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    /// The archive did not complete the show in time.
    #[error("the archive did not complete show {show} within {} s", .within.as_secs())]
    Missing {
        /// The show.
        show: ShowId,
        /// The time limit.
        within: Duration,
    },
}

/// A show's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowRow {
    /// The number of players with a seat.
    pub joined: i64,
    /// The paid amount, in minor units.
    pub paid: i64,
    /// The amount that was kept, in minor units.
    pub rolled_over: i64,
}

/// A player's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerRow {
    /// The player's id.
    pub player: String,
    /// The player's name.
    pub name: String,
    /// Whether the seat was in play at the end.
    pub alive: bool,
    /// Extra lives left.
    pub lives: i64,
    /// Points.
    pub score: i64,
    /// Right answers.
    pub right_answers: i64,
    /// Place, from 1.
    pub place: i64,
    /// Prize, in minor units.
    pub prize: i64,
}

/// All rows of a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The show.
    pub show: ShowRow,
    /// The players, by seat.
    pub players: BTreeMap<Seat, PlayerRow>,
    /// The prizes, by seat, in minor units.
    pub prizes: BTreeMap<Seat, i64>,
    /// The counted answers: the choice, and when it was read.
    pub answers: BTreeMap<(QuestionId, Seat), (i64, i64)>,
}

type ShowColumns = (i64, i64, i64, i64);
type PlayerColumns = (i64, String, String, i16, i16, i64, i64, i64, i64);
type AnswerColumns = (i32, i64, i16, i64);

/// Waits until the archive has stored the whole show, and reads it. `waiting` is called repeatedly with the elapsed
/// time.
///
/// # Errors
/// If the database returns an error, or does not have the show in time.
pub async fn complete(
    url: &str,
    show: ShowId,
    within: Duration,
    waiting: impl Fn(Duration),
) -> Result<Rows, DatabaseError> {
    let options: PgConnectOptions = url.parse()?;
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_PATIENCE).connect_with(options).await?;
    let began = Instant::now();
    let rows = loop {
        if let Some(rows) = read(&pool, show).await? {
            break rows;
        }
        if began.elapsed() > within {
            return Err(DatabaseError::Missing { show, within });
        }
        waiting(began.elapsed());
        sleep(LOOK_AGAIN).await;
    };
    pool.close().await;
    Ok(rows)
}

/// Reads the show in one transaction; none if its results are not stored yet.
async fn read(pool: &PgPool, show: ShowId) -> Result<Option<Rows>, sqlx::Error> {
    // Before the archive's first start the tables don't exist.
    let there =
        sqlx::query_scalar::<_, bool>("SELECT to_regclass('shows') IS NOT NULL AND to_regclass('answers') IS NOT NULL");
    if !there.fetch_one(pool).await? {
        return Ok(None);
    }
    let mut all = pool.begin().await?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *all).await?;
    let found = sqlx::query_as::<_, ShowColumns>("SELECT id, joined, paid, rolled_over FROM shows WHERE show = $1");
    let name = show.0.to_string();
    let Some((id, joined, paid, rolled_over)) = found.bind(&name).fetch_optional(&mut *all).await? else {
        return Ok(None);
    };
    let players = sqlx::query_as::<_, PlayerColumns>(
        "SELECT seat, player, name, alive, lives, score, right_answers, place, prize FROM players WHERE show_id = $1",
    );
    let players = players.bind(id).fetch_all(&mut *all).await?;
    let prizes = sqlx::query_as::<_, (i64, i64)>("SELECT seat, amount FROM prizes WHERE show_id = $1");
    let prizes = prizes.bind(id).fetch_all(&mut *all).await?;
    let answers =
        sqlx::query_as::<_, AnswerColumns>("SELECT question, seat, choice, read_at FROM answers WHERE show = $1");
    let answers = answers.bind(&name).fetch_all(&mut *all).await?;
    all.commit().await?;
    let players = players.into_iter().map(|(seat, player, name, alive, lives, score, right_answers, place, prize)| {
        let (alive, lives) = (alive != 0, lives.into());
        (seat_of(seat), PlayerRow { player, name, alive, lives, score, right_answers, place, prize })
    });
    let answers = answers.into_iter().map(|(question, seat, choice, read_at)| {
        let question = QuestionId(u16::try_from(question).unwrap_or(u16::MAX));
        ((question, seat_of(seat)), (choice.into(), read_at))
    });
    Ok(Some(Rows {
        show: ShowRow { joined, paid, rolled_over },
        players: players.collect(),
        prizes: prizes.into_iter().map(|(seat, amount)| (seat_of(seat), amount)).collect(),
        answers: answers.collect(),
    }))
}

/// A number that is not a valid seat becomes the largest seat, which is never used, so that it is reported as a
/// difference.
fn seat_of(seat: i64) -> Seat {
    Seat(u32::try_from(seat).unwrap_or(u32::MAX))
}
