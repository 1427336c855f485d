//! A whole show: the real server, the real host's console, and the client that was written from docs/protocol.md alone.

use std::path::Path;
use std::process::Output;

use klaxon_protocol::journal::Records;

use crate::player::python_client;
use crate::server::{Server, klaxon};

/// Plays the two questions to the end, with a player of this name.
pub fn play(server: &Server, name: &str) {
    let mut host = server.host_of_new_show("WHOLE");
    let mut client = python_client(server.addresses.players, "WHOLE", name);
    for question in [r#""question":1"#, r#""question":2"#] {
        host.send("next");
        client.wait_for(&[r#""type":"answer_reply""#, question, r#""accepted":true"#]);
        host.send("close");
        host.send("wait closed");
        host.send("reveal");
        client.wait_for(&[r#""type":"result""#, question]);
    }
    host.send("end");
    client.wait_for(&[r#""type":"podium""#, &format!(r#""name":"{name}""#)]);
    client.wait_for(&[r#""type":"end""#]);
    assert!(client.end().success(), "{}", client.said.join("\n"));
    host.send("wait ended");
    assert!(host.end().success(), "{}", host.said.join("\n"));
}

pub fn replay(journal: &Path) -> Output {
    klaxon(&["replay"]).arg(journal).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_show_is_played_replayed_and_a_changed_byte_of_its_journal_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    play(&server, "Ann");
    let (journal, metrics) = (server.journal(), server.metrics());
    server.stop();

    assert!(metrics.contains("klaxon_answers_counted_total 2\n"), "{metrics}");
    assert!(metrics.contains("# HELP klaxon_answers_counted_total "), "{metrics}");

    let whole = replay(&journal);
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    let message = text(&whole.stdout);
    assert!(message.lines().last().unwrap().starts_with("identical: "), "{message}");
    assert!(message.contains("1 answers to question 2") && message.contains("podium: "), "{message}");

    let mut bytes = std::fs::read(&journal).unwrap();
    let starts: Vec<usize> = Records::new(&bytes).unwrap().map(|record| record.unwrap().0).collect();
    let middle = starts.len() / 2;
    // The last byte of a record's content.
    bytes[starts[middle + 1] - 1] ^= 1;
    let changed = dir.path().join("changed.klxj");
    std::fs::write(&changed, &bytes).unwrap();
    let damaged = replay(&changed);
    assert_eq!(damaged.status.code(), Some(1));
    let message = text(&damaged.stderr);
    assert!(message.contains("changed.klxj") && message.contains(&format!("byte {} ", starts[middle])), "{message}");
    assert_eq!(text(&damaged.stdout).lines().count(), middle, "what was whole before it is printed");
}
