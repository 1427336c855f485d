//! Programs of two versions of the link beside each other: one that knows a kind of message more, and one that does not.
//!
//! All are this program; what makes one of the next version of it is that it sends messages of the next version's kinds
//! ([`next`](crate::bus::redis::version::next)).

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::host::FromHost;
use klaxon_protocol::ids::{ConnRef, Fence, Seat, SeatRef};
use klaxon_protocol::link::{AnswerBatch, StampedAnswer, ToEngine, ToGateway, VERSION};
use klaxon_protocol::time::Millis;

use super::fixture::Fixture;
use crate::bus::contract::{ANN, SHOW, claim, event, messages, numbered, play, publication, receive_at, receive_some};
use crate::bus::redis::entry::{self, EntryError, encode_to_engine};
use crate::bus::redis::host_requests::{MAX_IN_PROGRESS, UNREAD};
use crate::bus::redis::version::{VersionError, next};
use crate::bus::{Address, EngineEnd, GatewayEnd, StreamPosition};

/// A message that only the next version has.
fn of_the_next_version() -> ToEngine {
    let conn = ConnRef { gateway: ANN, conn: next::FIRST };
    ToEngine::Resync { conn, show: SHOW, seat: None }
}

fn answer(number: u32) -> ToEngine {
    let (by, form, claim, at) = (SeatRef::first(Seat(number)), ClaimForm::Answer, claim(1), Millis(7));
    let answer = StampedAnswer { conn: u64::from(number), number: 1, by, form, claim, at };
    ToEngine::Answers(AnswerBatch { gateway: ANN, show: SHOW, answers: vec![answer] })
}

#[tokio::test]
async fn answers_of_a_newer_gateway_reach_an_older_engine_and_what_it_does_not_know_holds_nothing_up() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    for number in 1..=200 {
        ann.send(answer(number));
        ann.send(of_the_next_version());
    }
    ann.send(numbered(1));
    let received = receive_at(&fixture.engine, |message| *message == numbered(1), 1).await;
    let processed = received.last().unwrap().position;
    assert_eq!(messages(received), (1..=200).map(answer).chain([numbered(1)]).collect::<Vec<_>>());
    // What was refused is processed with what is behind it, so the newer gateway keeps nothing for ever.
    let input = fixture.redis.keys().input(SHOW);
    let last: redis::Value =
        fixture.ask(redis::cmd("XREVRANGE").arg(input).arg("+").arg("-").arg("COUNT").arg(1)).await.unwrap();
    assert_eq!(entry::entries(last)[0].id, processed);
}

#[tokio::test]
async fn events_of_a_newer_engine_reach_an_older_gateway_without_those_that_it_does_not_know() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    for number in 1..=100 {
        let of_the_next_version = event(next::FIRST + number);
        fixture
            .engine
            .publish(publication(vec![
                (Address::All, of_the_next_version.clone()),
                (Address::One(ANN), event(2 * number)),
                (Address::One(ANN), of_the_next_version),
                (Address::One(ANN), event(2 * number + 1)),
            ]))
            .unwrap();
    }
    assert_eq!(receive_some(&ann, 200).await, (2..=201).map(event).collect::<Vec<_>>());
    assert!(fixture.last_published().await.is_some_and(|last| last > StreamPosition(1, 300)), "all of them were there");
}

#[tokio::test]
async fn a_show_goes_from_a_newer_engine_to_an_older_one_in_mid_question() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    let newer = fixture.other_engine().await;
    fixture.lease(SHOW, Fence(2)).await;
    newer.take_over(SHOW, Fence(2)).await.unwrap();
    newer.publish(publication(vec![(Address::All, event(1)), (Address::All, event(next::FIRST))])).unwrap();
    assert_eq!(receive_some(&ann, 1).await, [event(1)]);
    ann.send(answer(1));
    ann.send(of_the_next_version());
    ann.send(answer(2));
    receive_at(&newer, |message| *message == answer(2), 1).await;
    // It dies before it acknowledges anything.
    drop(newer);
    fixture.lease(SHOW, Fence(3)).await;
    fixture.engine.take_over(SHOW, Fence(3)).await.unwrap();
    let received = messages(receive_at(&fixture.engine, |message| *message == answer(2), 1).await);
    assert!(received.ends_with(&[answer(1), answer(2)]), "{received:?}");
    fixture.engine.publish(publication(vec![(Address::All, event(2))])).unwrap();
    assert_eq!(receive_some(&ann, 1).await, [event(2)]);
}

/// A newer gateway's hosts, a neighbour in Redis with a script, or damage: none may keep an engine from the requests behind.
#[tokio::test]
async fn requests_that_no_engine_can_read_hold_nothing_up_and_are_deleted_in_the_end() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    let key = fixture.redis.keys().host_requests();
    let of_no_version = [vec![], vec![0, 1, 2], encode_to_engine(&[]), encode_to_engine(&[of_the_next_version()])];
    let mut flood = redis::pipe();
    for request in of_no_version.iter().cycle().take(MAX_IN_PROGRESS) {
        flood.cmd("XADD").arg(&key).arg("*").arg("m").arg(request.as_slice()).ignore();
    }
    flood.query_async::<()>(&mut fixture.redis.connect().await.unwrap()).await.unwrap();
    let request = ToEngine::Host { conn: ConnRef { gateway: ANN, conn: 3 }, message: FromHost::Shows };
    ann.send(request.clone());
    receive_at(&fixture.engine, |message| *message == request, 1).await;
    let pending = async || -> Vec<(String, String, u64, u64)> {
        let mut pending = redis::cmd("XPENDING");
        fixture.ask(pending.arg(&key).arg("engines").arg("-").arg("+").arg(10_000)).await.unwrap()
    };
    assert!(pending().await.len() >= MAX_IN_PROGRESS, "an engine of another version could have taken them");
    let ids: Vec<String> = pending().await.into_iter().map(|(id, ..)| id).collect();
    let mut age = redis::cmd("XCLAIM");
    age.arg(&key)
        .arg("engines")
        .arg("nobody")
        .arg(0)
        .arg(&ids)
        .arg("IDLE")
        .arg(UNREAD.as_millis() as u64)
        .arg("JUSTID");
    fixture.ask::<redis::Value>(&age).await.unwrap();
    let mut received = Vec::new();
    tokio::select! {
        _ = fixture.engine.receive(&mut received) => panic!("{received:?}"),
        () = fixture.until(async || pending().await.len() <= 1) => {}
    }
}

#[test]
fn the_program_that_tests_make_writes_the_next_version() {
    let error = entry::decode_to_engine(&encode_to_engine(&[of_the_next_version()])).unwrap_err();
    assert!(matches!(error, EntryError::Version(VersionError::Other(version)) if version == VERSION + 1));
    let to_gateway = entry::encode_to_gateway([event(next::FIRST)]);
    assert!(matches!(entry::decode_to_gateway(&to_gateway), Err(EntryError::Version(_))));
    let known: Vec<ToGateway> = entry::decode_to_gateway(&entry::encode_to_gateway([event(1)])).unwrap();
    assert_eq!(known, [event(1)]);
}
