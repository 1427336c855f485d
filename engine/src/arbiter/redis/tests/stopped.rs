//! An engine in another process, which is really stopped while its lease runs out, and wakes up late.

use std::time::Duration;

use klaxon_protocol::ids::Fence;
use klaxon_servers::{Persistence, Process};

use super::house::{Q1, SHOW, before, claim, engine};
use super::two_engines::take;
use crate::arbiter::{Arbiter, ArbiterError, ClaimOutcome};
use crate::redis::{Connection, Redis};

const PREFIX: &str = "stopped";
/// What the other process is told: where Redis is.
const URL: &str = "KLAXON_TEST_STOPPED_URL";
/// What it did, in a list on Redis.
const DEEDS: &str = "deeds";

fn way(url: String) -> Redis {
    Redis::new(&[url], PREFIX).unwrap()
}

/// The next thing that the other process did.
async fn deed(connection: &mut Connection, other: &mut Process) -> String {
    loop {
        let ended = other.ended();
        let deed: Option<String> = ::redis::cmd("LPOP").arg(DEEDS).query_async(connection).await.unwrap();
        match deed {
            Some(deed) => return deed,
            None if ended.is_some() => panic!("the other process ended: {}", other.log_end()),
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

#[tokio::test]
async fn an_engine_that_was_stopped_beyond_its_term_changes_nothing_when_it_wakes_up() {
    let server = klaxon_servers::Redis::start(Persistence::None).await.unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let itself = std::env::current_exe().unwrap();
    let holder = "arbiter::redis::tests::stopped::the_other_process";
    let arguments = ["--exact", holder, "--ignored"].map(String::from).to_vec();
    let mut other =
        Process::start(&itself.display().to_string(), arguments, vec![(URL.into(), server.url())], log.path()).unwrap();
    let way = way(server.url());
    let (arbiter, mut connection) = (engine(&way, "this").await, way.connect().await.unwrap());

    // It plays: it has the lease, and its claims count.
    assert_eq!(deed(&mut connection, &mut other).await, "Ok([First])");
    assert_eq!(deed(&mut connection, &mut other).await, "Ok([Before(Bits(1))])");
    assert_eq!(arbiter.lease(SHOW, Fence(0)).await, Err(ArbiterError::Held));
    other.pause();
    let newest = take(&arbiter, Fence(0)).await.fence;
    assert_eq!(arbiter.claim(SHOW, newest, Q1, &[claim(2, 2)]).await.unwrap(), [ClaimOutcome::First]);
    let _: () = ::redis::cmd("DEL").arg(DEEDS).query_async(&mut connection).await.unwrap();
    other.resume();

    let fenced = ArbiterError::Fenced { newest };
    let claims = loop {
        // A renewal or a claim may have been answered before it was stopped.
        let deed = deed(&mut connection, &mut other).await;
        if deed != "Ok([Before(Bits(1))])" {
            break deed;
        }
    };
    assert_eq!(claims, format!("{:?}", Err::<(), _>(fenced.clone())));
    for what in ["claim", "close", "restore", "renew", "release", "forget"] {
        assert_eq!(deed(&mut connection, &mut other).await, format!("{what}: {fenced:?}"));
    }
    assert_eq!(deed(&mut connection, &mut other).await, format!("lease: {:?}", ArbiterError::Held));
    let outcomes =
        arbiter.claim(SHOW, newest, Q1, &[claim(1, 0), claim(2, 0), claim(3, 0), claim(4, 0)]).await.unwrap();
    assert_eq!(outcomes, [before(1), before(2), ClaimOutcome::First, ClaimOutcome::First]);
}

#[tokio::test]
#[ignore = "is started by the test above, as another process"]
async fn the_other_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let way = way(url);
    let (arbiter, mut connection) = (engine(&way, "other").await, way.connect().await.unwrap());
    let mut tell = async |deed: String| {
        let mut push = ::redis::cmd("RPUSH");
        push.arg(DEEDS).arg(deed);
        // It may be stopped before it hears that this was done; to say it twice does no harm.
        while push.query_async::<()>(&mut connection).await.is_err() {}
    };
    let fence = arbiter.lease(SHOW, Fence(0)).await.unwrap().fence;
    loop {
        // Whatever it hears of its lease, it goes on as one that read nothing yet.
        let _ = arbiter.renew(&[(SHOW, fence)]).await;
        let heard = arbiter.claim(SHOW, fence, Q1, &[claim(1, 1)]).await;
        let unknown = matches!(heard, Err(ArbiterError::Unavailable(_)));
        let refused = heard.is_err();
        if !unknown {
            tell(format!("{heard:?}")).await;
            if refused {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let said = |what: &str, outcome: Result<(), ArbiterError>| format!("{what}: {:?}", outcome.unwrap_err());
    tell(said("claim", arbiter.claim(SHOW, fence, Q1, &[claim(3, 3)]).await.map(|_| ()))).await;
    tell(said("close", arbiter.close(SHOW, fence, Q1.id).await)).await;
    tell(said("restore", arbiter.restore(SHOW, fence, Q1, &[claim(2, 3)]).await)).await;
    tell(said("renew", arbiter.renew(&[(SHOW, fence)]).await.unwrap().remove(0))).await;
    tell(said("release", arbiter.release(SHOW, fence).await)).await;
    tell(said("forget", arbiter.forget(SHOW, fence).await)).await;
    tell(said("lease", arbiter.lease(SHOW, fence).await.map(|_| ()))).await;
}
