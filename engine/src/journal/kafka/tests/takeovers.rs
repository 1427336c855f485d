//! A show that goes from one engine to another.

use klaxon_protocol::ids::{Fence, ShowId};
use klaxon_servers::Storage;
use klaxon_servers::redis::Persistence;

use super::house::House;
use crate::journal::contract::records;
use crate::journal::{Journal, JournalError};

const SHOW: ShowId = ShowId(77);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_engine_did_not_upload_is_uploaded_by_the_next() {
    let mut house = House::without_kafka(Persistence::None).await;
    house.lease(SHOW, 1).await;
    let first = house.journal(0).await;
    first.append(&records(SHOW, 0..100, 1)).await.unwrap();
    drop(first);
    let second = house.journal(1).await;
    assert_eq!(second.read(SHOW).await.unwrap().records, records(SHOW, 0..100, 1));
    house.lease(SHOW, 2).await;
    second.append(&records(SHOW, 100..200, 2)).await.unwrap();
    house.start_kafka(Storage::Memory).await;
    second.flushed().await;
    let all = [records(SHOW, 0..100, 1), records(SHOW, 100..200, 2)].concat();
    assert_eq!(house.in_kafka(SHOW).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_dies_in_the_middle_of_uploading_leaves_no_hole() {
    let house = House::new().await;
    house.lease(SHOW, 1).await;
    let first = house.journal(0).await;
    for start in (0..3_000).step_by(50) {
        first.append(&records(SHOW, start..start + 50, 1)).await.unwrap();
    }
    drop(first);
    let second = house.journal(1).await;
    house.lease(SHOW, 2).await;
    second.append(&records(SHOW, 3_000..3_100, 2)).await.unwrap();
    second.flushed().await;
    let all = [records(SHOW, 0..3_000, 1), records(SHOW, 3_000..3_100, 2)].concat();
    assert_eq!(house.in_kafka(SHOW).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_engine_writes_nothing_and_what_it_ships_late_is_dropped() {
    let mut house = House::without_kafka(Persistence::None).await;
    house.lease(SHOW, 1).await;
    let zombie = house.journal(0).await;
    zombie.append(&records(SHOW, 0..100, 1)).await.unwrap();

    let second = house.journal(1).await;
    house.lease(SHOW, 2).await;
    let fenced = JournalError::Fenced { show: SHOW, newest: Fence(2), found: Fence(1) };
    assert_eq!(zombie.append(&records(SHOW, 100..101, 1)).await, Err(fenced.clone()), "even before the second wrote");
    second.append(&records(SHOW, 100..150, 2)).await.unwrap();
    assert_eq!(zombie.append(&records(SHOW, 100..120, 1)).await, Err(fenced));
    let all = [records(SHOW, 0..100, 1), records(SHOW, 100..150, 2)].concat();
    assert_eq!(zombie.read(SHOW).await.unwrap().records, all);

    // Both ship what they have.
    house.start_kafka(Storage::Memory).await;
    zombie.flushed().await;
    second.flushed().await;
    assert_eq!(house.in_kafka(SHOW).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_show_that_comes_back_fits_again_what_the_disk_has_of_it() {
    let house = House::new().await;
    house.lease(SHOW, 1).await;
    let first = house.journal(0).await;
    first.append(&records(SHOW, 0..100, 1)).await.unwrap();
    let second = house.journal(1).await;
    house.lease(SHOW, 2).await;
    second.append(&records(SHOW, 100..150, 2)).await.unwrap();
    // Without a read: the first engine's disk lacks 50 records when it has the show again.
    house.lease(SHOW, 3).await;
    first.append(&records(SHOW, 150..200, 3)).await.unwrap();
    second.flushed().await;
    first.flushed().await;
    let all = [records(SHOW, 0..100, 1), records(SHOW, 100..150, 2), records(SHOW, 150..200, 3)].concat();
    assert_eq!(house.in_kafka(SHOW).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_had_lost_for_good_is_void_in_kafka_and_on_disk() {
    let mut house = House::new().await;
    house.lease(SHOW, 1).await;
    let first = house.journal(0).await;
    first.append(&records(SHOW, 0..100, 1)).await.unwrap();
    first.flushed().await;
    // As after the loss of a Redis whose replica had only the first 60.
    house.redis.process().kill();
    house.redis.start_again().await.unwrap();
    house.lease(SHOW, 2).await;
    let second = house.journal(1).await;
    second.append(&records(SHOW, 0..60, 2)).await.unwrap();
    house.lease(SHOW, 3).await;
    first_reads(&first).await;
    first.append(&records(SHOW, 60..80, 3)).await.unwrap();
    second.flushed().await;
    first.flushed().await;
    let all = [records(SHOW, 0..60, 2), records(SHOW, 60..80, 3)].concat();
    assert_eq!(first.read(SHOW).await.unwrap().records, all);
    assert_eq!(house.in_kafka(SHOW).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_lost_of_the_end_is_found_on_the_disk_of_the_engine_that_wrote_it() {
    let mut house = House::new().await;
    house.lease(SHOW, 1).await;
    let first = house.journal(0).await;
    first.append(&records(SHOW, 0..100, 1)).await.unwrap();
    house.redis.process().kill();
    house.redis.start_again().await.unwrap();
    house.lease(SHOW, 1).await;
    // It comes back with what it had a second ago.
    house.journal(1).await.append(&records(SHOW, 0..60, 1)).await.unwrap();
    drop(first);
    let first = house.journal(0).await;
    assert_eq!(first.read(SHOW).await.unwrap().records, records(SHOW, 0..100, 1));
    house.lease(SHOW, 2).await;
    first.append(&records(SHOW, 100..101, 2)).await.unwrap();
    let all = [records(SHOW, 0..100, 1), records(SHOW, 100..101, 2)].concat();
    assert_eq!(house.journal(1).await.read(SHOW).await.unwrap().records, all);
}

/// Reads until Redis is connected again.
async fn first_reads(journal: &impl Journal) {
    while journal.read(SHOW).await.is_err() {}
}
