//! What players cost who do nothing but show that they are there: by heartbeats of their own, or by answering the server's pings, as a
//! page in a hidden tab does.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::{FromPlayer, Ping};
use klaxon_protocol::time::Millis;

use super::contestant::{BenchError, Contestant, Kind, Launch};
use super::plan::Plan;
use super::rows::{Row, Subject, What};

/// What Klaxon asks for if nobody chose otherwise.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How often it pings whoever is silent then, on average over its connections.
const PINGED_EVERY: Duration = Duration::from_millis(37_440);
/// All pings that wait for an answer are answered within this time.
const CATCH_UP: Duration = Duration::from_millis(100);
/// The case of players who only answer pings. The floor's have heartbeats as far apart as pings are: a read and a write each.
pub const PINGED: &str = "pings";

/// Klaxon's kinds beside a read and a write for each heartbeat, all in the same time: they do so little that they do not disturb each other.
///
/// # Errors
/// If one of them fails.
pub async fn measure(plan: &Plan, told: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let launch = Launch { heartbeat: Some(HEARTBEAT), ..plan.launch.clone() };
    let mut contestants: Vec<(Contestant, &str)> = Vec::new();
    for case in ["", PINGED] {
        for &kind in [Kind::Floor].iter().chain(&plan.klaxon) {
            told("joining");
            let mut contestant = Contestant::start(&launch, kind).await?;
            contestant.join(plan.players).await?;
            // Those who joined before are pinged meanwhile, and closed if they do not answer.
            for (joined, _) in &mut contestants {
                answer_pings(joined, CATCH_UP).await?;
            }
            contestants.push((contestant, case));
        }
    }
    told("heartbeats and pings");
    try_join_all(contestants.iter_mut().map(|(contestant, case)| idle(contestant, case, plan.idle_for))).await
}

async fn idle(contestant: &mut Contestant, case: &str, long: Duration) -> Result<Row, BenchError> {
    let kind = contestant.kind;
    let every = if case == PINGED { PINGED_EVERY } else { HEARTBEAT };
    let answers_only = case == PINGED && kind.is_klaxon();
    if answers_only {
        // Everybody says something once and is silent from then on, so that the pings come as evenly as they do after hours.
        beat(contestant, every, every).await?;
    }
    let (began, before) = (Instant::now(), contestant.clock.now()?);
    if answers_only {
        answer_pings(contestant, long).await?;
    } else {
        beat(contestant, every, long).await?;
    }
    let used = contestant.clock.now()?.saturating_sub(before);
    let percent = 100.0 * used.as_secs_f64() / began.elapsed().as_secs_f64();
    Ok(Row::plain(Subject::Idle, kind, case, What::Core, &[percent]))
}

async fn answer_pings(contestant: &mut Contestant, long: Duration) -> Result<(), BenchError> {
    contestant.load.answer_pings(long).await.map_err(|error| BenchError::Load(contestant.kind, error))
}

/// Everybody says once in `every` that it is there, for so long.
async fn beat(contestant: &mut Contestant, every: Duration, long: Duration) -> Result<(), BenchError> {
    let ping = Codec::Json.encode(&FromPlayer::Ping(Ping { sent: Millis(1_800_000_000_000) }));
    let beaten = contestant.load.beat(String::from_utf8_lossy(&ping).into_owned(), every, long).await;
    beaten.map_err(|error| BenchError::Load(contestant.kind, error))
}
