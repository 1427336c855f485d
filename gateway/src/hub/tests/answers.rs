//! What players send, and what comes of it.

use klaxon_protocol::claim::{Claim, ClaimText, ClaimValue};

use super::*;

#[test]
fn replies_and_barriers_do_not_wait_for_a_fan_out() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.send(key, &answer(1));
    stage.shard.flush();
    stage.sent_to_engine();
    stage.shard.receive(event(SHOW, lobby(1)), stage.now);
    let reply = Reply {
        conn: key.to_wire(),
        number: 1,
        form: ClaimForm::Answer,
        round: RoundId(1),
        key: ClaimKey(0),
        verdict: Verdict::Accepted(Choice(1).into()),
        read_at: Millis(0),
    };
    stage.shard.receive(replies(vec![reply]), stage.now);
    stage.shard.receive(ToShard::Barrier(Arc::new(Barrier::new(SHOW, RoundId(1), 1))), stage.now);
    stage.shard.read_up_to(Timestamp(stage.now.0 + 1));
    assert_eq!(stage.sent_to_engine().len(), 1);
    let reply = AnswerReply::new(RoundId(1), &Verdict::Accepted(Choice(1).into()));
    assert_eq!(stage.read(key).messages, [ToPlayer::AnswerReply(reply)]);
}

#[test]
fn what_had_come_before_a_barrier_is_read_and_handed_in_before_it_is_passed() {
    let mut stage = Stage::new();
    let (one, two) = (stage.join(3), stage.join(4));
    let barrier = Arc::new(Barrier::new(SHOW, RoundId(1), 2));
    let raised = stage.now;
    // The other shard, which has nothing to read.
    let mut other = Shard::new(1, Arc::clone(&stage.common));
    other.receive(ToShard::Barrier(Arc::clone(&barrier)), raised);
    other.read_up_to(Timestamp(raised.0 + 1));
    stage.receive(ToShard::Barrier(barrier));
    stage.send(one, &answer(1));
    stage.shard.read_up_to(raised);
    assert!(
        stage.sent_to_engine().is_empty() && stage.shard.has_pending_input(),
        "what came in the moment of the barrier may be unread"
    );
    stage.send(two, &answer(1));
    stage.shard.read_up_to(Timestamp(raised.0 + 1));
    let sent = stage.sent_to_engine();
    assert!(matches!(&sent[1..], [ToEngine::BarrierPassed { show: SHOW, round: RoundId(1), .. }]));
    assert_eq!(answers(sent)[0].answers.len(), 2);
    assert!(!stage.shard.has_pending_input());
}

#[test]
fn of_two_barriers_each_is_passed_when_all_is_read_that_had_come_before_it() {
    let mut stage = Stage::new();
    let first = stage.now;
    stage.receive(ToShard::Barrier(Arc::new(Barrier::new(SHOW, RoundId(1), 1))));
    stage.now.0 += 500;
    stage.receive(ToShard::Barrier(Arc::new(Barrier::new(OTHER_SHOW, RoundId(4), 1))));
    stage.shard.read_up_to(Timestamp(first.0 + 1));
    assert!(matches!(&stage.sent_to_engine()[..], [ToEngine::BarrierPassed { show: SHOW, .. }]));
    stage.shard.read_up_to(Timestamp(stage.now.0 + 1));
    assert!(matches!(&stage.sent_to_engine()[..], [ToEngine::BarrierPassed { show: OTHER_SHOW, .. }]));
}

#[test]
fn answers_are_stamped_with_the_time_of_their_read_and_go_together() {
    let mut stage = Stage::new();
    let (one, two) = (stage.join(1), stage.join(2));
    stage.send(one, &answer(1));
    stage.now.0 += 100;
    stage.send(two, &answer(1));
    assert!(stage.shard.has_pending_input() && stage.sent_to_engine().is_empty());
    stage.shard.flush();
    let batches = answers(stage.sent_to_engine());
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].answers.iter().map(|answer| answer.conn).collect::<Vec<_>>(), [one.to_wire(), two.to_wire()]);
    assert!(batches[0].answers.iter().all(|answer| answer.at == Millis(START / 1000)));
}

#[test]
fn the_number_of_answers_without_a_reply_is_limited() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    for _ in 0..5 {
        stage.send(key, &answer(1));
    }
    assert_eq!(errors(&stage.read(key)), [ErrorCode::RateLimited]);
    stage.reply(key, Verdict::Accepted(Choice(1).into()));
    stage.send(key, &answer(1));
    stage.shard.flush();
    assert_eq!(answers(stage.sent_to_engine())[0].answers.len(), 5);
}

