//! Who is at this gateway, when an engine asks.

use super::*;
use crate::hub::Census;

fn census(stage: &mut Stage, show: ShowId, shards: usize) -> Vec<Present> {
    stage.sent_to_engine();
    stage.receive(ToShard::Census(Arc::new(Census::new(show, 7, shards))));
    let present = |sent| if let ToEngine::Present(present) = sent { present } else { panic!("{sent:?}") };
    stage.sent_to_engine().into_iter().map(present).collect()
}

/// Who was named, by seat and connection.
fn named(parts: &[Present]) -> Vec<(SeatRef, u64)> {
    let mut named: Vec<_> = parts.iter().flat_map(|part| part.players.clone()).collect();
    named.sort_unstable();
    named
}

#[test]
fn each_player_who_sees_the_show_is_counted_once_and_the_last_part_is_marked() {
    let mut stage = Stage::new();
    let keys: Vec<_> = (0..3_000).map(|number| stage.join(number)).collect();
    let newer = stage.join(7);
    stage.join_in(OTHER_SHOW, 9_000);
    let watcher = stage.open();
    stage.send(watcher, &join());
    stage.seat(watcher, None, 0);
    stage.shard.closed(keys[8]);
    let parts = census(&mut stage, SHOW, 1);
    let expected: Vec<_> = (0..3_000)
        .filter(|&number| number != 8)
        .map(|number| (seat(number), if number == 7 { newer } else { keys[number as usize] }.to_wire()))
        .collect();
    assert_eq!(named(&parts), expected);
    assert!(parts.iter().all(|part| (part.gateway, part.show, part.census) == (GatewayId(1), SHOW, 7)));
    assert_eq!(parts.iter().map(|part| part.is_last).filter(|is_last| *is_last).count(), 1);
    assert!(parts.last().unwrap().is_last);
    assert!(parts.iter().all(|part| part.players.len() <= 1_024), "in pieces, so that others are served in between");
}

#[test]
fn a_gateway_without_players_ends_the_census_and_of_several_shards_the_last_does() {
    let mut stage = Stage::new();
    let parts = census(&mut stage, SHOW, 1);
    assert!(matches!(&parts[..], [Present { is_last: true, players, .. }] if players.is_empty()));
    stage.join(0);
    let shared = Arc::new(Census::new(SHOW, 7, 2));
    for is_last in [false, true] {
        stage.sent_to_engine();
        stage.receive(ToShard::Census(Arc::clone(&shared)));
        let sent = stage.sent_to_engine();
        assert_eq!(sent.iter().any(|sent| matches!(sent, ToEngine::Present(part) if part.is_last)), is_last);
    }
}

#[test]
fn a_player_who_leaves_during_the_count_is_gone_afterwards() {
    let mut stage = Stage::new();
    let keys: Vec<_> = (0..2_500).map(|number| stage.join(number)).collect();
    stage.sent_to_engine();
    stage.shard.receive(ToShard::Census(Arc::new(Census::new(SHOW, 7, 1))), stage.now);
    assert!(stage.shard.work(stage.now), "they are more than one piece");
    for &key in &[keys[0], keys[2_499]] {
        stage.shard.closed(key);
    }
    stage.work();
    // By the last word on each seat, these two are not there.
    let mut here = HashMap::new();
    for sent in stage.sent_to_engine() {
        match sent {
            ToEngine::Present(part) => here.extend(part.players.into_iter().map(|(seat, _)| (seat, true))),
            ToEngine::Gone { seat, .. } => drop(here.insert(seat, false)),
            other => panic!("{other:?}"),
        }
    }
    let gone: Vec<_> = (0..2_500).filter(|&number| here.get(&seat(number)) != Some(&true)).collect();
    assert_eq!(gone, [0, 2_499]);
}
