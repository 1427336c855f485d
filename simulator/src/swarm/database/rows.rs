//! A show in the archive's tables. docs/archive.md explains them.

use std::collections::BTreeMap;
use std::time::Duration;

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::ids::{Seat, ShowId};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::time::{Instant, sleep};

/// How long one try to connect may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks whether the show is there.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The database does not answer as it should.
    #[error("the database: {0}")]
    Sql(#[from] sqlx::Error),
    /// The archive did not write the show.
    #[error("the archive did not complete show {show} within {} s", .within.as_secs())]
    Missing {
        /// Which show.
        show: ShowId,
        /// The time it had.
        within: Duration,
    },
}

/// A show's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowRow {
    /// How many had a seat.
    pub joined: i64,
    /// What was paid, in minor units.
    pub paid: i64,
    /// What was kept.
    pub rolled_over: i64,
}

/// A player's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerRow {
    /// Who.
    pub player: String,
    /// What they were called.
    pub name: String,
    /// In play at the end.
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

/// All that is there of a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The show.
    pub show: ShowRow,
    /// Its players.
    pub players: BTreeMap<Seat, PlayerRow>,
    /// The prizes.
    pub prizes: BTreeMap<Seat, i64>,
    /// The counted answers: which choice, and when it was read.
    pub answers: BTreeMap<(QuestionId, Seat), (i64, i64)>,
}

type ShowColumns = (i64, i64, i64, i64);
type PlayerColumns = (i64, String, String, i16, i16, i64, i64, i64, i64);
type AnswerColumns = (i32, i64, i16, i64);

/// Waits until the archive has the whole show, and reads it. `waiting` is called now and then with how long it has taken so far.
///
/// # Errors
/// If the database can't be asked, or does not have the show in time.
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

/// The show as it stands at one moment; none before its results are there.
async fn read(pool: &PgPool, show: ShowId) -> Result<Option<Rows>, sqlx::Error> {
    // Before the archive has started for the first time there is no table either.
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

/// A number that can't be a seat becomes the last one, which is never given: it then differs from the journal.
fn seat_of(seat: i64) -> Seat {
    Seat(u32::try_from(seat).unwrap_or(u32::MAX))
}
