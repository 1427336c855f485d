//! Who is in, and hears the show.

use super::*;

#[test]
fn a_joiner_gets_welcome_snapshot_and_itself_and_then_every_later_event_once() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.send(key, &join());
    assert!(matches!(&stage.sent_to_engine()[..], [ToEngine::Join(asked)] if asked.conn.conn == key.to_wire()));
    // Events of a show that it is not in yet are not for it.
    stage.notice(1);
    assert_eq!(stage.read(key), Read::default());
    stage.seat(key, Some(0), 2);
    let read = stage.read(key);
    assert!(matches!(&read.messages[..], [ToPlayer::Welcome(_), ToPlayer::Snapshot(_), ToPlayer::You(YOU)]));
    // Its snapshot has the second; the bus brings it late.
    for seq in 2..5 {
        stage.notice(seq);
    }
    assert_eq!(seqs(&stage.read(key)), [3, 4]);
}

#[test]
fn a_player_whom_the_engine_refuses_gets_the_reason_and_can_try_again() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.send(key, &join());
    stage.receive(join_refused(key, ErrorMessage::from(ErrorCode::UnknownShow)));
    assert_eq!(errors(&stage.read(key)), [ErrorCode::UnknownShow]);
    stage.send(key, &join());
    assert_eq!(stage.sent_to_engine().len(), 2);
}

#[test]
fn nothing_but_a_ping_is_answered_before_the_join() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.send(key, &answer(1));
    stage.send(key, &FromPlayer::React(React { emoji: Emoji::Clap }));
    assert_eq!(errors(&stage.read(key)), [ErrorCode::NotJoined; 2]);
    stage.send(key, &FromPlayer::Ping(Ping { sent: Millis(9) }));
    let pong = Pong { sent: Millis(9), now: stage.now.millis() };
    assert_eq!(stage.read(key).messages, [ToPlayer::Pong(pong)]);
    assert_eq!(stage.sent_to_engine(), []);
}

#[test]
fn a_spectators_answer_is_not_in_play() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.send(key, &join());
    stage.seat(key, None, 0);
    stage.read(key);
    stage.sent_to_engine();
    stage.send(key, &answer(1));
    let reply = AnswerReply::new(RoundId(1), &Verdict::Refused(ErrorCode::NotInPlay));
    assert_eq!(stage.read(key).messages, [ToPlayer::AnswerReply(reply)]);
    stage.shard.flush();
    assert_eq!(stage.sent_to_engine(), []);
}

#[test]
fn a_fan_out_reaches_each_member_once_even_while_others_leave() {
    let mut stage = Stage::new();
    let keys: Vec<_> = (0..1_700).map(|seat| stage.join(seat)).collect();
    stage.shard.receive(event(SHOW, lobby(1_700)), stage.now);
    assert!(stage.shard.work(stage.now), "they are more than one piece");
    // Some that were reached and some that were not.
    for slot in (0..1_700).step_by(7) {
        stage.shard.closed(keys[slot]);
    }
    stage.work();
    for (slot, &key) in keys.iter().enumerate() {
        let expected = if slot % 7 == 0 { vec![] } else { vec![lobby(1_700)] };
        assert_eq!(stage.read(key).messages, expected, "{slot}");
    }
}

#[test]
fn a_small_show_does_not_wait_until_all_players_of_a_big_one_are_sent_an_event() {
    let mut stage = Stage::new();
    let many: Vec<_> = (0..6_000).map(|seat| stage.join(seat)).collect();
    let one = stage.join_in(OTHER_SHOW, 0);
    stage.shard.receive(event(SHOW, notice(1)), stage.now);
    stage.shard.receive(event(SHOW, notice(2)), stage.now);
    assert!(stage.shard.work(stage.now));
    stage.shard.receive(event(OTHER_SHOW, notice(1)), stage.now);
    stage.shard.receive(event(OTHER_SHOW, notice(2)), stage.now);
    // The rest of a piece of the big show's, and one piece of it after each event of the small one's.
    (0..3).for_each(|_| assert!(stage.shard.work(stage.now)));
    assert_eq!(seqs(&stage.read(one)), [1, 2]);
    assert_eq!(stage.read(many[5_999]), Read::default());
    stage.work();
    assert!(many.into_iter().all(|key| seqs(&stage.read(key)) == [1, 2]), "and each show's events stay in their order");
}

