//! `klaxon forget`: nothing of a person is left in a server's data, and their show replays as it did.

use std::path::Path;
use std::process::Output;

use crate::server::{Server, klaxon};
use crate::whole_show::{play, replay, text};

const NAME: &str = "Quetzalcoatl";

fn forget(player: &str, more: &[&str], data: &Path) -> Output {
    klaxon(&["forget", player, "--data-dir"]).arg(data).args(more).output().unwrap()
}

/// The files below the directory that hold this text.
fn holding(directory: &Path, sought: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, sought));
        } else if std::fs::read(&path).unwrap().windows(sought.len()).any(|part| part == sought.as_bytes()) {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

fn last_line(output: &Output) -> String {
    text(&output.stdout).lines().last().unwrap().to_owned()
}

#[test]
fn a_person_is_forgotten_and_the_show_replays_as_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    play(&server, NAME);
    let refused = forget("somebody", &[], &data);
    let message = text(&refused.stderr);
    assert!(!refused.status.success() && message.contains("stop the server first"), "{message}");
    let journal = server.journal();
    server.stop();

    let before = replay(&journal);
    let line = text(&before.stdout).lines().find(|line| line.contains(" is taken by ")).unwrap().to_owned();
    assert!(line.contains(&format!("seat 0 is taken by {NAME:?} (guest-")), "{line}");
    let player = line.split_once('(').unwrap().1.split(')').next().unwrap().to_owned();
    let show = journal.file_stem().unwrap().to_str().unwrap().to_owned();
    assert_eq!(holding(&data, NAME).iter().filter(|file| file.ends_with("klxj")).count(), 0);
    assert!(holding(&data, NAME).contains(&format!("{show}.klxp")), "{:?}", holding(&data, NAME));

    let nobody = forget("nobody", &[], &data);
    assert!(nobody.status.success() && text(&nobody.stdout).contains("0 records of them taken out, of no show"));
    let other_show = forget(&player, &["--show", "1"], &data);
    assert!(other_show.status.success() && text(&other_show.stdout).contains("of no show"));
    assert!(!holding(&data, &player).is_empty());

    let done = forget(&player, &[], &data);
    let message = text(&done.stdout);
    assert!(done.status.success(), "{message}{}", text(&done.stderr));
    assert!(message.contains(&format!("1 records of them taken out, of show {show}")), "{message}");
    assert!(message.contains(&format!("archive.sqlite: their rows name them no more, of show {show}")), "{message}");
    for sought in [NAME, &player] {
        assert_eq!(holding(&data, sought), Vec::<String>::new(), "{sought}");
    }
    let after = replay(&journal);
    assert!(after.status.success(), "{}", text(&after.stderr));
    assert_eq!(last_line(&after), last_line(&before), "identical, with the same last state");
    assert!(text(&after.stdout).contains(r#"seat 0 is taken by a guest who is not named here: "Player 1""#));

    // The server that starts again puts nothing of them back.
    let server = Server::start(&data);
    assert!(server.list().contains("WHOLE"), "{}", server.list());
    server.stop();
    for sought in [NAME, &player] {
        assert_eq!(holding(&data, sought), Vec::<String>::new(), "{sought}");
    }
}

#[test]
fn a_journal_of_before_is_named_for_it_cant_be_forgotten_there() {
    let dir = tempfile::tempdir().unwrap();
    let journals = dir.path().join("journal");
    std::fs::create_dir(&journals).unwrap();
    let old = include_str!("../../../engine/tests/old_journals/shows.hex").lines().next().unwrap();
    let (_, hex) = old.split_once(' ').unwrap();
    let digits =
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    let bytes: Vec<u8> = digits.collect();
    let records: Vec<_> = klaxon_protocol::journal::Records::new(&bytes).unwrap().map(|item| item.unwrap().1).collect();
    let player = records.iter().find_map(|record| match &record.command {
        klaxon_protocol::journal::Command::Join { player, .. } => Some(player.clone()),
        _ => None,
    });
    let file = format!("{}.klxj", records[0].show);
    std::fs::write(journals.join(&file), &bytes).unwrap();
    let done = forget(player.unwrap().as_str(), &[], dir.path());
    let message = text(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{message}");
    assert!(message.contains(&format!("{file} names them itself")), "{message}");
    assert_eq!(std::fs::read(journals.join(&file)).unwrap(), bytes);
    let nowhere = forget("nobody", &[], &dir.path().join("elsewhere"));
    assert!(text(&nowhere.stderr).contains("is no data directory of `klaxon serve`"), "{}", text(&nowhere.stderr));
}