#[test]
fn an_answer_that_was_sent_to_the_engine_again_has_one_reply() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    for _ in 0..4 {
        stage.send(key, &answer(1));
    }
    for _ in 0..3 {
        stage.reply(key, Verdict::Refused(ErrorCode::TooLate));
    }
    let reply = AnswerReply::new(RoundId(1), &Verdict::Refused(ErrorCode::TooLate));
    assert_eq!(stage.read(key).messages, [ToPlayer::AnswerReply(reply)]);
    assert_eq!(stage.outstanding(key), 3, "what is said again makes no room for more answers");
}

#[test]
fn answers_that_an_engine_took_to_its_grave_do_not_count_for_ever() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    for _ in 0..4 {
        stage.send(key, &answer(1));
    }
    stage.later(Span(6_000));
    stage.send(key, &answer(2));
    assert_eq!(errors(&stage.read(key)), []);
    // The first reply of the next engine shows that it has none of those before.
    stage.reply(key, Verdict::Accepted(Choice(1).into()));
    assert_eq!(stage.outstanding(key), 0);
}

#[test]
fn replies_that_were_lost_on_the_bus_are_not_held_against_a_player() {
    for lost in [true, false] {
        let mut stage = Stage::new();
        let key = stage.join(0);
        for _ in 0..4 {
            stage.send(key, &answer(1));
        }
        if lost {
            stage.receive(ToGateway::Said { show: SHOW, seq: Seq(0) }.into());
        } else {
            // Whatever was said of the question before was said before this one.
            stage.event(question(1));
        }
        for _ in 0..4 {
            stage.send(key, &answer(2));
        }
        stage.send(key, &answer(2));
        assert_eq!(errors(&stage.read(key)), [ErrorCode::RateLimited], "the fifth of the new ones");
    }
}

#[test]
fn while_no_engine_replies_answers_hardly_pile_up() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    for _ in 0..60 {
        stage.later(Span(1_000));
        stage.send(key, &answer(1));
        stage.shard.flush();
    }
    let sent: usize = answers(stage.sent_to_engine()).iter().map(|batch| batch.answers.len()).sum();
    assert_eq!(sent, 4 + 56 / 5);
}

#[test]
fn one_who_talks_too_much_is_refused_and_one_who_never_stops_is_closed() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    let ping = FromPlayer::Ping(Ping { sent: Millis(1) });
    for _ in 0..25 {
        stage.send(key, &ping);
    }
    let read = stage.read(key);
    assert!(errors(&read).len() >= 5 && errors(&read).iter().all(|&code| code == ErrorCode::RateLimited));
    assert_eq!(read.closed, None);
    for _ in 0..300 {
        stage.send(key, &ping);
    }
    assert_eq!(stage.read(key).closed, Some(Close::Flooding.code()));
    assert_eq!(stage.shard.socket_action(key, stage.now), SocketAction::ShutDown);
}

#[test]
fn what_is_no_message_is_refused_and_what_is_no_websocket_closes() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.shard.message(key, Payload::Binary(b"{\"type\":\"cheat\"}"), stage.now, stage.now);
    stage.shard.message(key, Payload::Binary(b"\xff\x00"), stage.now, stage.now);
    assert_eq!(errors(&stage.read(key)), [ErrorCode::UnknownType, ErrorCode::BadMessage]);
    stage.shard.fault(key, Fault::TooLarge, stage.now);
    let read = stage.read(key);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::TooLarge], Some(1009)));
}

/// The codecs take such texts, as journals may hold them.
#[test]
fn a_text_that_acts_on_screens_or_is_blank_is_no_claim_in_either_codec() {
    let mut stage = Stage::new();
    for codec in Codec::ALL {
        let key = stage.shard.opened(codec, "127.0.0.1".parse().unwrap(), stage.now);
        let mut claim = |text: &str| {
            let value = ClaimValue::Text(ClaimText::kept(text).unwrap());
            let claim = FromPlayer::Claim(Claim { round: RoundId(1), key: ClaimKey(0), value });
            stage.shard.message(key, Payload::Binary(&codec.encode(&claim)), stage.now, stage.now);
            let frame = stage.take(key, usize::MAX);
            let ToPlayer::Error(error) = codec.decode(&frame[if frame[1] == 126 { 4 } else { 2 }..], &[]).unwrap()
            else {
                panic!("{text:?} was not refused")
            };
            (error.code, error.message)
        };
        for (text, problem) in
            [("a\u{202e}b", "embeddings or overrides of direction"), ("\u{3164}", "this one is blank")]
        {
            let (code, told) = claim(text);
            assert_eq!(code, ErrorCode::BadMessage);
            assert!(told.contains("The claim ") && told.contains(problem), "{told}");
        }
        assert_eq!(claim("red").0, ErrorCode::NotJoined);
    }
    assert!(stage.sent_to_engine().is_empty());
}
