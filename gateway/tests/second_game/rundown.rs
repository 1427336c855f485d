//! A rundown over real sockets: a game that is built in, and whose setup can hold what only the server draws.

use klaxon_engine::archive::Played;
use klaxon_engine::game::{Game, GameRules, Games};
use klaxon_engine::replay::replay;
use klaxon_protocol::error::Refusal;
use klaxon_protocol::games::rundown::game_name;
use klaxon_protocol::ids::{GameName, ShowId};
use klaxon_protocol::journal::{BegunGame, RulesVersion};
use klaxon_protocol::player::Body;
use klaxon_protocol::time::Millis;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{Client, Server};
use crate::lots::LotsRules;
use crate::{journal, talk};

async fn create(host: &mut Client, game: &str, setup: &Value) -> Value {
    host.send(json!({ "type": "create_game", "id": "r-1", "game": game, "title": "A show", "setup": setup })).await;
    host.receive("created").await
}

#[test]
fn the_rule_book_s_example_is_what_is_sent() {
    let data = TempDir::new().unwrap();
    let client = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(data.path());
    let messages = client.block_on(talk(&server, include_str!("../../../docs/rules/rundown.md")));
    server.kill();
    assert_eq!(messages, 13);
}

#[test]
fn a_rundown_goes_on_after_a_kill_and_is_replayed_and_archived() {
    let data = TempDir::new().unwrap();
    let client = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(data.path());
    let setup = json!({ "parts": [{ "part": "break", "text": "Hello!" }, { "part": "break", "text": "Tea!" }] });
    let (show, code, resume) = client.block_on(async {
        let mut host = server.host().await;
        let created = create(&mut host, "rundown", &setup).await;
        let (show, code) = (created["show"].clone(), created["code"].as_str().unwrap().to_owned());
        host.command("r-2", &show, json!({ "action": "open_lobby" })).await;
        let (mut player, resume) = server.join(&code, None).await;
        host.command("r-3", &show, json!({ "action": "next" })).await;
        assert_eq!(
            player.event("text").await["body"],
            json!({ "event": "break", "part": 0, "text": "Hello!", "for": 60_000 })
        );
        host.command("r-4", &show, json!({ "action": "play", "body": { "points": { "seat": 0, "by": 7 } } })).await;
        (show, code, resume)
    });
    server.kill();

    let server = Server::start(data.path());
    client.block_on(async {
        let mut host = server.host().await;
        assert_eq!(create(&mut host, "rundown", &setup).await["show"], show, "sent again, it makes no second show");
        let (mut player, _) = server.join(&code, Some(&resume)).await;
        let snapshot = player.receive("game_snapshot").await;
        assert_eq!((&snapshot["body"]["part"], &snapshot["body"]["now"]["text"]), (&json!(0), &json!("Hello!")));
        assert_eq!(player.receive("game_own").await["body"]["points"], 7);
        host.command("r-5", &show, json!({ "action": "next" })).await;
        assert_eq!(player.event("text").await["body"]["text"], "Tea!");
        host.command("r-6", &show, json!({ "action": "end" })).await;
        assert_eq!(player.receive("podium").await["places"][0]["score"], 7);
        let id: ShowId = show.as_str().unwrap().parse().unwrap();
        let results = loop {
            match server.archive.results(id).await.unwrap() {
                Some(results) => break results,
                None => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        };
        assert_eq!((results.summary.played, results.players[0].score), (Played::Game(game_name()), 7));
    });
    server.kill();
    let rebuilt = replay(&Games::default(), &journal(data.path()), |_, _| {}).unwrap();
    assert!(rebuilt.game.results(rebuilt.show).is_some());
}

/// Lots, with a secret in each show's setup that the server draws.
struct SecretLots;

impl GameRules for SecretLots {
    fn newest(&self, apart: bool) -> RulesVersion {
        LotsRules.newest(apart)
    }

    fn begin(&self, now: Millis, rules: RulesVersion, show: &BegunGame) -> Result<Box<dyn Game>, Refusal> {
        assert_eq!(show.setup.0["secret"].as_array().unwrap().len(), 32);
        LotsRules.begin(now, rules, show)
    }

    fn prepare(&self, setup: &Body, random: &mut dyn FnMut() -> [u8; 32]) -> Result<Body, Refusal> {
        let mut setup = setup.clone();
        setup.0.insert("secret".into(), json!(random()));
        Ok(setup)
    }

    fn as_sent(&self, setup: &Body) -> Body {
        let mut setup = setup.clone();
        setup.0.remove("secret");
        setup
    }
}

#[test]
fn what_the_server_draws_for_a_show_does_not_make_a_repeated_create_another_one() {
    let games = || Games::default().with(GameName::parse("secret_lots").unwrap(), SecretLots);
    let data = TempDir::new().unwrap();
    let client = tokio::runtime::Runtime::new().unwrap();
    let setup = json!({ "words": ["red"], "open_for": 60_000 });
    let mut shows = Vec::new();
    for _ in 0..2 {
        let server = Server::start_with(data.path(), games());
        client.block_on(async {
            let mut host = server.host().await;
            for _ in 0..2 {
                shows.push(create(&mut host, "secret_lots", &setup).await["show"].clone());
            }
            let other = json!({ "words": ["blue"], "open_for": 60_000 });
            let message =
                json!({ "type": "create_game", "id": "r-1", "game": "secret_lots", "title": "A show", "setup": other });
            host.send(message).await;
            assert_eq!(host.receive("refused").await["error"]["code"], "id_taken");
        });
        server.kill();
    }
    assert!(shows.iter().all(|show| *show == shows[0]), "{shows:?}");
}

#[test]
fn a_team_that_was_chosen_in_the_lobby_is_kept_over_a_kill() {
    let data = TempDir::new().unwrap();
    let client = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(data.path());
    let setup = json!({
        "parts": [{ "part": "quiz", "questions": [{ "text": "?", "kind": "choice", "choices": ["a", "b"], "right": 0 }] }],
        "teams": { "by": "choice", "names": ["Reds", "Blues", "Greens"] },
    });
    let (show, code, resume) = client.block_on(async {
        let mut host = server.host().await;
        let created = create(&mut host, "rundown", &setup).await;
        let (show, code) = (created["show"].clone(), created["code"].as_str().unwrap().to_owned());
        host.command("r-2", &show, json!({ "action": "open_lobby" })).await;
        let (mut player, resume) = server.join(&code, None).await;
        assert_eq!(player.receive("game_snapshot").await["body"]["teams"]["choice"], 0);
        assert_eq!(player.receive("game_own").await["body"]["choice"], json!({ "round": 0, "key": 0 }));
        let reply = player.claim(0, 0, 1).await;
        assert_eq!((&reply["accepted"], &reply["value"]), (&json!(true), &json!(1)));
        (show, code, resume)
    });
    server.kill();

    let server = Server::start(data.path());
    client.block_on(async {
        let mut host = server.host().await;
        let (mut player, _) = server.join(&code, Some(&resume)).await;
        let own = player.receive("game_own").await["body"].clone();
        assert_eq!((&own["team"]["team"], &own["choice"]["key"]), (&json!(1), &json!(1)));
        let reply = player.claim(0, 0, 2).await;
        assert_eq!(
            (&reply["code"], &reply["value"]),
            (&json!("already_answered"), &json!(1)),
            "the arbiter knows it again"
        );
        assert_eq!(player.claim(0, 1, 2).await["accepted"], true);
        for id in ["r-3", "r-4"] {
            host.command(id, &show, json!({ "action": "next" })).await;
        }
        player.event("text").await;
        assert_eq!(player.claim(0, 2, 0).await["code"], "too_late");
        player.send(json!({ "type": "leave" })).await;
        let (mut player, _) = server.join(&code, Some(&resume)).await;
        assert_eq!(player.receive("game_own").await["body"]["team"]["team"], 2);
    });
    server.kill();
    replay(&Games::default(), &journal(data.path()), |_, _| {}).unwrap();
}
