//! Engines that take shows over, and gateways that come and go.

use std::collections::BTreeSet;

use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{ConnRef, Fence};
use klaxon_protocol::link::ToEngine;

use super::fixture::{Fixture, count};
use crate::bus::contract::{ANN, BEN, SHOW, event, messages, numbered, play, publication, receive_at, receive_some};
use crate::bus::{Address, BusError, EngineEnd, GatewayEnd, Publication, Received, StreamPosition};

fn publication_of(number: u64, records: u64, acknowledged: StreamPosition) -> Publication {
    Publication { records, acknowledged, ..publication(vec![(Address::All, event(number))]) }
}

fn position_of(received: &[Received], number: u32) -> StreamPosition {
    received.iter().find(|received| received.message == numbered(number)).expect("it reached the engine").position
}

#[tokio::test]
async fn another_engine_reads_on_after_what_was_acknowledged_and_knows_what_was_published() {
    let fixture = Fixture::start().await;
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    play(&fixture, 1, &[&ann, &ben]).await;
    ann.send(numbered(1));
    let first = receive_at(&fixture.engine, |message| *message == numbered(1), 1).await;
    ann.send(numbered(2));
    receive_at(&fixture.engine, |message| *message == numbered(2), 1).await;
    fixture.engine.publish(publication_of(1, 41, position_of(&first, 1))).unwrap();
    receive_some(&ann, 1).await;

    let other = fixture.other_engine().await;
    assert_eq!(other.take_over(SHOW, Fence(5)).await, Err(BusError::Fenced), "it does not have the lease");
    fixture.lease(SHOW, Fence(5)).await;
    let takeover = other.take_over(SHOW, Fence(5)).await.unwrap();
    assert_eq!((takeover.published, takeover.gateways), (Some(41), BTreeSet::from([ANN, BEN])));
    ann.send(numbered(3));
    let reached = receive_at(&other, |message| *message == numbered(3), 1).await;
    assert_eq!(messages(reached), [numbered(2), numbered(3)]);

    other.publish(publication_of(2, 42, StreamPosition::default())).unwrap();
    assert_eq!(receive_some(&ann, 1).await, [event(2)]);
    assert_eq!(receive_some(&ben, 2).await, [event(1), event(2)]);
}

#[tokio::test]
async fn a_fenced_engine_publishes_nothing_and_receives_nothing() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    fixture.lease(SHOW, Fence(2)).await;
    let other = fixture.other_engine().await;
    other.take_over(SHOW, Fence(2)).await.unwrap();
    for number in 1..10 {
        fixture.engine.publish(publication_of(number, 100, StreamPosition(9, 9))).unwrap();
    }
    fixture.engine.release(SHOW, true);
    fixture.engine.finish().await;
    other.publish(publication_of(10, 0, StreamPosition::default())).unwrap();
    assert_eq!(receive_some(&ann, 1).await, [event(10)]);
    let takeover = other.take_over(SHOW, Fence(2)).await.unwrap();
    assert_eq!(
        (takeover.published, takeover.gateways),
        (Some(0), BTreeSet::from([ANN])),
        "the fenced engine changed nothing"
    );
    let mut received = Vec::new();
    while fixture.engine.receive(&mut received).await {}
    assert!(received.iter().all(|received| received.show.is_none()));
}

#[tokio::test]
async fn publications_wait_for_a_lease_and_are_published_under_the_next() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    fixture.ask::<()>(redis::cmd("DEL").arg(fixture.redis.keys().lease(SHOW))).await.unwrap();
    for number in 1..100 {
        fixture.engine.publish(publication_of(number, number, StreamPosition::default())).unwrap();
    }
    fixture.lease(SHOW, Fence(2)).await;
    fixture.engine.take_over(SHOW, Fence(2)).await.unwrap();
    assert_eq!(receive_some(&ann, 99).await, (1..100).map(event).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_engine_that_stops_publishes_all_it_has_and_hands_over_the_show() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    (1..1000)
        .for_each(|number| fixture.engine.publish(publication_of(number, number, StreamPosition::default())).unwrap());
    fixture.engine.release(SHOW, false);
    fixture.engine.finish().await;
    assert!(!fixture.engine.receive(&mut Vec::new()).await);
    assert_eq!(receive_some(&ann, 999).await.len(), 999);
    fixture.lease(SHOW, Fence(2)).await;
    let other = fixture.other_engine().await;
    assert_eq!(other.take_over(SHOW, Fence(2)).await.unwrap().published, Some(999));
}

