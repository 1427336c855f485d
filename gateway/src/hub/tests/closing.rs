//! How connections end.

use super::*;

#[test]
fn a_dismissed_player_gets_the_reason_on_all_connections_and_no_other_player_does() {
    let mut stage = Stage::new();
    let (one, two, other) = (stage.join(5), stage.join(5), stage.join(6));
    stage.receive(ToGateway::Dismiss { show: SHOW, seat: seat(5), code: ErrorCode::Banned }.into());
    for key in [one, two] {
        let read = stage.read(key);
        assert_eq!(errors(&read).last(), Some(&ErrorCode::Banned));
        assert_eq!(read.closed, Some(Close::Dismissed.code()));
    }
    assert_eq!(stage.read(other), Read::default());
}

#[test]
fn one_who_does_not_join_or_falls_silent_is_closed() {
    let mut stage = Stage::new();
    let (waiting, joining, joined) = (stage.open(), stage.open(), stage.join(0));
    stage.send(joining, &join());
    stage.later(Span(10_000));
    assert_eq!(stage.read(waiting).closed, Some(Close::NeverJoined.code()));
    let read = stage.read(joining);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::Unavailable], Some(Close::TryLater.code())));
    stage.later(Span(24_100));
    assert_eq!(stage.read(joined), Read { pings: 1, ..Read::default() });
    stage.later(Span(26_000));
    assert_eq!(stage.read(joined).closed, None);
    stage.later(Span(100));
    assert_eq!(stage.read(joined).closed, Some(Close::Silent.code()));
}

#[test]
fn a_closing_connection_may_take_a_while_and_then_its_socket_is_closed() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.send(key, &FromPlayer::Leave);
    assert_eq!(stage.shard.socket_action(key, stage.now), SocketAction::Flush);
    assert_eq!(stage.read(key).closed, Some(1000));
    assert_eq!(stage.shard.socket_action(key, stage.now), SocketAction::ShutDown);
    let (mut dirty, stuck) = (Vec::new(), stage.join(1));
    stage.send(stuck, &FromPlayer::Leave);
    stage.shard.take_dirty(&mut dirty);
    stage.later(Span(2_000));
    dirty.clear();
    stage.shard.take_dirty(&mut dirty);
    assert!(dirty.contains(&stuck) && dirty.contains(&key));
    assert_eq!(stage.shard.socket_action(stuck, stage.now), SocketAction::Close);
}

#[test]
fn every_client_is_sent_when_to_come_back() {
    let mut stage = Stage::new();
    let keys = [stage.join(0), stage.join(1), stage.open()];
    let alone = || Drain { slots: u32::MAX, waits_for_replies: true, others: Arc::new([]) };
    for _ in 0..3 {
        stage.shard.drain(alone(), stage.now);
    }
    for key in keys {
        let read = stage.read(key);
        let [ToPlayer::Goodbye(goodbye)] = &read.messages[..] else { panic!("{read:?}") };
        assert!((1_000..2_000).contains(&goodbye.retry.0));
        assert_eq!((&goodbye.to, read.closed), (&None, None));
    }
    stage.later(Span(500));
    assert!(keys.map(|key| stage.read(key).closed).iter().all(|&closed| closed == Some(Close::Restart.code())));
}

#[test]
fn those_whose_turn_it_is_go_and_the_others_play_on() {
    let mut stage = Stage::new();
    let (first, second) = (stage.join(0), stage.join(1));
    stage.goodbye(1, true);
    stage.notice(1);
    assert!(matches!(&stage.read(first).messages[..], [ToPlayer::Goodbye(goodbye), ToPlayer::Notice(_)]
        if goodbye.to.as_deref() == Some("ws://b/play")));
    assert_eq!(seqs(&stage.read(second)), [1]);
    stage.later(Span(500));
    assert_eq!(stage.read(first).closed, Some(Close::Restart.code()));
    stage.notice(2);
    assert_eq!(seqs(&stage.read(second)), [2]);
}

