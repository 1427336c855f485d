//! A game that the engine's source does not know, played over real sockets: docs/adding-a-game.md walks through it.

#![allow(clippy::unwrap_used)]

mod fixture;
mod lots;
mod rundown;

use std::path::Path;
use std::time::Duration;

use fixture::{Client, Server, games};
use klaxon_engine::archive::{Archive, Played};
use klaxon_engine::replay::replay;
use klaxon_protocol::ids::{RoundId, ShowId};
use klaxon_protocol::player::Body;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Makes a show of two draws, with its lobby open. Its id and code.
async fn open_show(host: &mut Client) -> (Value, String) {
    let setup = json!({ "words": ["red", "blue"], "open_for": 60_000 });
    host.send(json!({ "type": "create_game", "id": "g-1", "game": "lots", "title": "A draw", "setup": setup })).await;
    let created = host.receive("created").await;
    let show = created["show"].clone();
    host.command("g-2", &show, json!({ "action": "open_lobby" })).await;
    (show, created["code"].as_str().unwrap().to_owned())
}

fn accepted(reply: &Value) -> (bool, &Value) {
    (reply["accepted"].as_bool().unwrap(), &reply["value"])
}

fn journal(data: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(data.join("journal")).unwrap().map(|file| file.unwrap().path());
    let mut journals = files.filter(|file| file.extension().is_some_and(|extension| extension == "klxj"));
    std::fs::read(journals.next().unwrap()).unwrap()
}