#[tokio::test]
async fn a_hosts_request_to_an_engine_that_died_goes_to_another() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    let ask = ToEngine::Host { conn: ConnRef { gateway: ANN, conn: 3 }, message: FromHost::Shows };
    ann.send(ask.clone());
    let asked = |message: &ToEngine| *message == ask;
    receive_at(&fixture.engine, asked, 1).await;
    let other = fixture.other_engine().await;
    // The first one receives it, and never asks for more, by which it would be processed.
    receive_at(&other, asked, 1).await;
    let mut more = Vec::new();
    tokio::select! {
        _ = other.receive(&mut more) => panic!("{more:?}"),
        () = fixture.until(async || fixture.ask(redis::cmd("XLEN").arg(fixture.redis.keys().host_requests())).await == Ok(0)) => {}
    }
}

#[tokio::test]
async fn of_a_show_that_is_over_nothing_is_kept() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    fixture.engine.publish(publication_of(1, 1, StreamPosition::default())).unwrap();
    fixture.engine.release(SHOW, true);
    receive_some(&ann, 1).await;
    ann.close().await;
    fixture.engine.finish().await;
    let keys: Vec<String> = fixture.ask(redis::cmd("KEYS").arg("*")).await.unwrap();
    let keys: BTreeSet<String> = keys.into_iter().collect();
    let of = fixture.redis.keys();
    let is_kept =
        |key: &String| [of.lease(SHOW), of.host_requests(), of.events(SHOW)].contains(key) || *key == of.input(SHOW);
    assert_eq!(keys.iter().filter(|key| !is_kept(key)).collect::<Vec<_>>(), Vec::<&String>::new());
    let expires_in: i64 = fixture.ask(redis::cmd("PTTL").arg(of.events(SHOW))).await.unwrap();
    assert!((1..=60_000).contains(&expires_in), "{expires_in}");
}

#[tokio::test]
async fn a_gateway_that_leaves_is_not_waited_for_and_all_it_sent_arrives() {
    let fixture = Fixture::start().await;
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    play(&fixture, 1, &[&ann, &ben]).await;
    (1..=500).for_each(|number| ben.send(numbered(number)));
    ben.close().await;
    assert!(!ben.receive(&mut Vec::new()).await);
    let reached = receive_at(&fixture.engine, |message| matches!(message, ToEngine::Leave { .. }), 1).await;
    assert_eq!(messages(reached), (1..=500).map(numbered).collect::<Vec<_>>());
    assert_eq!(fixture.engine.take_over(SHOW, Fence(1)).await.unwrap().gateways, BTreeSet::from([ANN]));
    fixture.until(async || ann.others().is_empty()).await;
}

#[tokio::test]
async fn gateways_know_where_the_others_are() {
    let fixture = Fixture::start().await;
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    assert_eq!(ben.others(), ["wss://1.example"]);
    fixture.until(async || ann.others() == ["wss://2.example"]).await;
}

#[tokio::test]
async fn a_gateway_that_was_taken_for_dead_subscribes_again() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    // As an engine does that noticed no heartbeats.
    fixture.ask::<()>(redis::cmd("SREM").arg(fixture.redis.keys().subscribers(SHOW)).arg(ANN.0)).await.unwrap();
    let mut received = Vec::new();
    while count(&received, |message| *message == ToEngine::Attend { gateway: ANN, show: SHOW }) == 0 {
        assert!(fixture.engine.receive(&mut received).await);
    }
}

#[tokio::test]
async fn a_subscription_that_was_needed_a_moment_ago_is_kept() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    ann.retain_subscriptions(&BTreeSet::new());
    ann.send(numbered(1));
    receive_at(&fixture.engine, |message| *message == numbered(1), 1).await;
    fixture.engine.publish(publication_of(1, 1, StreamPosition::default())).unwrap();
    assert_eq!(receive_some(&ann, 1).await, [event(1)], "it was needed a moment ago");
}

#[tokio::test]
async fn publications_that_meet_a_newer_lease_are_published_when_the_show_is_taken_over_under_it() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    fixture.lease(SHOW, Fence(2)).await;
    fixture.engine.publish(publication_of(1, 1, StreamPosition::default())).unwrap();
    // Whoever took the lease, nothing is published under the old one.
    assert_eq!(fixture.last_published().await, None);
    fixture.engine.take_over(SHOW, Fence(2)).await.unwrap();
    fixture.engine.publish(publication_of(2, 2, StreamPosition::default())).unwrap();
    assert_eq!(receive_some(&ann, 2).await, [event(1), event(2)]);
}
