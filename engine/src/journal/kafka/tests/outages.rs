//! Kafka or Redis away in the middle of a show.

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_servers::redis::Persistence;
use klaxon_servers::{Postgres, Storage};

use super::house::House;
use crate::journal::contract::records;
use crate::journal::{Journal, JournalError};

const SHOW: ShowId = ShowId(77);
const OTHER: ShowId = ShowId(5);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_in_kafka_in_order_and_once() {
    let house = House::new().await;
    let journal = house.journal(0).await;
    for show in [SHOW, OTHER] {
        house.lease(show, 1).await;
        for start in (0..2_000).step_by(100) {
            journal.append(&records(show, start..start + 100, 1)).await.unwrap();
        }
    }
    journal.flushed().await;
    for show in [SHOW, OTHER] {
        assert_eq!(house.in_kafka(show).await, records(show, 0..2_000, 1));
        assert_eq!(house.sent(show).await, (0..2_000).map(|number| (number, Fence(1))).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_show_that_was_played_without_kafka_is_there_once_it_is_back() {
    let mut house = House::without_kafka(Persistence::None).await;
    house.lease(SHOW, 1).await;
    let journal = house.journal(0).await;
    for number in 0..300 {
        journal.append(&records(SHOW, number..number + 1, 1)).await.unwrap();
    }
    assert_eq!(journal.read(SHOW).await.unwrap().records, records(SHOW, 0..300, 1));
    house.start_kafka(Storage::Memory).await;
    journal.flushed().await;
    assert_eq!(house.sent(SHOW).await, (0..300).map(|number| (number, Fence(1))).collect::<Vec<_>>());
    assert_eq!(house.in_kafka(SHOW).await, records(SHOW, 0..300, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_on_disk_is_uploaded_by_the_next_start() {
    let mut house = House::without_kafka(Persistence::None).await;
    house.lease(SHOW, 1).await;
    let journal = house.journal(0).await;
    journal.append(&records(SHOW, 0..300, 1)).await.unwrap();
    drop(journal);
    // Nothing but the disk is left.
    house.redis.process().kill();
    house.redis.start_again().await.unwrap();
    house.start_kafka(Storage::Memory).await;
    let journal = house.journal(0).await;
    journal.flushed().await;
    assert_eq!(house.in_kafka(SHOW).await, records(SHOW, 0..300, 1));
    assert_eq!(journal.shows().await.unwrap(), [SHOW]);
    assert_eq!(journal.read(SHOW).await.unwrap().records, records(SHOW, 0..300, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_forgot_everything_gets_what_it_did_not_confirm() {
    let mut house = House::new().await;
    house.lease(SHOW, 1).await;
    let journal = house.journal(0).await;
    journal.append(&records(SHOW, 0..100, 1)).await.unwrap();
    journal.flushed().await;
    let broker = house.broker.as_mut().unwrap();
    broker.process().kill();
    journal.append(&records(SHOW, 100..200, 1)).await.unwrap();
    broker.start_again().await.unwrap();
    journal.append(&records(SHOW, 200..300, 1)).await.unwrap();
    journal.flushed().await;
    let numbers: Vec<u64> = house.sent(SHOW).await.iter().map(|&(number, _)| number).collect();
    assert_eq!(numbers, (100..300).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stands_still_for_a_while_loses_nothing() {
    let mut house = House::new().await;
    house.lease(SHOW, 1).await;
    let journal = house.journal(0).await;
    journal.append(&records(SHOW, 0..50, 1)).await.unwrap();
    house.broker.as_mut().unwrap().process().pause();
    for number in 50..150 {
        journal.append(&records(SHOW, number..number + 1, 1)).await.unwrap();
    }
    house.broker.as_mut().unwrap().process().resume();
    journal.flushed().await;
    assert_eq!(house.in_kafka(SHOW).await, records(SHOW, 0..150, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_emptied_is_filled_again_without_the_show_noticing() {
    let mut house = House::new().await;
    let journal = house.journal(0).await;
    house.lease(SHOW, 1).await;
    journal.append(&records(SHOW, 0..120, 1)).await.unwrap();
    house.lease(SHOW, 2).await;
    journal.append(&records(SHOW, 120..200, 2)).await.unwrap();
    house.redis.process().kill();
    house.redis.start_again().await.unwrap();
    let more = records(SHOW, 200..201, 3);
    let no_lease = loop {
        // Until it is connected again.
        match journal.append(&more).await {
            Err(JournalError::Unavailable(_)) => {}
            said => break said,
        }
    };
    assert_eq!(no_lease, Err(JournalError::NoLease { show: SHOW }));
    house.lease(SHOW, 3).await;
    journal.append(&more).await.unwrap();
    let all = [records(SHOW, 0..120, 1), records(SHOW, 120..200, 2), more].concat();
    assert_eq!(house.journal(1).await.read(SHOW).await.unwrap().records, all, "another engine finds it in Redis");
    journal.flushed().await;
    assert_eq!(house.in_kafka(SHOW).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_show_that_is_over_leaves_redis_and_the_disk_when_kafka_has_it() {
    let mut house = House::without_kafka(Persistence::None).await;
    house.lease(SHOW, 4).await;
    let journal = house.journal(0).await;
    journal.append(&records(SHOW, 0..100, 4)).await.unwrap();
    let fenced = JournalError::Fenced { show: SHOW, newest: Fence(4), found: Fence(3) };
    assert_eq!(journal.retire(SHOW, Fence(3)).await, Err(fenced));
    assert_eq!(journal.retire(OTHER, Fence(3)).await, Err(JournalError::NoLease { show: OTHER }));
    journal.retire(SHOW, Fence(4)).await.unwrap();
    assert_eq!(house.spooled(0).await, 1);
    house.start_kafka(Storage::Memory).await;
    journal.flushed().await;
    house.until("the spool is left", async |house| house.spooled(0).await == 0).await;
    let mut connection = house.way.connect().await.unwrap();
    let exists: bool = redis::AsyncCommands::exists(&mut connection, house.way.keys().journal(SHOW)).await.unwrap();
    assert!(!exists);
    assert_eq!(journal.shows().await.unwrap(), []);
    assert_eq!(journal.read(SHOW).await.unwrap().records, records(SHOW, 0..100, 4), "Kafka keeps it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_in_the_middle_has_all_of_it_in_the_end() {
    let database = Postgres::start().await.unwrap();
    let mut house = House::without_kafka(Persistence::None).await;
    house.start_kafka(Storage::Postgres(database.url())).await;
    house.lease(SHOW, 1).await;
    let journal = house.journal(0).await;
    for round in 0..3 {
        let start = round * 200;
        journal.append(&records(SHOW, start..start + 100, 1)).await.unwrap();
        let broker = house.broker.as_mut().unwrap();
        broker.process().kill();
        for number in start + 100..start + 200 {
            journal.append(&records(SHOW, number..number + 1, 1)).await.unwrap();
        }
        broker.start_again().await.unwrap();
        journal.flushed().await;
    }
    assert_eq!(house.in_kafka(SHOW).await, records(SHOW, 0..600, 1));
}