#[test]
fn the_newer_connection_of_a_player_has_the_display_and_answers_count_from_both() {
    let mut stage = Stage::new();
    let (older, newer) = (stage.join(5), stage.join(5));
    assert_eq!(errors(&stage.read(older)), [ErrorCode::Displaced]);
    stage.notice(1);
    assert_eq!(seqs(&stage.read(newer)), [1]);
    assert_eq!(stage.read(older), Read::default());
    stage.send(older, &answer(1));
    stage.shard.flush();
    assert_eq!(answers(stage.sent_to_engine())[0].answers[0].by, seat(5));
    stage.reply(older, Verdict::Accepted(Choice(1).into()));
    assert!(matches!(&stage.read(older).messages[..], [ToPlayer::AnswerReply(_)]));
}

#[test]
fn a_player_who_is_in_and_is_seated_again_is_sent_nothing() {
    let mut stage = Stage::new();
    let key = stage.join(5);
    stage.notice(1);
    stage.read(key);
    stage.seat(key, Some(5), 3);
    assert_eq!(stage.read(key), Read::default());
    stage.notice(2);
    assert_eq!(seqs(&stage.read(key)), [2], "and misses nothing for it");
    assert_eq!(stage.common.players.of(SHOW, seat(5)), [key]);
}

#[test]
fn one_who_came_in_at_another_gateway_loses_the_display_and_one_who_comes_back_has_it() {
    let mut stage = Stage::new();
    let (moved, other) = (stage.join(5), stage.join(6));
    stage.receive(ToGateway::Moved { show: SHOW, to: GatewayId(2), seats: [seat(5), seat(9)].into() }.into());
    assert_eq!(errors(&stage.read(moved)), [ErrorCode::Displaced]);
    let back = stage.join(5);
    stage.notice(1);
    assert_eq!(seqs(&stage.read(other)), [1]);
    assert_eq!(seqs(&stage.read(back)), [1]);
    assert_eq!(seqs(&stage.read(moved)), [] as [u64; 0]);
    stage.send(moved, &answer(1));
    stage.shard.flush();
    assert_eq!(answers(stage.sent_to_engine())[0].answers[0].by, seat(5), "its answers count all the same");
}

#[test]
fn it_is_known_who_is_on_the_way_in() {
    let mut stage = Stage::new();
    let common = Arc::clone(&stage.common);
    let nobody = || {
        let mut nobody = false;
        common.pending_joins.if_none(|| nobody = true);
        nobody
    };
    let [seated, refused, gone, late] = [(); 4].map(|()| stage.open());
    assert!(nobody());
    for key in [seated, refused, gone] {
        stage.send(key, &join());
        assert!(!nobody());
    }
    stage.seat(seated, Some(0), 1);
    stage.receive(join_refused(refused, ErrorMessage::from(ErrorCode::UnknownShow)));
    assert!(!nobody());
    stage.shard.closed(gone);
    assert!(nobody());
    stage.send(late, &join());
    stage.later(Span(10_000));
    assert!(nobody(), "it was told to try later");
}

#[test]
fn the_connections_of_a_player_are_limited() {
    let mut stage = Stage::with(|settings| settings.connections_per_player = 2);
    let keys: Vec<_> = (0..3).map(|_| stage.join(5)).collect();
    assert_eq!(stage.read(keys[0]).closed, Some(Close::TooMany.code()));
    assert_eq!(stage.read(keys[1]).closed, None);
}

