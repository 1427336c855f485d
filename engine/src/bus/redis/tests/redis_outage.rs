//! Redis away, back with its data or without, and gateways that do not read.

use std::collections::BTreeSet;

use klaxon_protocol::ids::Fence;
use klaxon_protocol::link::{ToEngine, ToGateway};
use klaxon_servers::Persistence;

use super::fixture::{Fixture, count};
use crate::bus::contract::{ANN, BEN, PATIENCE, SHOW, event, numbered, play, publication, receive_at, receive_some};
use crate::bus::{Address, EngineEnd, GatewayEnd, Publication, Received, StreamPosition};

/// How many messages are sent each way while something happens to Redis.
const MANY: u32 = 300;

fn publish(fixture: &Fixture, number: u64, acknowledged: StreamPosition) {
    let turn = publication(vec![(Address::All, event(number)), (Address::One(ANN), event(number))]);
    fixture.engine.publish(Publication { records: number, acknowledged, ..turn }).unwrap();
}

/// The numbers of the messages that an engine received, each where it came first: what was sent to Redis twice may come twice.
fn firsts(received: &[Received]) -> Vec<u32> {
    let mut firsts: Vec<u32> = Vec::new();
    for Received { message, .. } in received {
        if let ToEngine::Resync { seat: Some(seat), .. } = message
            && seat.seat.0 > 0
            && !firsts.contains(&seat.seat.0)
        {
            firsts.push(seat.seat.0);
        }
    }
    firsts
}

fn seqs(received: &[ToGateway]) -> Vec<u64> {
    received.iter().map(|received| if let ToGateway::Said { seq, .. } = received { seq.0 } else { 0 }).collect()
}

fn twice() -> Vec<ToGateway> {
    (1..=u64::from(MANY)).flat_map(|number| [event(number), event(number)]).collect()
}

/// Both sides send, a third each before, while and after `change` does something to Redis. All of it is received, in order.
async fn survive(mut fixture: Fixture, change: impl AsyncFnOnce(&mut Fixture)) {
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    let send_third = |fixture: &Fixture, third: u32| {
        for number in (1..=MANY / 3).map(|number| third * MANY / 3 + number) {
            ann.send(numbered(number));
            publish(fixture, u64::from(number), StreamPosition::default());
        }
    };
    send_third(&fixture, 0);
    change(&mut fixture).await;
    send_third(&fixture, 1);
    let reached = receive_at(&fixture.engine, |message| *message == numbered(MANY / 3 * 2), 1).await;
    send_third(&fixture, 2);
    let mut all = reached;
    all.extend(receive_at(&fixture.engine, |message| *message == numbered(MANY), 1).await);
    assert_eq!(firsts(&all), (1..=MANY).collect::<Vec<_>>());
    let received = receive_some(&ann, 2 * MANY as usize).await;
    assert!(received == twice(), "{:?}", seqs(&received));
}

#[tokio::test]
async fn nothing_is_lost_when_redis_is_paused_for_longer_than_a_call_may_take() {
    survive(Fixture::start().await, async |fixture| {
        fixture.server().process().pause();
        // Longer than a call may take, so that outcomes are unknown.
        tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
        fixture.server().process().resume();
    })
    .await;
}

