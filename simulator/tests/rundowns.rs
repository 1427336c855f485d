//! Small shows of several parts on a real server, from the command line: one is steered by its host, one by the script.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

/// The server program in the swarm's directory, as `make test` builds it.
fn klaxon() -> PathBuf {
    let klaxon = Path::new(env!("CARGO_BIN_EXE_klaxon-swarm")).with_file_name("klaxon");
    assert!(klaxon.exists(), "there is no {}: `cargo build -p klaxon-gateway` makes it", klaxon.display());
    klaxon
}

/// The report of a show with 150 players, and its text.
async fn played(show: &str, more: &[&str]) -> (Value, String) {
    let place = tempfile::tempdir().unwrap();
    let report = place.path().join("report.json");
    let mut swarm = Command::new(env!("CARGO_BIN_EXE_klaxon-swarm"));
    swarm.args(["--show", show, "--players", "150", "--spectators", "5", "--seed", "7", "--questions", "3"]);
    swarm.args(["--open-for", "500ms", "--lead", "100ms", "--pause", "50ms", "--suspense", "20ms"]);
    swarm.args(["--bad-networks", "0.2", "--cheats", "0.1"]).args(more);
    swarm.arg("--json").arg(&report).arg("--klaxon").arg(klaxon());
    let output = swarm.env("TMPDIR", place.path()).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let report = std::fs::read(&report).unwrap_or_else(|error| panic!("no report: {error}\n{stdout}\n{stderr}"));
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert!(output.status.success(), "{stdout}\n{stderr}");
    for line in report["audit"].as_array().unwrap() {
        assert!(line["checked"].as_u64().unwrap() > 0, "{stdout}\n{stderr}");
    }
    assert_eq!(report["crowd"]["joined"], 150);
    assert!(report["winners"]["places"].as_array().unwrap().len() == 10, "{stdout}");
    (report, stdout)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The refusals by which players of every kind are told what they did wrong.
fn refusals(report: &Value) -> BTreeSet<&str> {
    report["answers"]["refused"].as_array().unwrap().iter().map(|pair| pair[0].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_question_of_every_kind_is_played_to_the_end_of_the_show() {
    let (report, text) = played("kinds", &[]).await;
    let lines = report["quiz"].as_array().unwrap();
    let kinds: BTreeSet<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 11, "all but slides: {kinds:?}");
    let parts: BTreeSet<u64> = lines.iter().map(|line| number(&line["part"])).collect();
    assert_eq!(parts, BTreeSet::from([0, 2, 3]));
    for line in lines {
        assert!(number(&line["answered"]) > 0 || line["voided"] == true, "{line}");
        assert!(number(&line["seen_by"]) > 100, "{line}");
    }
    let last = lines.iter().filter(|line| line["part"] == 3).count();
    assert_eq!(last, 3, "the host ended the part before its last question");
    assert!(lines.iter().any(|line| number(&line["in_play"]) < 120), "nobody was put out");
    let codes = refusals(&report);
    for code in ["already_answered", "bad_choice", "too_early", "too_late", "bad_message"] {
        assert!(codes.contains(code), "{code} not among {codes:?}");
    }
    assert!(number(&report["answers"]["counted"]) > 1_500, "{text}");
    assert!(text.contains("quiz, part 1") && text.contains("quiz, part 3"), "{text}");
}

#[tokio::test]
async fn the_script_runs_an_evening_of_quiz_tambola_and_buzzers_and_the_host_only_judges() {
    let (report, text) = played("evening", &["--autopilot"]).await;
    let lines = report["quiz"].as_array().unwrap();
    let of = |part: u64| lines.iter().filter(move |line| line["part"] == part);
    assert_eq!((of(0).count(), of(4).count()), (3, 3));
    assert!(of(4).all(|line| line["kind"] == "buzzer"));
    assert!(of(4).any(|line| number(&line["paid"]) == 1), "{text}");
    let prizes = report["bingo"][0]["prizes"].as_array().unwrap();
    assert!(prizes.iter().all(|prize| number(&prize["winners"]) > 0), "{text}");
    assert_eq!(report["winners"]["paid"], report["winners"]["pot"]);
    assert!(text.contains("from round sent to seen") && text.contains("quiz, part 5") && text.contains("bingo"));
}
