//! The life cycle of a server process: ready, killed and restarted on the same ports, stopped; it never survives its
//! starter.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::path::Path;
use std::time::Duration;

use klaxon_protocol::games::trivia::QuestionId;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Millis;
use klaxon_servers::ServerError;
use klaxon_simulator::evidence::{Micros, Victim};
use klaxon_simulator::messages::RoundTimes;
use klaxon_simulator::swarm::faults::{Fault, FaultKind, FaultPlan, Target, carry_out_plan};
use klaxon_simulator::swarm::host::Stage;
use klaxon_simulator::swarm::service::ServiceError;
use klaxon_simulator::swarm::standalone::{Standalone, StandalonePlan};
use tokio::sync::watch;

/// The process ids and players' addresses of each start.
fn starts(data: &Path) -> Vec<(u32, String)> {
    let text = std::fs::read_to_string(data.join("starts")).unwrap();
    text.lines()
        .map(|line| {
            let (pid, address) = line.split_once(' ').unwrap();
            (pid.parse().unwrap(), address.to_owned())
        })
        .collect()
}

fn runs(pid: u32) -> bool {
    // A process that has ended and was not waited for yet is a zombie.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn gone(pid: u32) {
    while runs(pid) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn start(data: &Path) -> Standalone {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand-in.sh");
    Standalone::start(&StandalonePlan { program, data: data.to_owned(), core: None }).await.unwrap()
}

#[tokio::test]
async fn it_comes_back_on_the_same_ports_and_stops_when_told_to() {
    let data = tempfile::tempdir().unwrap();
    let mut server = start(data.path()).await;
    let players = server.players();
    assert_eq!(players, "127.0.0.1:4001".parse().unwrap());
    let admin = server.admin().unwrap();
    assert_eq!((&admin.addresses[..], admin.token.as_str()), (&["127.0.0.1:4002".parse().unwrap()][..], "secret"));
    let kill = Fault {
        question: QuestionId(1),
        at: 0.5,
        victim: Victim::Server,
        kind: FaultKind::Kill { away: Duration::ZERO },
    };
    server.carry_out(&kill).await.unwrap();
    assert_eq!((server.players(), server.admin().unwrap().addresses), (players, admin.addresses));
    let starts = starts(data.path());
    assert_eq!(starts.len(), 2);
    assert_eq!((starts[0].1.as_str(), starts[1].1.as_str()), ("127.0.0.1:0", "127.0.0.1:4001"));
    assert!(!runs(starts[0].0) && runs(starts[1].0));
    let resident = server.stop().await.unwrap();
    assert!(resident.iter().all(|(_, bytes)| *bytes > 0) && !resident.is_empty());
    assert!(!runs(starts[1].0));
}

#[tokio::test]
async fn it_is_not_left_behind_when_nobody_stops_it() {
    let data = tempfile::tempdir().unwrap();
    let server = start(data.path()).await;
    let pid = starts(data.path())[0].0;
    assert!(runs(pid));
    drop(server);
    gone(pid).await;
}

#[tokio::test]
async fn kills_come_in_the_questions_they_are_planned_for() {
    let data = tempfile::tempdir().unwrap();
    let mut server = start(data.path()).await;
    let (stage, stages) = watch::channel(Stage { phase: Phase::Lobby, round: None });
    let kills = FaultPlan::of_a_server(3, 2, 2);
    let mut done = Vec::new();
    let (hold, mut held) = watch::channel(false);
    let show = async {
        for number in 1..=2 {
            let now = Millis(Micros::now().0 / 1000);
            let asked = RoundTimes { round: QuestionId(number), opens_at: now, closes_at: Millis(now.0 + 100) };
            stage.send_replace(Stage { phase: Phase::Question, round: Some(asked) });
            while starts(data.path()).len() <= usize::from(number) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            held.wait_for(|held| !*held).await.unwrap();
        }
    };
    tokio::select! {
        error = carry_out_plan(&kills, &mut server, stages, &hold, &mut done) => panic!("{error}"),
        () = show => {}
    }
    assert_eq!(starts(data.path()).len(), 3);
    assert_eq!(done.len(), 2);
}

#[tokio::test]
async fn a_server_that_dies_by_itself_is_told_of() {
    let data = tempfile::tempdir().unwrap();
    let mut server = start(data.path()).await;
    let pid = i32::try_from(starts(data.path())[0].0).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert!(matches!(server.ended().await, ServiceError::Server(ServerError::Ended { .. })));
}

#[tokio::test]
async fn it_ends_with_a_swarm_that_is_killed() {
    let place = tempfile::tempdir().unwrap();
    let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand-in.sh");
    let mut swarm = tokio::process::Command::new(env!("CARGO_BIN_EXE_klaxon-swarm"))
        .args(["--players", "1", "--klaxon"])
        .arg(stand_in)
        .env("TMPDIR", place.path())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pid = loop {
        let started = std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path());
        if let Some(data) = started.into_iter().find(|data| data.join("addresses.json").exists()) {
            break starts(&data)[0].0;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(runs(pid));
    swarm.kill().await.unwrap();
    gone(pid).await;
}
