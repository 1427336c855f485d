//! `kill -9`, and the same data again.

use klaxon_protocol::games::trivia::Choice;
use klaxon_protocol::player::{Phase, ToPlayer, Welcome};
use rustix::process::Signal;

use crate::player::{Player, python_client};
use crate::server::Server;

#[test]
fn after_kill_9_the_show_goes_on_the_player_is_back_and_the_acknowledged_answer_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"));
    let mut host = server.host_of_new_show("CRASH");
    let mut client = python_client(server.addresses.players, "CRASH", "Ann");
    let welcome: Welcome = serde_json::from_str(client.said.last().unwrap()).unwrap();
    host.send("next");
    client.wait_for(&[r#""type":"answer_reply""#, r#""accepted":true"#]);
    server.program.signal(Signal::KILL);
    assert!(!server.program.end().success());
    assert!(dir.path().join("data/addresses.json").exists(), "it had no time to remove it");
    assert!(!client.end().success());

    let server = Server::start(&dir.path().join("data"));
    assert!(server.list().contains("CRASH        question          1 joined"), "{}", server.list());
    let mut player = Player::resume(server.addresses.players, "CRASH", welcome.resume);
    let again = player.receive(|message| match message {
        ToPlayer::Welcome(welcome) => Some(welcome.seat),
        _ => None,
    });
    assert_eq!(again, welcome.seat);
    let snapshot = player.receive(|message| match message {
        ToPlayer::Snapshot(snapshot) => Some(snapshot),
        _ => None,
    });
    assert_eq!(snapshot.phase, Phase::Question);
    let answered = player.receive(|message| match message {
        ToPlayer::You(you) => Some(you.answered),
        _ => None,
    });
    assert_eq!(answered, Some(Choice(0)));

    let mut host = server.host(&["--code", "CRASH"]);
    host.wait_for(&["alert: the engine was away"]);
    for order in ["close", "wait closed", "reveal", "end", "wait ended"] {
        host.send(order);
    }
    host.wait_for(&["event: question 1: ", " of 1 answers; 0 silent"]);
    assert!(host.end().success(), "{}", host.said.join("\n"));
    server.stop();
}
