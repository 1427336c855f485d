//! Queues that are full because Redis is away, or because nobody receives.

use klaxon_protocol::error::{ErrorCode, ErrorMessage};
use klaxon_protocol::host::{FromHost, Shows, ToHost};
use klaxon_protocol::ids::{ConnRef, Fence};
use klaxon_protocol::link::{ToEngine, ToGateway};

use super::fixture::Fixture;
use crate::bus::contract::{ANN, SHOW, event, join, messages, numbered, play, publication, receive_at, receive_some};
use crate::bus::redis::engine_end::MAX_INBOX;
use crate::bus::redis::entry::encode_to_engine;
use crate::bus::redis::gateway_queues::{MAX_REFUSALS, MAX_REQUESTS};
use crate::bus::redis::host_replies::MAX_REPLIES;
use crate::bus::redis::publish_queue::MAX_PUBLICATIONS;
use crate::bus::redis::waiting::MAX_WAITING;
use crate::bus::{Address, BusError, EngineEnd, GatewayEnd};

fn conn(number: usize) -> ConnRef {
    ConnRef { gateway: ANN, conn: number as u64 }
}

#[tokio::test]
async fn hosts_requests_that_have_no_room_are_refused() {
    let mut fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    fixture.server().process().pause();
    let request = |number| ToEngine::Host { conn: conn(number), message: FromHost::Shows };
    ann.send(request(0));
    // The first is on its way.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    (1..=MAX_REQUESTS + 3).for_each(|number| ann.send(request(number)));
    let error = ErrorMessage::from(ErrorCode::Unavailable);
    let refused = |number| ToGateway::Host { conn: conn(number), message: ToHost::Error(error.clone()) };
    assert_eq!(receive_some(&ann, 3).await, [1, 2, 3].map(|number| refused(MAX_REQUESTS + number)));
    fixture.server().process().resume();
    let is_request = |message: &ToEngine| matches!(message, ToEngine::Host { .. });
    receive_at(&fixture.engine, is_request, MAX_REQUESTS + 1).await;
}

#[tokio::test]
async fn joins_that_have_no_room_are_refused_and_refusals_that_have_none_are_dropped() {
    let mut fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    fixture.server().process().pause();
    (0..MAX_WAITING + MAX_REFUSALS + 10).for_each(|number| ann.send(join(number as u64)));
    let refused = receive_some(&ann, MAX_REFUSALS).await;
    let error = ErrorMessage::from(ErrorCode::Unavailable);
    let refused_first = ToGateway::JoinRefused { conn: conn(MAX_WAITING), error };
    assert_eq!((refused.len(), refused.first()), (MAX_REFUSALS, Some(&refused_first)));
    ann.send(join(7));
    let again = receive_some(&ann, 1).await;
    assert!(
        matches!(again[..], [ToGateway::JoinRefused { conn: ConnRef { conn: 7, .. }, .. }]),
        "with room it goes on"
    );
}

#[tokio::test]
async fn a_show_that_publishes_more_than_there_is_room_for_ends_and_can_be_taken_over_again() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    // Without a lease nothing is published.
    fixture.ask::<()>(redis::cmd("DEL").arg(fixture.redis.keys().lease(SHOW))).await.unwrap();
    let publish = |number| fixture.engine.publish(publication(vec![(Address::All, event(number))]));
    let full = (1..).find(|number| publish(*number).is_err()).unwrap();
    assert!(full > MAX_PUBLICATIONS as u64, "{full}");
    assert_eq!(publish(0), Err(BusError::Full));
    fixture.engine.release(SHOW, false);
    fixture.lease(SHOW, Fence(2)).await;
    fixture.engine.take_over(SHOW, Fence(2)).await.unwrap();
    publish(full).unwrap();
    assert_eq!(receive_some(&ann, 1).await, [event(full)]);
}

#[tokio::test]
async fn replies_to_hosts_that_have_no_room_are_dropped() {
    let mut fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    fixture.server().process().pause();
    let reply = |number| ToGateway::Host { conn: conn(number), message: ToHost::Shows(Shows { shows: Vec::new() }) };
    fixture.engine.reply_to_gateway(ANN, reply(0));
    // The first is on its way.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    (1..=MAX_REPLIES + 3).for_each(|number| fixture.engine.reply_to_gateway(ANN, reply(number)));
    fixture.server().process().resume();
    let received = receive_some(&ann, MAX_REPLIES + 1).await;
    assert_eq!(received, (0..=MAX_REPLIES).map(reply).collect::<Vec<_>>());
    fixture.engine.reply_to_gateway(ANN, reply(1));
    assert_eq!(receive_some(&ann, 1).await, [reply(1)], "with room it goes on, after those that there was room for");
}

#[tokio::test]
async fn an_engine_that_does_not_receive_reads_no_more_than_there_is_room_for_and_loses_nothing() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    let count = MAX_INBOX as u32 * 4;
    // One by one, or one read would take many of them.
    let mut connection = fixture.redis.connect().await.unwrap();
    for number in 1..=count {
        let mut append = redis::cmd("XADD");
        append.arg(fixture.redis.keys().input(SHOW)).arg("*").arg("m").arg(encode_to_engine(&[numbered(number)]));
        append.query_async::<()>(&mut connection).await.unwrap();
    }
    let received = receive_at(&fixture.engine, |message| *message == numbered(count), 1).await;
    assert_eq!(messages(received), (1..=count).map(numbered).collect::<Vec<_>>());
}
