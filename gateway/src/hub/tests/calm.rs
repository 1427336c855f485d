//! When nobody is in a hurry, and what a ping that had to wait is told.

use klaxon_protocol::games::trivia;
use klaxon_protocol::player::Pong;

use super::*;

const SECOND: Span = Span(1000);

fn ping() -> FromPlayer {
    FromPlayer::Ping(Ping { sent: Millis(5) })
}

#[test]
fn a_shard_is_idle_after_a_second_of_nothing_but_heartbeats() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    assert!(!stage.shard.is_idle(stage.now), "somebody just came");
    stage.later(SECOND);
    assert!(stage.shard.is_idle(stage.now));
    stage.send(key, &ping());
    stage.later(SECOND);
    stage.shard.control_frame(key, Bytes::new(), stage.now);
    assert!(stage.shard.is_idle(stage.now));
    stage.send(key, &ping());
    assert!(!stage.shard.is_idle(stage.now), "who asks for the time again and again wants to know it well");
    stage.later(SECOND);
    stage.send(key, &FromPlayer::React(React { emoji: Emoji::Clap }));
    assert!(!stage.shard.is_idle(stage.now), "there may be more of them");
    stage.later(SECOND);
    stage.notice(1);
    assert!(!stage.shard.is_idle(stage.now), "there may be something to say to that");
}

#[test]
fn a_shard_is_never_idle_while_a_question_is_out() {
    let mut stage = Stage::new();
    stage.join(0);
    stage.event(question(1));
    stage.later(SECOND);
    assert!(!stage.shard.is_idle(stage.now));
    stage.event(ToPlayer::Close(trivia::Close { seq: Seq(2), at: Millis(1), question: QuestionId(2) }));
    stage.later(SECOND);
    assert!(stage.shard.is_idle(stage.now));
}

#[test]
fn a_player_who_joins_while_a_question_is_out_may_answer_it() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.send(key, &join());
    let snapshot = Snapshot { phase: Phase::Question, ..snapshot(1) };
    stage.seat_seeing(SHOW, key, Some(0), snapshot);
    stage.later(SECOND);
    assert!(!stage.shard.is_idle(stage.now));
}

#[test]
fn a_ping_that_waited_is_answered_with_the_middle_of_the_time_that_it_was_here() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    let (came, now) = (stage.now, Timestamp(stage.now.0 + 40_000));
    stage.shard.message(key, Payload::Binary(&Codec::Json.encode(&ping())), came, now);
    let pong = Pong { sent: Millis(5), now: came.millis() + Span(20) };
    assert_eq!(stage.read(key).messages, [ToPlayer::Pong(pong)]);
}
