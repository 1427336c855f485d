//! Redis away, back with what it knew or without, and gateways that do not read.

use std::collections::BTreeSet;

use klaxon_protocol::ids::Fence;
use klaxon_protocol::link::{ToEngine, ToGateway};
use klaxon_servers::Persistence;

use super::house::{House, count};
use crate::bus::contract::{ANN, BEN, PATIENCE, SHOW, event, hear_some, play, reach, turn, word};
use crate::bus::{Address, EngineEnd, GatewayEnd, Heard, Place, Turn};

/// Said and heard while something happens to Redis.
const MANY: u32 = 300;

fn say(house: &House, number: u64, heard: Place) {
    let turn = turn(vec![(Address::All, event(number)), (Address::One(ANN), event(number))]);
    house.engine.say(Turn { records: number, heard, ..turn });
}

/// The words that an engine heard, in the order in which it heard them first: what Redis was told twice may reach it twice.
fn firsts(heard: &[Heard]) -> Vec<u32> {
    let mut firsts: Vec<u32> = Vec::new();
    for Heard { message, .. } in heard {
        if let ToEngine::Resync { seat: Some(seat), .. } = message
            && seat.seat.0 > 0
            && !firsts.contains(&seat.seat.0)
        {
            firsts.push(seat.seat.0);
        }
    }
    firsts
}

fn seqs(heard: &[ToGateway]) -> Vec<u64> {
    heard.iter().map(|heard| if let ToGateway::Said { seq, .. } = heard { seq.0 } else { 0 }).collect()
}

fn twice() -> Vec<ToGateway> {
    (1..=u64::from(MANY)).flat_map(|number| [event(number), event(number)]).collect()
}

/// Both sides speak, a third of it before, while and after `change` changes Redis. All is heard, in order.
async fn survive(mut house: House, change: impl AsyncFnOnce(&mut House)) {
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    let speak = |house: &House, third: u32| {
        for number in (1..=MANY / 3).map(|number| third * MANY / 3 + number) {
            ann.send(word(number));
            say(house, u64::from(number), Place::default());
        }
    };
    speak(&house, 0);
    change(&mut house).await;
    speak(&house, 1);
    let reached = reach(&house.engine, |message| *message == word(MANY / 3 * 2), 1).await;
    speak(&house, 2);
    let mut all = reached;
    all.extend(reach(&house.engine, |message| *message == word(MANY), 1).await);
    assert_eq!(firsts(&all), (1..=MANY).collect::<Vec<_>>());
    let heard = hear_some(&ann, 2 * MANY as usize).await;
    assert!(heard == twice(), "{:?}", seqs(&heard));
}

#[tokio::test]
async fn all_goes_on_when_redis_stood_still_for_longer_than_anybody_waits() {
    survive(House::start().await, async |house| {
        house.server().process().pause();
        // Longer than a call may take, so that outcomes are unknown.
        tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
        house.server().process().resume();
    })
    .await;
}

