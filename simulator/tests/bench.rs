//! `klaxon-bench` as a whole, with few players: every subject has rows, and all started processes have ended.

use std::path::Path;
use std::process::Command;

use klaxon_simulator::bench::rows::Subject;
use serde_json::Value;

/// The bench, with the server program in the same directory.
fn bench(arguments: &[&str]) -> Command {
    let bench = Path::new(env!("CARGO_BIN_EXE_klaxon-bench"));
    let klaxon = bench.with_file_name("klaxon");
    assert!(klaxon.exists(), "this test starts {}: `cargo build --workspace` first", klaxon.display());
    let mut command = Command::new(bench);
    command.args(arguments);
    command
}

#[test]
fn a_goal_without_a_figure_fails_a_run_that_must_reach_its_goals_and_no_other() {
    // A single player has the question before the small show's question can be asked during the fan-out.
    let one = ["--only", "fairness", "--players", "1", "--rounds", "1"];
    let run = bench(&one).arg("--must").output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.status.code(), Some(1), "{text}{}", String::from_utf8_lossy(&run.stderr));
    assert!(text.contains("no figure"), "{text}");
    assert!(bench(&one).output().unwrap().status.success());
}

#[test]
fn a_goal_that_two_rounds_can_t_decide_has_an_exit_code_of_its_own() {
    let run = bench(&["--only", "fan-out", "--players", "20", "--rounds", "2", "--must"]).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.status.code(), Some(3), "{text}{}", String::from_utf8_lossy(&run.stderr));
    assert!(text.contains("undecided") && text.contains("of 2 rounds") && !text.contains("no figure"), "{text}");
}

#[test]
fn a_small_run_has_rows_for_every_subject_and_a_verdict_on_every_goal() {
    let out = tempfile::tempdir().unwrap();
    let (json, html) = (out.path().join("bench.json"), out.path().join("bench.html"));
    let run = bench(&["--quick", "--players", "50", "--rounds", "2"])
        .args(["--json".as_ref(), json.as_os_str(), "--html".as_ref(), html.as_os_str()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));

    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    let page = std::fs::read_to_string(html).unwrap();
    for subject in Subject::ALL {
        let name = serde_json::to_value(subject).unwrap();
        let of_klaxon = rows.iter().filter(|row| row["subject"] == name && row["kind"] == "portable");
        // With so few players the fan-out may end before the small show's question; then the row has the reason.
        let step = of_klaxon.filter(|row| row["sample"].is_object() || row["refused"].is_string());
        assert!(step.count() > 0, "{subject:?} in {rows:#?}");
        assert!(text.contains(subject.title()) && page.contains(subject.title()), "{subject:?}");
    }
    let goals = report["goals"].as_array().unwrap();
    let portable = goals.iter().filter(|goal| goal["kind"] == "portable").count();
    assert_eq!(portable, 11, "{goals:#?}");
    assert!(page.contains("class=\"plot\"") && !page.contains("<script"));
}
