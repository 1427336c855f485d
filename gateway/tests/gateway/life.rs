//! A gateway's last minute.

use std::time::Duration;

use klaxon_protocol::claim::Verdict;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{AnswerReply, Choice, QuestionId};
use klaxon_protocol::link::ToEngine;
use klaxon_protocol::player::ToPlayer;
use tokio::net::TcpStream;

use crate::fixture::{Client, GATEWAY, PATIENCE, answers_in, fixture, settings};
use crate::handshake::get;

/// The reply to an answer of choice 2 to question 1.
fn accepted() -> ToPlayer {
    ToPlayer::AnswerReply(AnswerReply::new(QuestionId(1), &Verdict::Accepted(Choice(2).into())))
}

#[tokio::test]
async fn a_drained_gateway_replies_sends_goodbye_leaves_the_bus_and_is_gone() {
    let mut fixture = fixture(settings());
    let mut clients = Vec::new();
    for number in 0..6 {
        clients.push(Client::join(&fixture, Codec::ALL[number % 2]).await.0);
    }
    for client in &mut clients {
        client.answer(1, 2).await;
    }
    // As soon as all answers are read, their replies on the way or not.
    let mut answered = 0;
    while answered < clients.len() {
        answered += fixture.engine.wait(answers_in).await.answers.len();
    }
    let address = fixture.gateway.addr();
    let drained = tokio::spawn(fixture.gateway.drain(PATIENCE, Vec::new()));
    for client in &mut clients {
        let (messages, code) = client.rest().await;
        assert!(matches!(&messages[..], [first, ToPlayer::Goodbye(_)] if *first == accepted()), "{messages:?}");
        assert_eq!(code, Some(1012));
    }
    drop(clients);
    drained.await.unwrap();
    let bye = |said| if let ToEngine::Bye { gateway } = said { Some(gateway) } else { None };
    assert_eq!(fixture.engine.wait(bye).await, GATEWAY);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn while_it_drains_connections_are_refused_and_it_is_not_ready() {
    let mut fixture = fixture(settings());
    let (mut client, _) = Client::join(&fixture, Codec::Json).await;
    // An answer without a reply keeps the gateway waiting.
    fixture.engine.mute(true);
    client.answer(1, 2).await;
    let answered = fixture.engine.wait(answers_in).await;
    let address = fixture.gateway.addr();
    let drained = tokio::spawn(fixture.gateway.drain(2 * PATIENCE, Vec::new()));
    let goodbyes = async {
        while get(address, "/readyz").await.0 != 503 {}
        let stream = TcpStream::connect(address).await.unwrap();
        assert!(Client::over(stream, Codec::Json).await.is_err());
    };
    tokio::time::timeout(PATIENCE, goodbyes).await.unwrap();
    fixture.engine.reply(&answered);
    let (messages, code) = client.rest().await;
    assert!(matches!(&messages[..], [first, ToPlayer::Goodbye(_)] if *first == accepted()), "{messages:?}");
    assert_eq!(code, Some(1012));
    drop(client);
    drained.await.unwrap();
}

#[tokio::test]
async fn one_who_does_not_go_is_left_behind_at_the_limit() {
    let fixture = fixture(settings());
    let stream = TcpStream::connect(fixture.gateway.addr()).await.unwrap();
    let deaf = Client::over(stream, Codec::Json).await.unwrap();
    tokio::time::timeout(PATIENCE, fixture.gateway.drain(Duration::from_millis(300), Vec::new())).await.unwrap();
    drop(deaf);
}
