//! A show from its creation to its reveal, over two gateways, while an engine or Redis dies.

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::games::trivia::{Choice, Outcome};
use klaxon_protocol::host::{Action, FromHost, ToHost};
use klaxon_protocol::ids::{GatewayId, Generation, SeatRef};
use klaxon_protocol::link::{Proof, ToGateway};
use klaxon_protocol::player::{Role, ToPlayer};
use tempfile::TempDir;
use tokio::time::Instant;

use super::engines::{Engine, create, create_for, fixture, journal, player};
use crate::bus::contract::{ANN, BEN, PATIENCE};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_is_played_on_by_another_engine_when_its_own_dies_in_a_question() {
    let (fixture, data) = (fixture().await, TempDir::new().unwrap());
    let journal = journal(&data).await;
    let first = Engine::start(&fixture, "first", Arc::clone(&journal)).await;
    let (mut ann, mut ben) = (player(&fixture, ANN).await, player(&fixture, BEN).await);
    let ToHost::Created(created) = ann.asks(create("create", 2)).await else { panic!("not created") };
    let show = created.show;
    ann.commands(show, "open", Action::OpenLobby).await;
    ann.join().await;
    ben.join().await;
    assert_ne!(ann.seat, ben.seat);
    ann.commands(show, "next", Action::Next).await;
    ben.event(|event| if let ToPlayer::Question(question) = event { Some(question) } else { None }).await;
    ann.answer(show, 1, 1);
    assert_eq!(ann.verdict().await, Verdict::Accepted(Choice(1).into()));

    first.kill().await;
    ben.answer(show, 1, 1);
    let second = Engine::start(&fixture, "second", journal).await;
    assert_eq!(ben.verdict().await, Verdict::Accepted(Choice(1).into()));
    ann.answer(show, 1, 0);
    assert_eq!(ann.verdict().await, Verdict::AlreadyAnswered(Choice(1).into()), "what was accepted stands");
    ann.commands(show, "close", Action::Close).await;
    tokio::join!(ann.closed(), ben.closed());
    ann.commands(show, "reveal", Action::Reveal).await;
    let personal = ben
        .wait_for(|message| match message {
            ToGateway::Broadcast(event) if matches!(event.message, ToPlayer::Reveal(_)) => event.personal,
            _ => None,
        })
        .await;
    for seat in [ann.seat, ben.seat] {
        let ToPlayer::Result(result) = &personal.shapes[personal.shape_of(seat.seat).unwrap()] else {
            panic!("no result")
        };
        assert_eq!(result.outcome, Outcome::Right);
    }
    second.end.close();
    second.running.await.unwrap();
    second.end.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_takes_up_a_full_lobby_finds_out_who_is_gone_and_keeps_the_seats_of_all_others() {
    let (fixture, data) = (fixture().await, TempDir::new().unwrap());
    let journal = journal(&data).await;
    let first = Engine::start(&fixture, "first", Arc::clone(&journal)).await;
    let (mut ann, mut ben) = (player(&fixture, ANN).await, player(&fixture, BEN).await);
    let ToHost::Created(created) = ann.asks(create_for("create", 2, 2)).await else { panic!("not created") };
    let show = created.show;
    ann.commands(show, "open", Action::OpenLobby).await;
    ann.join().await;
    ben.join().await;
    first.kill().await;
    // The engine that knew that Ann is gone is dead.
    ann.is_in = false;
    let second = Engine::start(&fixture, "second", journal).await;
    tokio::join!(ann.counted(), ben.counted());
    let cid = player(&fixture, GatewayId(9)).await;
    let (mut asked, began) = (0, Instant::now());
    let seated = loop {
        cid.ask_to_join();
        asked += 1;
        let answer = cid.wait_for(|message| match message {
            ToGateway::Seated(seated) => Some(Some(seated)),
            ToGateway::JoinRefused { .. } => Some(None),
            _ => None,
        });
        if let Some(seated) = answer.await {
            break seated;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(asked > 1 && began.elapsed() < PATIENCE, "Ann has some time to come back: {asked}");
    let given = SeatRef { generation: Generation(1), ..ann.seat };
    assert_eq!(seated.seat, Some(given), "Ben is there");
    // Ann's gateway is told, whether she is there or not.
    let dismissed = ann.wait_for(|message| match message {
        ToGateway::Dismiss { seat, .. } => Some(seat),
        _ => None,
    });
    assert_eq!(dismissed.await, ann.seat);
    // An answer under the old generation of the seat, which Ann's gateway sends late, counts for nobody.
    ben.commands(show, "next", Action::Next).await;
    ann.answer(show, 1, 1);
    assert_eq!(ann.verdict().await, Verdict::Refused(ErrorCode::SeatGivenAway));
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_was_banned_at_one_gateway_holds_at_all_and_for_the_next_engine() {
    let (fixture, data) = (fixture().await, TempDir::new().unwrap());
    let journal = journal(&data).await;
    let first = Engine::start(&fixture, "first", Arc::clone(&journal)).await;
    // All players here come from one address.
    let (mut ann, ben) = (player(&fixture, ANN).await, player(&fixture, BEN).await);
    let ToHost::Created(created) = ann.asks(create("create", 2)).await else { panic!("not created") };
    let show = created.show;
    ann.commands(show, "open", Action::OpenLobby).await;
    ann.join().await;
    ann.commands(show, "ban", Action::BanAddress { seat: ann.seat.seat, shared: false }).await;
    let refused = ben.join_as(7, Role::Player, Proof::NewGuest).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::Banned);
    first.kill().await;
    let second = Engine::start(&fixture, "second", journal).await;
    let refused = ben.join_as(8, Role::Player, Proof::NewGuest).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::Banned);
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_goes_on_over_a_redis_that_lost_its_memory() {
    let (mut fixture, data) = (fixture().await, TempDir::new().unwrap());
    let engine = Engine::start(&fixture, "first", journal(&data).await).await;
    let (mut ann, ben) = (player(&fixture, ANN).await, player(&fixture, BEN).await);
    let ToHost::Created(created) = ann.asks(create("create", 2)).await else { panic!("not created") };
    let show = created.show;
    ann.commands(show, "open", Action::OpenLobby).await;
    ann.join().await;
    ann.commands(show, "next", Action::Next).await;
    ann.answer(show, 1, 1);
    assert_eq!(ann.verdict().await, Verdict::Accepted(Choice(1).into()));

    fixture.server().process().kill();
    ann.answer(show, 1, 0);
    fixture.server().start_again().await.unwrap();
    assert_eq!(ann.verdict().await, Verdict::AlreadyAnswered(Choice(1).into()), "what was accepted stands");
    ann.commands(show, "close", Action::Close).await;
    ann.closed().await;
    ben.ask_to_join();
    ben.wait_for(|message| matches!(message, ToGateway::Seated(_)).then_some(())).await;
    let lines = ben.asks(FromHost::Shows).await;
    assert!(matches!(lines, ToHost::Shows(list) if list.shows.len() == 1), "it is listed again");
    engine.kill().await;
}