#[test]
fn no_connection_is_closed_without_the_reply_to_an_answer_that_was_read() {
    let mut stage = Stage::new();
    let (before, after) = (stage.join(0), stage.join(1));
    stage.send(before, &answer(1));
    stage.goodbye(u32::MAX, true);
    assert_eq!(stage.read(before), Read::default(), "not before the reply");
    // This one was on the way when its player was told to go.
    stage.send(after, &answer(1));
    stage.later(Span(500));
    assert!(matches!(&stage.read(after), Read { messages, closed: None, .. } if messages.len() == 1));
    stage.shard.flush();
    assert_eq!(answers(stage.sent_to_engine())[0].answers.len(), 2);
    for key in [before, after] {
        stage.reply(key, Verdict::Accepted(Choice(1).into()));
    }
    stage.goodbye(u32::MAX, true);
    stage.later(Span(500));
    for (key, said) in [(before, 2), (after, 1)] {
        let read = stage.read(key);
        assert!(matches!(read.messages[0], ToPlayer::AnswerReply(_)), "{read:?}");
        assert_eq!((read.messages.len(), read.closed), (said, Some(Close::Restart.code())));
    }
}

#[test]
fn when_time_is_up_all_go_whatever_they_wait_for() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.send(key, &answer(1));
    stage.goodbye(u32::MAX, false);
    let read = stage.read(key);
    assert!(matches!(&read.messages[..], [ToPlayer::Goodbye(_)]), "{read:?}");
    assert_eq!(read.closed, Some(Close::Restart.code()));
}

#[test]
fn the_engine_is_sent_in_the_lobby_whose_connection_is_gone_and_whether_they_left() {
    let mut stage = Stage::new();
    let [leaves, drops, closes, displaced] = [0, 1, 2, 3].map(|number| stage.join(number));
    let newest = stage.join(3);
    stage.shard.closed(displaced);
    assert_eq!(stage.sent_to_engine(), [], "the show is seen elsewhere");
    let gone = |key: ConnKey, number, left| {
        let conn = ConnRef { gateway: GatewayId(1), conn: key.to_wire() };
        ToEngine::Gone { conn, show: SHOW, seat: seat(number), left }
    };
    stage.send(leaves, &FromPlayer::Leave);
    stage.shard.closed(drops);
    stage.shard.close_frame(closes, Close::Left.frame(), stage.now);
    assert_eq!(stage.sent_to_engine(), [gone(leaves, 0, true), gone(drops, 1, false), gone(closes, 2, false)]);
    stage.shard.closed(leaves);
    stage.shard.closed(closes);
    assert_eq!(stage.sent_to_engine(), [], "once");
    stage.event(question(1));
    stage.shard.closed(newest);
    assert_eq!(stage.sent_to_engine(), [], "from the first question on every seat is kept");
}

#[test]
fn who_goes_away_before_the_seat_is_there_is_gone() {
    let mut stage = Stage::new();
    let [closed, leaving, again] = [(); 3].map(|()| stage.open());
    [closed, leaving, again].iter().for_each(|&key| stage.send(key, &join()));
    stage.shard.closed(closed);
    stage.send(leaving, &FromPlayer::Leave);
    stage.seat(again, Some(2), 0);
    stage.sent_to_engine();
    for (key, number) in [(closed, 0), (leaving, 1)] {
        stage.seat(key, Some(number), 0);
        let conn = ConnRef { gateway: GatewayId(1), conn: key.to_wire() };
        assert_eq!(stage.sent_to_engine(), [ToEngine::Gone { conn, show: SHOW, seat: seat(number), left: false }]);
        // A spectator has no seat, and after the first question no seat is given again.
        stage.seat(key, None, 0);
        let snapshot = Snapshot { phase: Phase::Question, ..snapshot(1) };
        stage.seat_seeing(SHOW, key, Some(number), snapshot);
    }
    stage.seat(again, Some(2), 0);
    assert_eq!(stage.sent_to_engine(), [], "who is in is not gone, however often the seat is told");
}

#[test]
fn who_had_a_seat_before_is_dismissed_and_who_has_it_now_is_not() {
    let mut stage = Stage::new();
    let before = stage.join(5);
    let now = stage.open();
    stage.send(now, &join());
    let held = SeatRef { generation: Generation(1), ..seat(5) };
    stage.receive(ToGateway::Seated(Seated { seat: Some(held), ..stage.seated(SHOW, now, None, snapshot(0)) }).into());
    assert_eq!(errors(&stage.read(before)), [], "another player displaces nobody");
    stage.receive(ToGateway::Moved { show: SHOW, to: GatewayId(2), seats: [held].into() }.into());
    stage.receive(ToGateway::Dismiss { show: SHOW, seat: seat(5), code: ErrorCode::SeatGivenAway }.into());
    let read = stage.read(before);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::SeatGivenAway], Some(Close::Dismissed.code())));
    stage.send(now, &answer(1));
    stage.shard.flush();
    assert_eq!(answers(stage.sent_to_engine())[0].answers[0].by, held);
    assert_eq!(stage.read(now).closed, None);
}