#[test]
fn figures_count_who_is_in_and_nothing_is_kept_of_who_is_gone() {
    let mut stage = Stage::new();
    let keys = [stage.join(0), stage.join(1)];
    let figures = stage.common.figures.look(SHOW).unwrap();
    stage.send(keys[0], &FromPlayer::React(React { emoji: Emoji::Heart }));
    assert_eq!(stage.common.figures.take_reactions(), [(SHOW, [0, 1, 0, 0, 0, 0])]);
    drop(figures);
    for key in keys {
        stage.shard.closed(key);
    }
    assert_eq!(stage.shard.len(), 0);
    (0..50).for_each(|_| stage.later(Span(100)));
    stage.common.figures.take_reactions();
    assert!(stage.common.figures.look(SHOW).is_none());
    assert!(stage.common.players.of(SHOW, seat(0)).is_empty());
}

#[test]
fn a_key_of_a_closed_connection_opens_nothing() {
    let mut stage = Stage::new();
    let old = stage.join(0);
    stage.shard.closed(old);
    let new = stage.join(1);
    assert_eq!(old.slot, new.slot);
    stage.reply(old, Verdict::Accepted(Choice(1).into()));
    stage.shard.closed(old);
    assert_eq!(stage.read(new), Read::default());
    assert!(stage.shard.is_reading(new) && !stage.shard.is_reading(old));
}

#[test]
fn a_player_who_joins_or_catches_up_in_a_pause_is_sent_what_is_left() {
    let in_pause = |phase| {
        let ToPlayer::Question(question) = question(3) else { panic!("a question") };
        let question = Question { opens_at: Millis(1_000), closes_at: Millis(60_000 + 7_500), ..question };
        Snapshot { at: Millis(60_000), phase, paused: true, question: Some(question), ..snapshot(4) }
    };
    for (phase, left) in [(Phase::Question, Some(Span(7_500))), (Phase::Closed, None), (Phase::Lobby, None)] {
        for codec in [Codec::Json, Codec::Bincode] {
            let mut bytes = Vec::new();
            crate::hub::shard::append_pause(codec, &in_pause(phase).into(), &mut bytes);
            let sent = codec.decode::<ToPlayer>(&bytes[2..], &[]).unwrap();
            assert_eq!(sent, ToPlayer::Paused(Paused { left }));
        }
        let mut stage = Stage::new();
        let key = stage.open();
        stage.send(key, &join());
        stage.seat_seeing(SHOW, key, Some(0), in_pause(phase));
        let read = stage.read(key);
        assert_eq!(read.messages.len(), 4);
        assert_eq!(read.messages[3], ToPlayer::Paused(Paused { left }), "after welcome, snapshot and you");
        // It has no place in the order of events.
        stage.notice(5);
        assert_eq!(seqs(&stage.read(key)), [5]);
    }
}

/// The engine is told from where a connection comes, and nothing by which anybody could tell the address.
#[test]
fn connections_from_one_address_have_one_origin_whichever_players_use_them() {
    let mut stage = Stage::new();
    let mut origin = |address: &str| {
        let key = stage.open_from(address);
        stage.send(key, &join());
        let sent = stage.sent_to_engine();
        let [ToEngine::Join(asked)] = &sent[..] else { panic!("{sent:?}") };
        assert!(!format!("{asked:?}").contains(address), "{asked:?}");
        asked.origin
    };
    let home = origin("192.0.2.7");
    assert_eq!([origin("192.0.2.7"), origin("::ffff:192.0.2.7")], [home; 2]);
    let network = origin("2001:db8:1:2::1");
    assert_eq!(origin("2001:db8:1:2:3:4:5:6"), network);
    let different = [home, network, origin("192.0.2.8"), origin("2001:db8:1:3::1"), origin("127.0.0.1")];
    assert!((1..different.len()).all(|at| !different[..at].contains(&different[at])), "{different:?}");
}
