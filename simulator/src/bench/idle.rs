//! What players cost who only say that they are there, as often as the server wants to hear it.

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

/// Klaxon's kinds beside a read and a write for each heartbeat, all in the same time: they do so little that they do not disturb each other.
///
/// # Errors
/// If one of them fails.
pub async fn measure(plan: &Plan, told: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let launch = Launch { heartbeat: Some(HEARTBEAT), ..plan.launch.clone() };
    let mut contestants = Vec::new();
    for &kind in [Kind::Floor].iter().chain(&plan.klaxon) {
        told("joining");
        let mut contestant = Contestant::start(&launch, kind).await?;
        contestant.join(plan.players).await?;
        contestants.push(contestant);
    }
    told("heartbeats");
    try_join_all(contestants.iter_mut().map(|contestant| beat(contestant, plan.idle_for))).await
}

async fn beat(contestant: &mut Contestant, long: Duration) -> Result<Row, BenchError> {
    let ping = Codec::Json.encode(&FromPlayer::Ping(Ping { sent: Millis(1_800_000_000_000) }));
    let (began, before) = (Instant::now(), contestant.clock.now()?);
    let beaten = contestant.load.beat(String::from_utf8_lossy(&ping).into_owned(), HEARTBEAT, long).await;
    beaten.map_err(|error| BenchError::Load(contestant.kind, error))?;
    let used = contestant.clock.now()?.saturating_sub(before);
    let percent = 100.0 * used.as_secs_f64() / began.elapsed().as_secs_f64();
    Ok(Row::plain(Subject::Idle, contestant.kind, "", What::Core, &[percent]))
}
