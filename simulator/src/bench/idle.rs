//! What players cost who do nothing but show that they are there: by heartbeats of their own, or by answering the server's pings, as a
//! page in a hidden tab does.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::player::{FromPlayer, Ping};
use klaxon_protocol::time::Millis;

use super::contestant::{BenchError, Contestant, Kind, Launch};
use super::kernel::ProcessorClock;
use super::plan::Plan;
use super::rows::{Measure, PINGED, Row, Subject};

/// Klaxon's default.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How often it pings silent players then, on average over its connections.
const PINGED_EVERY: Duration = Duration::from_millis(37_440);
/// How often the processor time is read in each period: one figure alone would not show how far it is to be trusted.
const WINDOWS: u32 = 12;
/// All pings that wait for an answer are answered within this time.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Klaxon's kinds beside a read and a write for each heartbeat, all in the same time: they do so little that they do not disturb each other.
///
/// # Errors
/// If one of them fails.
pub async fn measure(plan: &Plan, step: &impl Fn(&str)) -> Result<Vec<Row>, BenchError> {
    let launch = Launch { heartbeat: Some(HEARTBEAT), ..plan.launch.clone() };
    let mut contestants: Vec<(Contestant, &str)> = Vec::new();
    for case in ["", PINGED] {
        for &kind in [Kind::Floor].iter().chain(&plan.klaxon) {
            step("joining");
            let mut contestant = Contestant::start(&launch, kind).await?;
            contestant.join(plan.players).await?;
            // Those who joined before are pinged meanwhile, and closed if they do not answer.
            for (joined, _) in &mut contestants {
                answer_pings(joined, CATCH_UP).await?;
            }
            contestants.push((contestant, case));
        }
    }
    step("settling");
    // Players who only answer pings send one message and are silent from then on, so that the pings come as evenly as they do after hours.
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

/// How often each player sends something, and whether all they do is answer pings.
fn habit(contestant: &Contestant, case: &str) -> (Duration, bool) {
    let is_pinged = case == PINGED;
    (if is_pinged { PINGED_EVERY } else { HEARTBEAT }, is_pinged && contestant.kind.is_klaxon())
}

/// The part of a core that is used, in per cent, in each of the windows of `long`.
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

/// All players send a heartbeat once in `every`, for `long`.
async fn beat(contestant: &mut Contestant, every: Duration, long: Duration) -> Result<(), BenchError> {
    let ping = Codec::Json.encode(&FromPlayer::Ping(Ping { sent: Millis(1_800_000_000_000) }));
    let beaten = contestant.load.beat(String::from_utf8_lossy(&ping).into_owned(), every, long).await;
    beaten.map_err(|error| BenchError::Load(contestant.kind, error))
}
