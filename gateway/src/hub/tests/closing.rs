//! How connections end.

use super::*;

#[test]
fn a_dismissed_player_is_told_why_on_all_connections_and_nobody_else_is() {
    let mut stage = Stage::new();
    let (one, two, other) = (stage.join(5), stage.join(5), stage.join(6));
    stage.hear(ForShard::Dismiss(SHOW, Seat(5), ErrorCode::Banned));
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
    stage.say(joining, &join());
    stage.later(Span(10_000));
    assert_eq!(stage.read(waiting).closed, Some(Close::NeverJoined.code()));
    let read = stage.read(joining);
    assert_eq!((errors(&read), read.closed), (vec![ErrorCode::Unavailable], Some(Close::TryLater.code())));
    stage.later(Span(49_999));
    assert_eq!(stage.read(joined).closed, None);
    stage.later(Span(1));
    assert_eq!(stage.read(joined).closed, Some(Close::Silent.code()));
}

#[test]
fn last_words_may_take_a_while_and_then_the_socket_is_let_go() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.say(key, &FromPlayer::Leave);
    assert_eq!(stage.shard.fate(key, stage.now), Fate::Keep);
    assert_eq!(stage.read(key).closed, Some(1000));
    assert_eq!(stage.shard.fate(key, stage.now), Fate::Finish);
    let (mut dirty, stuck) = (Vec::new(), stage.join(1));
    stage.say(stuck, &FromPlayer::Leave);
    stage.shard.take_dirty(&mut dirty);
    stage.later(Span(2_000));
    dirty.clear();
    stage.shard.take_dirty(&mut dirty);
    assert!(dirty.contains(&stuck) && dirty.contains(&key));
    assert_eq!(stage.shard.fate(stuck, stage.now), Fate::Drop);
}

#[test]
fn everybody_is_told_when_to_come_back() {
    let mut stage = Stage::new();
    let keys = [stage.join(0), stage.join(1), stage.open()];
    stage.hear(ForShard::Goodbye(Span(1_000)));
    for key in keys {
        let read = stage.read(key);
        let Some(ToPlayer::Goodbye(goodbye)) = read.messages.last() else { panic!("{read:?}") };
        assert!((1_000..2_000).contains(&goodbye.retry.0));
        assert_eq!(read.closed, Some(Close::Restart.code()));
    }
}