#[tokio::test]
async fn nothing_is_lost_when_redis_is_killed_and_has_persistence() {
    survive(Fixture::with(Persistence::AppendOnly).await, async |fixture| {
        fixture.server().process().kill();
        fixture.server().start_again().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_not_acknowledged_is_sent_again_to_a_redis_that_lost_its_memory() {
    let mut fixture = Fixture::start().await;
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    play(&fixture, 1, &[&ann, &ben]).await;
    ann.send(numbered(1));
    let reached = receive_at(&fixture.engine, |message| *message == numbered(1), 1).await;
    publish(&fixture, 1, reached.last().unwrap().position);
    receive_some(&ann, 2).await;
    // These are received, and not acknowledged.
    ann.send(numbered(2));
    ben.send(numbered(3));
    let unacknowledged = |message: &ToEngine| [numbered(2), numbered(3)].contains(message);
    receive_at(&fixture.engine, unacknowledged, 2).await;

    fixture.server().process().kill();
    ann.send(numbered(4));
    publish(&fixture, 2, StreamPosition::default());
    fixture.server().start_again().await.unwrap();
    // As a show does whose arbiter knows of no lease.
    fixture.lease(SHOW, Fence(2)).await;
    let takeover = fixture.until_some(async || fixture.engine.take_over(SHOW, Fence(2)).await.ok()).await;
    assert_eq!(takeover.published, None);
    let mut received: Vec<Received> = Vec::new();
    let wanted = [
        numbered(2),
        numbered(3),
        numbered(4),
        ToEngine::Attend { gateway: ANN, show: SHOW },
        ToEngine::Attend { gateway: BEN, show: SHOW },
    ];
    let receiving = async {
        while !wanted.iter().all(|wanted| count(&received, |message| message == wanted) > 0) {
            assert!(fixture.engine.receive(&mut received).await);
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, receiving).await;
    assert!(in_time.is_ok(), "all of it is received again, not only {received:#?}");
    assert_eq!(count(&received, |message| *message == numbered(1)), 0, "that was acknowledged");
    assert_eq!(receive_some(&ann, 2).await, [event(2), event(2)]);
    publish(&fixture, 3, StreamPosition::default());
    assert_eq!(receive_some(&ann, 2).await, [event(3), event(3)]);
    assert_eq!(receive_some(&ben, 3).await, [1, 2, 3].map(event));
    let takeover = fixture.engine.take_over(SHOW, Fence(2)).await.unwrap();
    assert_eq!((takeover.published, takeover.gateways), (Some(3), BTreeSet::from([ANN, BEN])));
}

#[tokio::test]
async fn a_gateway_that_did_not_read_for_a_while_reads_what_it_missed() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    (1..=u64::from(MANY)).for_each(|number| publish(&fixture, number, StreamPosition::default()));
    fixture.engine.release(SHOW, false);
    fixture.engine.finish().await;
    assert_eq!(receive_some(&ann, 2 * MANY as usize).await, twice());
}

#[tokio::test]
async fn a_gateway_that_did_not_read_for_longer_goes_on_with_what_is_retained() {
    let fixture = Fixture::start().await;
    let ann = fixture.gateway(ANN).await;
    play(&fixture, 1, &[&ann]).await;
    let last = 30_000;
    for number in 1..=last {
        fixture.engine.publish(publication(vec![(Address::All, event(number))])).unwrap();
        // In pieces, or the gateway could have all of it in one read.
        if number.is_multiple_of(50) {
            fixture.until(async || fixture.last_published().await == Some(StreamPosition(1, number))).await;
        }
    }
    let mut received: Vec<u64> = Vec::new();
    while received.last() != Some(&last) {
        received.extend(seqs(&receive_some(&ann, 1).await));
    }
    assert!(received.is_sorted() && (4_000..last as usize).contains(&received.len()), "{} received", received.len());
}

#[tokio::test]
async fn events_that_redis_lost_at_the_end_of_a_stream_are_published_again() {
    let fixture = Fixture::start().await;
    let (ann, ben) = (fixture.gateway(ANN).await, fixture.gateway(BEN).await);
    play(&fixture, 1, &[&ann, &ben]).await;
    publish(&fixture, 1, StreamPosition::default());
    receive_some(&ann, 2).await;
    receive_some(&ben, 1).await;
    let keys = fixture.redis.keys();
    let copy = async |from: String, to: String| {
        fixture.ask::<()>(redis::cmd("COPY").arg(from).arg(to).arg("REPLACE")).await.unwrap();
    };
    // As if Redis had been killed before it wrote it to disk; the gateways have read some of it.
    let lost = [keys.progress(SHOW), keys.events(SHOW), keys.gateway_events(SHOW, ANN)];
    for key in &lost {
        copy(key.clone(), format!("{key}:before")).await;
    }
    publish(&fixture, 2, StreamPosition::default());
    publish(&fixture, 3, StreamPosition::default());
    fixture.until(async || fixture.last_published().await == Some(StreamPosition(1, 6))).await;
    for key in &lost {
        copy(format!("{key}:before"), key.clone()).await;
    }
    publish(&fixture, 4, StreamPosition::default());
    fixture.until(async || fixture.last_published().await == Some(StreamPosition(1, 8))).await;
    let kept: u64 = fixture.ask(redis::cmd("XLEN").arg(keys.events(SHOW))).await.unwrap();
    assert_eq!(kept, 4);
    assert_eq!(seqs(&receive_some(&ben, 3).await), [2, 3, 4]);
    assert_eq!(seqs(&receive_some(&ann, 6).await), [2, 2, 3, 3, 4, 4]);
}