#[test]
fn a_show_of_another_game_is_played_taken_over_after_a_kill_replayed_and_archived() {
    let data = TempDir::new().unwrap();
    let client = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(data.path());
    let (show, code, resumes) = client.block_on(async {
        let mut host = server.host().await;
        let (show, code) = open_show(&mut host).await;
        let (mut players, mut resumes) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let (mut player, resume) = server.join(&code, None).await;
            assert_eq!(player.receive("game_snapshot").await["game"], "lots");
            assert_eq!(player.receive("game_own").await["body"]["won"], json!([]));
            players.push(player);
            resumes.push(resume);
        }
        host.command("g-3", &show, json!({ "action": "play", "body": { "draw": true } })).await;
        for player in &mut players {
            assert_eq!(player.event("draw").await["round"], 1);
        }
        // Two claims of a seat, each of which counts once.
        let most = u64::MAX;
        assert_eq!(accepted(&players[0].claim(1, 0, most).await), (true, &json!(most)));
        assert_eq!(accepted(&players[0].claim(1, 1, "blue").await), (true, &json!("blue")));
        assert_eq!(accepted(&players[0].claim(1, 1, "red").await), (false, &json!("blue")));
        assert_eq!(players[0].claim(1, 0, "a word").await["code"], "already_answered");
        assert_eq!(players[0].claim(1, 2, 1).await["code"], "bad_choice");
        assert_eq!(players[1].claim(1, 0, "a word").await["code"], "bad_choice");
        // Right words, in the order in which they are read.
        for seat in [4, 2] {
            assert_eq!(accepted(&players[seat].claim(1, 1, "Red").await), (true, &json!("Red")));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (show, code, resumes)
    });
    server.kill();

    let server = Server::start(data.path());
    client.block_on(async {
        let mut host = server.host().await;
        let mut players = Vec::new();
        for resume in &resumes {
            let (mut player, _) = server.join(&code, Some(resume)).await;
            assert_eq!(player.receive("game_snapshot").await["phase"], "question", "the draw goes on");
            players.push(player);
        }
        // What was accepted before the kill stands, and is known to the player.
        assert_eq!(players[0].receive("game_own").await["body"]["word"], "\"blue\"");
        assert_eq!(accepted(&players[0].claim(1, 1, "red").await), (false, &json!("blue")));
        assert_eq!(accepted(&players[4].claim(1, 1, "Red").await), (true, &json!("Red")));
        for seat in [3, 1] {
            assert_eq!(accepted(&players[seat].claim(1, 1, "RED").await), (true, &json!("RED")));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        host.command("g-4", &show, json!({ "action": "close" })).await;
        // Each seat is told what it means for it, right behind the event.
        for (seat, place) in [(0, Value::Null), (1, Value::Null), (2, json!(2)), (3, json!(3)), (4, json!(1))] {
            assert_eq!(players[seat].event("drawn").await["body"]["drawn"]["winners"], json!([4, 2, 3]), "by arrival");
            let own = players[seat].receive("game_own").await;
            assert_eq!(own["body"]["place"], place, "seat {seat}");
            assert_eq!(own["body"]["off"].is_string(), seat == 0, "only seat 0 said a number");
        }
        assert_eq!(players[1].claim(1, 1, "red").await["code"], "already_answered");
        assert_eq!(players[0].claim(2, 1, "red").await["code"], "unknown_question");
        host.command("g-5", &show, json!({ "action": "remove", "seat": 3 })).await;
        host.command("g-6", &show, json!({ "action": "end" })).await;
        let id: ShowId = show.as_str().unwrap().parse().unwrap();
        let results = loop {
            match server.archive.results(id).await.unwrap() {
                Some(results) => break results,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        assert_eq!(results.summary.played, Played::Game(lots::name()));
        assert_eq!(results.rounds.len(), 1);
        assert_eq!(results.rounds[0].round, RoundId(1));
        assert_eq!(results.rounds[0].body, Body::of(&json!({ "word": "red", "winners": [4, 2, 3] })));
        let scores: Vec<u32> = results.players.iter().map(|player| player.score).collect();
        assert_eq!(scores, [0, 0, 1, 1, 1]);
        assert_eq!(server.archive.podium(id, 10).await.unwrap().len(), 3);
    });
    server.kill();

    let bytes = journal(data.path());
    let mut records = 0;
    let rebuilt = replay(&games(), &bytes, |_, _| records += 1).unwrap();
    assert!(records > 10 && rebuilt.game.results(rebuilt.show).is_some());
    // An engine without the game says so, and leaves the journal alone.
    let unknown = replay(&klaxon_engine::game::Games::default(), &bytes, |_, _| {}).err().unwrap().to_string();
    assert!(unknown.contains("`lots` is not played here"), "{unknown}");
}

#[test]
fn a_game_that_is_not_played_here_and_a_setup_that_makes_no_sense_are_refused_with_what_to_do() {
    let data = TempDir::new().unwrap();
    let client = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(data.path());
    client.block_on(async {
        let mut host = server.host().await;
        let mut refused = async |game: &str, title: &str, setup: Value| {
            let id = "g-1";
            host.send(json!({ "type": "create_game", "id": id, "game": game, "title": title, "setup": setup })).await;
            let refused = host.receive("refused").await;
            (refused["error"]["code"].as_str().unwrap().to_owned(), refused["error"]["message"].to_string())
        };
        let (code, message) = refused("chess", "A game", json!({})).await;
        assert!(code == "unknown_game" && message.contains("there is `lots`"), "{code} {message}");
        for (title, setup, says) in [
            ("A draw", json!({}), "missing field `words`"),
            ("A draw", json!({ "words": [], "open_for": 100 }), "`words` has one at least"),
            ("\u{202e}", json!({ "words": ["a"], "open_for": 100 }), "title"),
        ] {
            let (code, message) = refused("lots", title, setup).await;
            assert!(code == "bad_settings" && message.contains(says), "{code} {message}");
        }
    });
    server.kill();
}

/// The blocks of code of the page, each with what stands behind the fence.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').expect("a block has a first line")).collect()
}

/// Whether the message holds all that the page tells of it.
fn holds(message: &Value, expected: &Value) -> bool {
    match (message, expected) {
        (Value::Object(message), Value::Object(expected)) => {
            expected.iter().all(|(name, expected)| message.get(name).is_some_and(|message| holds(message, expected)))
        }
        (message, expected) => message == expected,
    }
}

/// Says what the page says, with one player who joins when the lobby is open, and waits for what the page says is received. Returns the
/// number of messages.
async fn talk(server: &Server, page: &str) -> usize {
    let mut host = server.host().await;
    let (mut show, mut code, mut player, mut messages) = (Value::Null, String::new(), None, 0);
    for (info, text) in blocks(page).into_iter().filter(|(info, _)| info.starts_with("json ")) {
        for line in text.lines() {
            messages += 1;
            let mut message: Value = serde_json::from_str(line).unwrap();
            match info {
                "json host says" => {
                    let is_create = message["type"] == "create_game";
                    if !is_create {
                        message["show"] = show.clone();
                    }
                    host.send(message.clone()).await;
                    if is_create {
                        let created = host.receive("created").await;
                        (show, code) = (created["show"].clone(), created["code"].as_str().unwrap().to_owned());
                        continue;
                    }
                    host.receive("done").await;
                    if message["action"] == "open_lobby" {
                        player = Some(server.join(&code, None).await.0);
                    }
                }
                "json player says" => player.as_mut().unwrap().send(message).await,
                "json player hears" => loop {
                    let received = player.as_mut().unwrap().receive(message["type"].as_str().unwrap()).await;
                    if holds(&received, &message) {
                        break;
                    }
                    // A round's own event, and the state of who came in, stand before.
                    assert!(received["type"] != "claim_reply", "{received}, and not {message}");
                },
                other => panic!("a block of {other:?}"),
            }
        }
    }
    messages
}

#[test]
fn the_page_shows_this_code_and_these_messages() {
    let page = include_str!("../../../docs/adding-a-game.md");
    let sources = concat!(include_str!("lots.rs"), include_str!("fixture.rs"));
    let data = TempDir::new().unwrap();
    let client = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(data.path());
    let mut excerpts = 0;
    for (info, text) in blocks(page) {
        match info {
            "rust" => {
                excerpts += 1;
                assert!(sources.contains(text), "the page shows what the game does not have:\n{text}");
            }
            "sh" => assert_eq!(text.trim(), "cargo test -p klaxon-gateway --test second_game"),
            info => assert!(info.starts_with("json "), "a block of {info:?}"),
        }
    }
    let messages = client.block_on(talk(&server, page));
    server.kill();
    assert!(excerpts >= 6 && messages >= 10, "{excerpts} excerpts, {messages} messages");
}
