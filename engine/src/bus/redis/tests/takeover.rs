//! One engine after another, and gateways that come and go.

use std::collections::BTreeSet;

use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{ConnRef, Fence};
use klaxon_protocol::link::ToEngine;

use super::house::{House, count};
use crate::bus::contract::{ANN, BEN, SHOW, event, hear_some, messages, play, reach, turn, word};
use crate::bus::{Address, BusError, EngineEnd, GatewayEnd, Heard, Place, Turn};

fn said(number: u64, records: u64, heard: Place) -> Turn {
    Turn { records, heard, ..turn(vec![(Address::All, event(number))]) }
}

fn place_of(heard: &[Heard], number: u32) -> Place {
    heard.iter().find(|heard| heard.message == word(number)).expect("it reached the engine").place
}

#[tokio::test]
async fn another_engine_goes_on_behind_what_was_dealt_with_and_knows_what_was_said() {
    let house = House::start().await;
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    play(&house, 1, &[&ann, &ben]).await;
    ann.send(word(1));
    let first = reach(&house.engine, |message| *message == word(1), 1).await;
    ann.send(word(2));
    reach(&house.engine, |message| *message == word(2), 1).await;
    house.engine.say(said(1, 41, place_of(&first, 1)));
    hear_some(&ann, 1).await;

    let other = house.other_engine().await;
    assert_eq!(other.adopt(SHOW, Fence(5)).await, Err(BusError::Fenced), "it does not have the lease");
    house.lease(SHOW, Fence(5)).await;
    let left = other.adopt(SHOW, Fence(5)).await.unwrap();
    assert_eq!((left.said, left.gateways), (Some(41), BTreeSet::from([ANN, BEN])));
    ann.send(word(3));
    let reached = reach(&other, |message| *message == word(3), 1).await;
    assert_eq!(messages(reached), [word(2), word(3)]);

    other.say(said(2, 42, Place::default()));
    assert_eq!(hear_some(&ann, 1).await, [event(2)]);
    assert_eq!(hear_some(&ben, 2).await, [event(1), event(2)]);
}

#[tokio::test]
async fn a_fenced_engine_says_nothing_and_hears_nothing() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    house.lease(SHOW, Fence(2)).await;
    let other = house.other_engine().await;
    other.adopt(SHOW, Fence(2)).await.unwrap();
    for number in 1..10 {
        house.engine.say(said(number, 100, Place(9, 9)));
    }
    house.engine.let_go(SHOW, true);
    house.engine.finish().await;
    other.say(said(10, 0, Place::default()));
    assert_eq!(hear_some(&ann, 1).await, [event(10)]);
    let left = other.adopt(SHOW, Fence(2)).await.unwrap();
    assert_eq!((left.said, left.gateways), (Some(0), BTreeSet::from([ANN])), "the fenced engine changed nothing");
    let mut heard = Vec::new();
    while house.engine.receive(&mut heard).await {}
    assert!(heard.iter().all(|heard| heard.show.is_none()));
}

#[tokio::test]
async fn turns_wait_for_a_lease_and_are_said_under_the_next() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    house.ask::<()>(redis::cmd("DEL").arg(house.redis.keys().lease(SHOW))).await.unwrap();
    for number in 1..100 {
        house.engine.say(said(number, number, Place::default()));
    }
    house.lease(SHOW, Fence(2)).await;
    house.engine.adopt(SHOW, Fence(2)).await.unwrap();
    assert_eq!(hear_some(&ann, 99).await, (1..100).map(event).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_engine_that_leaves_says_all_it_has_and_hands_over_the_rest() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    (1..1000).for_each(|number| house.engine.say(said(number, number, Place::default())));
    house.engine.let_go(SHOW, false);
    house.engine.finish().await;
    assert!(!house.engine.receive(&mut Vec::new()).await);
    assert_eq!(hear_some(&ann, 999).await.len(), 999);
    house.lease(SHOW, Fence(2)).await;
    let other = house.other_engine().await;
    assert_eq!(other.adopt(SHOW, Fence(2)).await.unwrap().said, Some(999));
}

