//! The cost of idle players: those who send heartbeats, and those who only answer the server's pings, like a page in a
//! hidden tab.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::{FromPlayer, Ping};
use klaxon_protocol::time::Millis;

use super::contestant::{BenchError, Contestant, Kind, Launch};
use super::kernel::ProcessorClock;
use super::plan::Plan;
use super::rows::{Measure, PINGED, Row, Subject};

/// Klaxon's default heartbeat interval.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// The average interval, over its connections, at which it pings silent players with that heartbeat.
const PINGED_EVERY: Duration = Duration::from_millis(37_440);
/// How often the processor time is read in each period: a single value would not show how reliable it is.
const WINDOWS: u32 = 12;
/// Pings that have arrived are answered within this time.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Measures Klaxon's kinds, and a floor with a read and a write per heartbeat, all at the same time: their load is too
/// small to disturb each other.
///
/// # Errors
/// If a contestant fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let launch = Launch { heartbeat: Some(HEARTBEAT), ..plan.launch.clone() };
    let mut contestants: Vec<(Contestant, &str)> = Vec::new();
    for case in ["", PINGED] {
        for &kind in [Kind::Floor].iter().chain(&plan.klaxon) {
            step("joining");
            let mut contestant = Contestant::start(&launch, kind).await?;
            contestant.join(plan.players).await?;
            // Players who joined earlier are pinged meanwhile, and would be closed if they did not answer.
            for (joined, _) in &mut contestants {
                answer_pings(joined, CATCH_UP).await?;
            }
            contestants.push((contestant, case));
        }
    }
    step("settling");
    // Players who only answer pings send one message and are silent afterwards, spread evenly, so that the pings are
    // spread as evenly as after hours.
    try_join_all(contestants.iter_mut().map(|(contestant, case)| {
        let (every, _) = habit(contestant, case);
        beat(contestant, every, every)
    }))
    .await?;
    let (began, mut before) = (Instant::now(), 0);
    let mut figures: Vec<Vec<f64>> = vec![Vec::new(); contestants.len()];
    loop {
        step("heartbeats and pings");
        let idle = contestants.iter_mut().map(|(contestant, case)| idle(contestant, case, plan.idle_for));
        for (figures, more) in figures.iter_mut().zip(try_join_all(idle).await?) {
            figures.extend(more);
        }
        let rows = || {
            let all = contestants.iter().zip(&figures);
            all.map(|((one, case), figures)| Row::plain(Subject::Idle, one.kind, case, Measure::Core, figures))
                .collect()
        };
        let rounds = figures.iter().map(Vec::len).min().unwrap_or(0);
        if plan.stopping.has_enough_since(before, Subject::Idle, rounds, began.elapsed(), rows) {
            return Ok(rows());
        }
        before = rounds;
    }
}

/// The interval at which each player sends something, and whether players only answer pings.
fn habit(contestant: &Contestant, case: &str) -> (Duration, bool) {
    let is_pinged = case == PINGED;
    (if is_pinged { PINGED_EVERY } else { HEARTBEAT }, is_pinged && contestant.kind.is_klaxon())
}

/// The use of a core in per cent, in each part of the period `long`.
async fn idle(contestant: &mut Contestant, case: &str, long: Duration) -> Result<Vec<f64>, BenchError> {
    let (every, answers_only) = habit(contestant, case);
    let clock = contestant.clock;
    let playing =
        async { if answers_only { answer_pings(contestant, long).await } else { beat(contestant, every, long).await } };
    let (_, figures) = tokio::try_join!(playing, windows(clock, long))?;
    Ok(figures)
}

async fn windows(clock: ProcessorClock, long: Duration) -> Result<Vec<f64>, BenchError> {
    let mut figures = Vec::new();
    let (mut began, mut before) = (Instant::now(), clock.now()?);
    for _ in 0..WINDOWS {
        tokio::time::sleep(long / WINDOWS).await;
        let (now, after) = (Instant::now(), clock.now()?);
        let used = after.saturating_sub(before);
        figures.push(100.0 * used.as_secs_f64() / now.duration_since(began).as_secs_f64());
        (began, before) = (now, after);
    }
    Ok(figures)
}

async fn answer_pings(contestant: &mut Contestant, long: Duration) -> Result<(), BenchError> {
    contestant.load.answer_pings(long).await.map_err(|error| BenchError::Load(contestant.kind, error))
}

/// Each player sends a heartbeat at the interval `every`, during `long`.
async fn beat(contestant: &mut Contestant, every: Duration, long: Duration) -> Result<(), BenchError> {
    let ping = Codec::Json.encode(&FromPlayer::Ping(Ping { sent: Millis(1_800_000_000_000) }));
    let beaten = contestant.load.beat(String::from_utf8_lossy(&ping).into_owned(), every, long).await;
    beaten.map_err(|error| BenchError::Load(contestant.kind, error))
}
