//! What a shard counts as its backlog when it is sent more than it processes.

use super::*;

#[test]
fn all_that_is_not_processed_counts_and_nothing_that_is() {
    let mut stage = Stage::new();
    let members = [stage.join_in(SHOW, 0), stage.join_in(OTHER_SHOW, 0)];
    for seq in 1..=1_000 {
        for show in [SHOW, OTHER_SHOW] {
            stage.shard.receive(event(show, lobby(seq)), stage.now);
        }
    }
    for round in 1..=50 {
        let barrier = Arc::new(Barrier::new(SHOW, RoundId(round), 1));
        stage.shard.receive(ToShard::Barrier(barrier), stage.now);
    }
    let refused = join_refused(members[0], ErrorCode::Unavailable.into());
    stage.shard.receive(refused, stage.now);
    assert_eq!(stage.shard.unprocessed(), 2_050, "what is one connection's own is processed at once");
    let mut before = stage.shard.unprocessed();
    while stage.shard.work(stage.now) {
        let left = stage.shard.unprocessed();
        assert!(left < before);
        before = left;
    }
    assert_eq!(stage.shard.unprocessed(), 50);
    stage.shard.read_up_to(Timestamp(stage.now.0 + 1));
    assert_eq!(stage.shard.unprocessed(), 0);
}

#[test]
fn a_fan_out_in_progress_counts() {
    let mut stage = Stage::new();
    (0..1_500).for_each(|seat| _ = stage.join(seat));
    stage.shard.receive(event(SHOW, lobby(1)), stage.now);
    assert!(stage.shard.work(stage.now), "more members than one piece of work reaches");
    assert_eq!(stage.shard.unprocessed(), 1);
    assert!(!stage.shard.work(stage.now));
    assert_eq!(stage.shard.unprocessed(), 0);
}

/// The bound of what shards send to each other without waiting rests on this.
#[test]
fn a_join_sends_at_most_two_messages_to_other_shards() {
    let mut stage = Stage::new();
    for _ in 0..50 {
        let key = stage.open();
        stage.send(key, &join());
        let seated = stage.seated(SHOW, key, Some(3), snapshot(0));
        stage.shard.receive(ToGateway::Seated(seated.clone()).into(), stage.now);
        stage.shard.receive(ToGateway::Seated(seated).into(), stage.now);
        while stage.shard.work(stage.now) {}
        let sent = std::mem::take(&mut *stage.world.shards.lock().unwrap());
        assert!(sent.len() <= 2, "{}", sent.len());
        sent.into_iter().for_each(|message| stage.shard.receive(message, stage.now));
        assert!(stage.world.shards.lock().unwrap().is_empty(), "and they send none");
        stage.read(key);
    }
}
