//! A small show on a whole cluster of real processes, from the command line: two gateways and the engine that plays it are killed.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

/// In this run gateway 3, gateway 2 and the engine that plays the show are killed, in this order.
const SEED: &str = "358";

/// The server program beside the swarm's, as `make test` builds it.
fn klaxon() -> PathBuf {
    let klaxon = Path::new(env!("CARGO_BIN_EXE_klaxon-swarm")).with_file_name("klaxon");
    assert!(klaxon.exists(), "there is no {}: `cargo build -p klaxon-gateway` makes it", klaxon.display());
    klaxon
}

/// The swarm's command line, all of whose temporary folders are in `place`.
fn swarm(place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klaxon-swarm"));
    command.args(["--cluster", "--faults", "--questions", "3", "--players", "60", "--spectators", "3"]);
    command.args(["--open-for", "2s", "--lives", "3", "--seed", SEED]).arg("--klaxon").arg(klaxon());
    command.env("TMPDIR", place).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The programs that run for a swarm whose temporary folders are in `place`: it is in their environment, on their command line, or they
/// work in it. Some servers overwrite one or the other.
fn running(place: &Path) -> Vec<String> {
    let place = place.display().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|process| process.path());
    let lines = processes.filter_map(|process| {
        let read =
            |file| String::from_utf8_lossy(&std::fs::read(process.join(file)).unwrap_or_default()).replace('\0', " ");
        let works_in = std::fs::read_link(process.join("cwd")).unwrap_or_default().display().to_string();
        let line = read("cmdline");
        let is_of_it = [&line, &read("environ"), &works_in].iter().any(|text| text.contains(&place));
        (is_of_it && !line.contains("klaxon-swarm")).then_some(line)
    });
    lines.collect()
}

#[tokio::test]
async fn a_show_goes_on_whatever_is_killed_and_the_database_has_all_of_it() {
    let place = tempfile::tempdir().unwrap();
    let report = place.path().join("report.json");
    let output = swarm(place.path()).arg("--json").arg(&report).output().await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(running(place.path()), Vec::<String>::new(), "nothing is left running");

    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let faults: Vec<&str> =
        report["faults"].as_array().unwrap().iter().map(|fault| fault["process"].as_str().unwrap()).collect();
    assert_eq!(faults[..2], ["gateway-3", "gateway-2"]);
    assert!(faults[2].starts_with("engine-"), "{faults:?}");
    assert!(report["faults"][0]["back"]["players"].as_u64().unwrap() > 0, "{stdout}");
    assert_eq!(report["crowd"]["joined"], 60);
    assert_eq!(report["audit"].as_array().unwrap().len(), 10);
    assert_eq!(report["database"]["different"], 0);
    assert_eq!(report["database"]["compared"][0][1], 60);
}

#[tokio::test]
async fn nothing_is_left_running_of_a_cluster_whose_swarm_is_killed() {
    let place = tempfile::tempdir().unwrap();
    let mut swarm = swarm(place.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = |line: &&String| line.contains("gateway-1");
    while running(place.path()).iter().find(began).is_none() {
        assert!(swarm.try_wait().unwrap().is_none(), "the swarm ended before the first gateway ran");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    swarm.kill().await.unwrap();
    while !running(place.path()).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
