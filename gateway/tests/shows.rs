//! `klaxon check`: shows' files are checked, and played dry.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn check(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_klaxon")).arg("check").args(words).output().unwrap()
}

#[test]
fn a_show_without_mistakes_is_played_dry() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/shows/mixed.json");
    let output = check(&[example, "--players", "50", "--seed", "3"]);
    assert!(output.status.success(), "{output:?}");
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.starts_with("Mixed evening: played dry with 50 players, seed 3\n"), "{report}");
    assert!(report.contains("[1] bingo: Full house (50.00 GBP): ") && report.contains("in total"), "{report}");
    assert_eq!(check(&[example, "--players", "10001"]).status.code(), Some(2));
}

#[test]
fn all_mistakes_are_printed_and_the_exit_code_is_1() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.toml");
    std::fs::write(&file, "title = \"Bad\"\nlifes = 1\n[[parts]]\npart = \"break\"\ntext = \"\"\n").unwrap();
    let output = check(&[file.to_str().unwrap()]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("bad.toml:2: lifes is not known here; is `lives` meant?\n"), "{told}");
    assert!(told.contains("bad.toml:5: parts[0].text has 1 to 500 characters"), "{told}");
    let output = check(&[dir.path().join("none.toml").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("none.toml: the file can't be read"));
}

/// The page's example, and its table of mistakes, are what the program does.
#[test]
fn the_examples_of_the_page_are_what_is_printed() {
    let page = include_str!("../../docs/shows.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("friday.toml");
    std::fs::write(&file, example.replace("friday.toml", "bundled")).unwrap();
    let output = check(&[file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/shows/mixed.json");
    let report = String::from_utf8(check(&[example]).stdout).unwrap();
    let (_, rest) = page.split_once("```text\nMixed evening").unwrap();
    let (told, _) = rest.split_once("```").unwrap();
    for line in told.lines().skip(1).filter(|line| *line != "...") {
        assert!(report.lines().any(|printed| printed.trim_end() == line), "{line:?} is not in\n{report}");
    }
}
