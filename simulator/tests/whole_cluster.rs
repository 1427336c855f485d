//! A small show on a whole cluster of real processes, from the command line: two gateways and the engine that plays it
//! are killed.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

/// With this seed gateway 3, gateway 2 and the engine that plays the show are killed, in this order.
const SEED: &str = "358";

/// The server program in the swarm's directory, as `make test` builds it.
fn klaxon() -> PathBuf {
    let klaxon = Path::new(env!("CARGO_BIN_EXE_klaxon-swarm")).with_file_name("klaxon");
    assert!(klaxon.exists(), "there is no {}: `cargo build -p klaxon-gateway` makes it", klaxon.display());
    klaxon
}

/// The command line of a swarm on a cluster, whose temporary directories are all in `place`.
fn on_cluster(place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klaxon-swarm"));
    command.args(["--cluster", "--players", "60", "--spectators", "3", "--open-for", "2s", "--lives", "5"]);
    command.args(["--seed", SEED]).arg("--klaxon").arg(klaxon());
    command.env("TMPDIR", place).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// The command line of a swarm on a cluster with three questions and faults.
fn swarm(place: &Path) -> Command {
    let mut command = on_cluster(place);
    command.args(["--faults", "--questions", "3"]);
    command
}

/// The programs that were started for a swarm whose temporary directories are in `place`: the path is in their
/// environment, on their command line, or is their working directory. Some servers overwrite one or the other.
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

/// Upgrades each engine and gateway during a question to a program whose link has the next version, and which writes
/// entries that exist in that version only. Returns how many entries each process had passed over before.
async fn upgraded(first: &str) -> Vec<(String, u64)> {
    let next = klaxon().with_file_name("klaxon-next");
    assert!(next.exists(), "there is no {}: `make build` makes it", next.display());
    let place = tempfile::tempdir().unwrap();
    let report = place.path().join("report.json");
    let mut swarm = on_cluster(place.path());
    swarm.args(["--questions", "5", "--upgrade-first", first]).arg("--upgrade-to").arg(next);
    let output = swarm.arg("--json").arg(&report).output().await.unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{stdout}\n{stderr}");

    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let faults = report["faults"].as_array().unwrap();
    assert!(faults.len() == 5 && faults.iter().all(|fault| fault["what"] == "upgraded"), "{faults:?}");
    assert_eq!(report["audit"].as_array().unwrap().len(), 10);
    assert_eq!(report["database"]["different"], 0);
    let passed_over = stderr.lines().filter_map(|line| {
        let (process, rest) = line.split_once(" upgraded, after it had passed over ")?;
        Some((process.to_owned(), rest.strip_suffix(" entries of the bus")?.parse().unwrap()))
    });
    passed_over.collect()
}

/// Whether the processes with these names passed over entries, and the others did not.
fn only_these_passed_over(passed_over: &[(String, u64)], names: &[&str]) -> bool {
    let is_of = |process: &String| names.iter().any(|name| process.starts_with(name));
    passed_over.len() == 5 && passed_over.iter().all(|(process, entries)| (*entries > 0) == is_of(process))
}

#[tokio::test]
async fn engines_are_upgraded_before_gateways_in_mid_question_and_nothing_is_lost() {
    // The engine that plays the show is upgraded last. So an engine of the next version plays the show only from then
    // on, when only gateways of the old version are left to pass over its entries.
    let passed_over = upgraded("engines").await;
    assert!(only_these_passed_over(&passed_over, &["gateway-"]), "{passed_over:?}");
}

#[tokio::test]
async fn gateways_are_upgraded_before_engines_in_mid_question_and_nothing_is_lost() {
    let passed_over = upgraded("gateways").await;
    assert!(
        passed_over.iter().filter(|(process, _)| process.starts_with("gateway-")).all(|(_, entries)| *entries == 0)
    );
    assert!(
        passed_over.iter().any(|(process, entries)| process.starts_with("engine-") && *entries > 0),
        "{passed_over:?}"
    );
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