#[tokio::test]
async fn all_goes_on_when_redis_was_killed_and_remembers() {
    survive(House::with(Persistence::AppendOnly).await, async |house| {
        house.server().process().kill();
        house.server().start_again().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_was_not_dealt_with_is_said_again_to_a_redis_that_lost_its_memory() {
    let mut house = House::start().await;
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    play(&house, 1, &[&ann, &ben]).await;
    ann.send(word(1));
    let reached = reach(&house.engine, |message| *message == word(1), 1).await;
    say(&house, 1, reached.last().unwrap().place);
    hear_some(&ann, 2).await;
    // These are heard, and not dealt with.
    ann.send(word(2));
    ben.send(word(3));
    let unheard = |message: &ToEngine| [word(2), word(3)].contains(message);
    reach(&house.engine, unheard, 2).await;

    house.server().process().kill();
    ann.send(word(4));
    say(&house, 2, Place::default());
    house.server().start_again().await.unwrap();
    // As a show does whose arbiter knows of no lease.
    house.lease(SHOW, Fence(2)).await;
    let left = house.until_some(async || house.engine.adopt(SHOW, Fence(2)).await.ok()).await;
    assert_eq!(left.said, None);
    let mut heard: Vec<Heard> = Vec::new();
    let wanted = [
        word(2),
        word(3),
        word(4),
        ToEngine::Attend { gateway: ANN, show: SHOW },
        ToEngine::Attend { gateway: BEN, show: SHOW },
    ];
    let hearing = async {
        while !wanted.iter().all(|wanted| count(&heard, |message| message == wanted) > 0) {
            assert!(house.engine.receive(&mut heard).await);
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, hearing).await;
    assert!(in_time.is_ok(), "all is heard again, not only {heard:#?}");
    assert_eq!(count(&heard, |message| *message == word(1)), 0, "that was dealt with");
    assert_eq!(hear_some(&ann, 2).await, [event(2), event(2)]);
    say(&house, 3, Place::default());
    assert_eq!(hear_some(&ann, 2).await, [event(3), event(3)]);
    assert_eq!(hear_some(&ben, 3).await, [1, 2, 3].map(event));
    let left = house.engine.adopt(SHOW, Fence(2)).await.unwrap();
    assert_eq!((left.said, left.gateways), (Some(3), BTreeSet::from([ANN, BEN])));
}

#[tokio::test]
async fn a_gateway_that_did_not_read_for_a_while_reads_what_it_missed() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    (1..=u64::from(MANY)).for_each(|number| say(&house, number, Place::default()));
    house.engine.let_go(SHOW, false);
    house.engine.finish().await;
    assert_eq!(hear_some(&ann, 2 * MANY as usize).await, twice());
}

#[tokio::test]
async fn a_gateway_that_did_not_read_for_longer_goes_on_with_what_is_kept() {
    let house = House::start().await;
    let ann = house.gateway(ANN).await;
    play(&house, 1, &[&ann]).await;
    let last = 30_000;
    for number in 1..=last {
        house.engine.say(turn(vec![(Address::All, event(number))]));
        // Said one by one, as turns are, or the gateway could have all of it in one read.
        if number.is_multiple_of(50) {
            house.until(async || house.last_said().await == Some(Place(1, number))).await;
        }
    }
    let mut heard: Vec<u64> = Vec::new();
    while heard.last() != Some(&last) {
        heard.extend(seqs(&hear_some(&ann, 1).await));
    }
    assert!(heard.is_sorted() && (4_000..last as usize).contains(&heard.len()), "{} heard", heard.len());
}

#[tokio::test]
async fn what_redis_forgot_of_what_it_was_told_last_is_said_again() {
    let house = House::start().await;
    let (ann, ben) = (house.gateway(ANN).await, house.gateway(BEN).await);
    play(&house, 1, &[&ann, &ben]).await;
    say(&house, 1, Place::default());
    hear_some(&ann, 2).await;
    hear_some(&ben, 1).await;
    let keys = house.redis.keys();
    let copy = async |from: String, to: String| {
        house.ask::<()>(redis::cmd("COPY").arg(from).arg(to).arg("REPLACE")).await.unwrap();
    };
    // As a Redis does that had not written it down when it was killed; the gateways have read some of it.
    let forgets = [keys.said(SHOW), keys.to_all(SHOW), keys.to_one(SHOW, ANN)];
    for key in &forgets {
        copy(key.clone(), format!("{key}:before")).await;
    }
    say(&house, 2, Place::default());
    say(&house, 3, Place::default());
    house.until(async || house.last_said().await == Some(Place(1, 6))).await;
    for key in &forgets {
        copy(format!("{key}:before"), key.clone()).await;
    }
    say(&house, 4, Place::default());
    house.until(async || house.last_said().await == Some(Place(1, 8))).await;
    let kept: u64 = house.ask(redis::cmd("XLEN").arg(keys.to_all(SHOW))).await.unwrap();
    assert_eq!(kept, 4);
    assert_eq!(seqs(&hear_some(&ben, 3).await), [2, 3, 4]);
    assert_eq!(seqs(&hear_some(&ann, 6).await), [2, 2, 3, 3, 4, 4]);
}