#[tokio::test]
async fn what_a_host_asked_of_an_engine_that_died_is_asked_of_another() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    let ask = ToEngine::Host { conn: ConnRef { gateway: ANN, conn: 3 }, message: FromHost::Shows };
    ann.send(ask.clone());
    let asked = |message: &ToEngine| *message == ask;
    reach(&house.engine, asked, 1).await;
    let other = house.other_engine().await;
    // The first one takes it, and never comes back to say that it has dealt with it.
    reach(&other, asked, 1).await;
    let mut more = Vec::new();
    tokio::select! {
        _ = other.receive(&mut more) => panic!("{more:?}"),
        () = house.until(async || house.ask(redis::cmd("XLEN").arg(house.redis.keys().requests())).await == Ok(0)) => {}
    }
}

#[tokio::test]
async fn of_a_show_that_is_over_nothing_is_kept() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    house.engine.say(said(1, 1, Place::default()));
    house.engine.let_go(SHOW, true);
    hear_some(&ann, 1).await;
    ann.close().await;
    house.engine.finish().await;
    let keys: Vec<String> = house.ask(redis::cmd("KEYS").arg("*")).await.unwrap();
    let keys: BTreeSet<String> = keys.into_iter().collect();
    let of = house.redis.keys();
    let is_kept =
        |key: &String| [of.lease(SHOW), of.requests(), of.to_all(SHOW)].contains(key) || *key == of.to_show(SHOW);
    assert_eq!(keys.iter().filter(|key| !is_kept(key)).collect::<Vec<_>>(), Vec::<&String>::new());
    let left: i64 = house.ask(redis::cmd("PTTL").arg(of.to_all(SHOW))).await.unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_gateway_that_leaves_is_waited_for_no_more_and_all_it_said_is_heard() {
    let house = House::start().await;
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    play(&house, 1, &[&ann, &ben]).await;
    (1..=500).for_each(|number| ben.send(word(number)));
    ben.close().await;
    assert!(!ben.receive(&mut Vec::new()).await);
    let reached = reach(&house.engine, |message| matches!(message, ToEngine::Leave { .. }), 1).await;
    assert_eq!(messages(reached), (1..=500).map(word).collect::<Vec<_>>());
    assert_eq!(house.engine.adopt(SHOW, Fence(1)).await.unwrap().gateways, BTreeSet::from([ANN]));
    house.until(async || ann.others().is_empty()).await;
}

#[tokio::test]
async fn gateways_know_where_the_others_are() {
    let house = House::start().await;
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    assert_eq!(ben.others(), ["wss://1.example"]);
    house.until(async || ann.others() == ["wss://2.example"]).await;
}

#[tokio::test]
async fn a_gateway_whose_engine_took_it_for_dead_is_back_by_itself() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    // As an engine does that missed it.
    house.ask::<()>(redis::cmd("SREM").arg(house.redis.keys().audience(SHOW)).arg(ANN.0)).await.unwrap();
    let mut heard = Vec::new();
    while count(&heard, |message| *message == ToEngine::Attend { gateway: ANN, show: SHOW }) == 0 {
        assert!(house.engine.receive(&mut heard).await);
    }
}

#[tokio::test]
async fn a_gateway_leaves_a_show_that_nobody_there_needs_and_comes_back_to_it() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    ann.attend_only(&BTreeSet::new());
    ann.send(word(1));
    reach(&house.engine, |message| *message == word(1), 1).await;
    house.engine.say(said(1, 1, Place::default()));
    assert_eq!(hear_some(&ann, 1).await, [event(1)], "it was needed a moment ago");
}

#[tokio::test]
async fn turns_that_meet_a_newer_lease_before_the_show_is_adopted_under_it_are_said_then() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    house.lease(SHOW, Fence(2)).await;
    house.engine.say(said(1, 1, Place::default()));
    // Whoever took the lease, nothing is said under the old one.
    assert_eq!(house.last_said().await, None);
    house.engine.adopt(SHOW, Fence(2)).await.unwrap();
    house.engine.say(said(2, 2, Place::default()));
    assert_eq!(hear_some(&ann, 2).await, [event(1), event(2)]);
}
