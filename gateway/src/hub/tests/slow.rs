//! Those who don't keep up.

use super::*;

#[test]
fn one_who_does_not_read_first_loses_what_can_be_missed() {
    let mut stage = narrow();
    let key = stage.join(0);
    for seq in 1..=4 {
        stage.notice(seq);
        for joined in 0..10 {
            stage.event(lobby(joined));
        }
    }
    let read = stage.read(key);
    assert_eq!(seqs(&read), [1, 2, 3, 4]);
    assert!(read.messages.len() < 44);
    assert!(stage.sent_to_engine().is_empty(), "no snapshot is needed");
}

#[test]
fn one_who_missed_events_gets_a_snapshot_when_it_has_read_and_then_goes_on_without_a_hole() {
    let mut stage = narrow();
    let key = stage.join(0);
    for seq in 1..=20 {
        stage.notice(seq);
    }
    assert!(stage.sent_to_engine().is_empty(), "first it must read what waits");
    let got = seqs(&stage.read(key));
    assert_eq!(got, (1..=got.len() as u64).collect::<Vec<_>>());
    assert!(
        matches!(&stage.sent_to_engine()[..], [ToEngine::Resync { show: SHOW, seat: Some(at), .. }] if *at == seat(0))
    );
    // What comes before the snapshot is in it.
    stage.notice(21);
    stage.resync(key, 21);
    stage.notice(22);
    let read = stage.read(key);
    assert!(matches!(&read.messages[..], [ToPlayer::Snapshot(snapshot), ToPlayer::You(_), ToPlayer::Notice(next)]
        if snapshot.seq == Seq(21) && next.seq == Seq(22)));
}

#[test]
fn a_hole_in_what_the_bus_brings_makes_a_snapshot() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.notice(1);
    stage.notice(3);
    assert_eq!(seqs(&stage.read(key)), [1]);
    assert!(matches!(&stage.sent_to_engine()[..], [ToEngine::Resync { .. }]));
}

#[test]
fn the_number_of_an_event_that_never_came_makes_a_snapshot() {
    let mut stage = Stage::new();
    let (knows, missed) = (stage.join(0), stage.join(1));
    stage.notice(1);
    let up_to_date = stage.open();
    stage.send(up_to_date, &join());
    stage.seat(up_to_date, Some(2), 2);
    for key in [knows, missed, up_to_date] {
        stage.read(key);
    }
    stage.sent_to_engine();
    stage.receive(ToGateway::Said { show: SHOW, seq: Seq(1) }.into());
    for key in [knows, missed, up_to_date] {
        stage.read(key);
    }
    assert!(stage.sent_to_engine().is_empty(), "all have seen it");
    stage.receive(ToGateway::Said { show: SHOW, seq: Seq(2) }.into());
    for key in [knows, missed, up_to_date] {
        stage.read(key);
    }
    assert_eq!(stage.sent_to_engine().len(), 2);
    // The bus lost its memory once more, and with it what was asked.
    stage.receive(ToGateway::Said { show: SHOW, seq: Seq(2) }.into());
    for key in [knows, missed, up_to_date] {
        stage.read(key);
    }
    assert_eq!(stage.sent_to_engine().len(), 2);
    stage.resync(knows, 2);
    assert_eq!(seqs(&stage.read(knows)), [] as [u64; 0]);
    stage.notice(3);
    assert_eq!(seqs(&stage.read(knows)), [3]);
}

#[test]
fn a_snapshot_that_does_not_come_is_requested_again_and_the_connection_stays() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.notice(2);
    stage.read(key);
    assert_eq!(stage.sent_to_engine().len(), 1);
    for _ in 0..5 {
        stage.later(Span(4_000));
        stage.read(key);
        assert!(matches!(&stage.sent_to_engine()[..], [ToEngine::Resync { .. }]));
    }
    stage.resync(key, 2);
    assert!(matches!(&stage.read(key).messages[..], [ToPlayer::Snapshot(_), ToPlayer::You(_)]));
}

#[test]
fn one_who_does_not_catch_up_is_closed_as_too_slow() {
    let mut stage = narrow();
    let key = stage.join(0);
    for seq in 1..=20 {
        stage.notice(seq);
    }
    stage.later(Span(9_999));
    assert_eq!(stage.shard.socket_action(key, stage.now), SocketAction::Keep);
    stage.later(Span(1));
    let read = stage.read(key);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::TooSlow], Some(4008)));
}

#[test]
fn a_client_that_is_too_slow_gets_the_rest_of_its_frame_and_the_error_in_place_of_all_else() {
    let mut stage = narrow();
    let key = stage.join(0);
    for seq in 1..=20 {
        stage.notice(seq);
    }
    let mut bytes = stage.take(key, 100);
    stage.later(Span(10_000));
    assert_eq!(stage.shard.socket_action(key, stage.now), SocketAction::Flush);
    bytes.extend(stage.take(key, usize::MAX));
    let read = parse(&bytes);
    assert_eq!((seqs(&read), errors(&read), read.closed), (vec![1], vec![ErrorCode::TooSlow], Some(4008)));
    assert_eq!(stage.shard.socket_action(key, stage.now), SocketAction::ShutDown);
}

#[test]
fn one_who_asks_and_asks_and_never_reads_is_closed_as_too_slow() {
    let mut stage = narrow();
    let key = stage.join(0);
    for _ in 0..20 {
        stage.shard.message(key, Payload::Binary(b"nonsense"), stage.now, stage.now);
    }
    let read = stage.read(key);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::TooSlow], Some(4008)));
}

#[test]
fn frames_of_a_few_bytes_count_with_all_the_memory_they_take() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    for _ in 0..20_000 {
        stage.now.0 += 100_000;
        stage.shard.control_frame(key, Bytes::from_static(b"\x8a\x00"), stage.now);
    }
    let waiting = stage.take(key, usize::MAX).len() / 2;
    assert!((100..1000).contains(&waiting), "{waiting} pongs wait for one who does not read");
}
