//! Who is asked whether they are there, and who is taken for dead.

use super::*;
use crate::transport::Outbox;

/// The default heartbeat is 30 s: whoever is silent is pinged after 33.75 s, some up to 7.5 s later, and closed after 60 s.
const TICK: Span = Span(100);
const MINUTE: Span = Span(60_000);

/// Time passes in ticks, as a reactor has it. The client reads, and answers pings if it is such a one; the pings that it had.
fn live(stage: &mut Stage, key: ConnKey, long: Span, answers: bool) -> Result<usize, Option<u16>> {
    let mut pings = 0;
    for _ in 0..long.0 / TICK.0 {
        stage.later(TICK);
        let read = stage.read(key);
        if read.closed.is_some() {
            return Err(read.closed);
        }
        pings += read.pings;
        for _ in 0..if answers { read.pings } else { 0 } {
            stage.shard.control_frame(key, Bytes::new(), stage.now);
        }
    }
    Ok(pings)
}

fn heartbeat() -> FromPlayer {
    FromPlayer::Ping(Ping { sent: Millis(5) })
}

#[test]
fn a_client_that_only_answers_pings_stays_for_an_hour_and_one_that_does_not_is_closed() {
    let mut stage = Stage::new();
    let hidden = stage.join(0);
    let pings = live(&mut stage, hidden, Span(3_600_000), true).unwrap();
    assert!((85..110).contains(&pings), "{pings} in an hour");
    assert_eq!(live(&mut stage, hidden, MINUTE, false), Err(Some(Close::Silent.code())));
}

#[test]
fn a_spectator_is_pinged_as_well_and_one_who_was_closed_is_not() {
    let mut stage = Stage::new();
    let key = stage.open();
    stage.send(key, &join());
    stage.seat(key, None, 0);
    stage.read(key);
    assert!(live(&mut stage, key, MINUTE + MINUTE, true).unwrap() > 0);
    let gone = stage.join(1);
    stage.send(gone, &FromPlayer::Leave);
    for _ in 0..50 {
        stage.later(Span(1_000));
    }
    assert_eq!(stage.read(gone).pings, 0);
}

#[test]
fn a_client_that_sends_in_time_is_never_pinged_and_a_late_one_only_then() {
    let mut stage = Stage::with(|settings| settings.burst = 1_000);
    for seat in 0..3 {
        let key = stage.join(seat);
        for _ in 0..20 {
            assert_eq!(live(&mut stage, key, Span(30_000), false), Ok(0));
            stage.send(key, &heartbeat());
        }
        // A page in a hidden tab whose timer runs once a minute, in a browser that answers.
        for _ in 0..20 {
            assert_eq!(live(&mut stage, key, MINUTE, true), Ok(1));
            stage.send(key, &heartbeat());
        }
    }
}

#[test]
fn a_client_that_was_silent_while_the_server_stood_still_is_pinged_before_it_is_closed() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.later(Span(600_000));
    assert_eq!(stage.read(key), Read { pings: 1, ..Read::default() });
    stage.shard.control_frame(key, Bytes::new(), stage.now);
    assert!(live(&mut stage, key, MINUTE, true).unwrap() > 0);
}

#[test]
fn those_who_fall_silent_together_are_pinged_over_a_quarter_of_the_heartbeat() {
    let mut stage = Stage::new();
    let keys: Vec<_> = (0..640).map(|seat| stage.join(seat)).collect();
    let mut crowds = Vec::new();
    for _ in 0..600 {
        stage.later(TICK);
        crowds.push(keys.iter().map(|&key| stage.read(key).pings).sum::<usize>());
    }
    assert_eq!(crowds.iter().sum::<usize>(), 640);
    assert!(crowds.iter().all(|&crowd| crowd <= 20), "{crowds:?}");
    let (first, last) = (crowds.iter().position(|&crowd| crowd > 0), crowds.iter().rposition(|&crowd| crowd > 0));
    assert_eq!((first, last), (Some(337), Some(411)), "in tenths of a second");
}

#[test]
fn a_client_that_does_not_read_gathers_no_pings_however_long_it_talks() {
    let mut stage = Stage::with(|settings| settings.burst = 1_000);
    let key = stage.join(0);
    for _ in 0..100 {
        stage.later(Span(40_000));
        stage.send(key, &FromPlayer::React(React { emoji: Emoji::Clap }));
    }
    let read = stage.read(key);
    assert_eq!((read.pings, read.closed), (1, None));
    // It reads again, and its browser answers.
    stage.shard.control_frame(key, Bytes::new(), stage.now);
    assert!(live(&mut stage, key, MINUTE, true).unwrap() > 0);
}

#[test]
fn a_ping_that_has_no_room_waits_behind_the_rest_and_is_not_dropped_with_what_can_be_missed() {
    let mut stage = narrow();
    let key = stage.join(0);
    for seq in 1..=5 {
        stage.notice(seq);
    }
    for joined in 0..50 {
        stage.event(lobby(joined));
    }
    let full = stage.waiting(key);
    stage.later(Span(34_000));
    assert_eq!(stage.waiting(key), full + Outbox::memory_of(2));
    for joined in 0..50 {
        stage.event(lobby(joined));
    }
    assert!(stage.waiting(key) <= NARROW + Outbox::memory_of(2));
    assert_eq!(stage.read(key).pings, 1);
}

#[test]
fn the_pong_that_was_asked_for_is_free_and_a_flood_of_others_is_not() {
    let mut stage = Stage::with(|settings| (settings.players.limits.messages_per_second, settings.burst) = (1, 1));
    let key = stage.join(0);
    for _ in 0..20 {
        stage.now.0 += 34_000_000;
        stage.shard.tick(stage.now);
        assert_eq!(stage.read(key).pings, 1);
        // All that it may say just now, and the pong behind it.
        stage.send(key, &FromPlayer::React(React { emoji: Emoji::Clap }));
        stage.shard.control_frame(key, Bytes::new(), stage.now);
        assert_eq!(stage.read(key), Read::default());
    }
    for _ in 0..300 {
        stage.shard.control_frame(key, Bytes::new(), stage.now);
    }
    let read = stage.read(key);
    assert_eq!((errors(&read).len(), read.closed), (200, Some(Close::Flooding.code())));
}

#[test]
fn pings_and_pongs_do_not_end_idleness() {
    let mut stage = Stage::new();
    let key = stage.join(0);
    stage.later(Span(34_000));
    assert!(stage.shard.is_idle(stage.now));
    assert_eq!(stage.read(key).pings, 1);
    stage.shard.control_frame(key, Bytes::new(), stage.now);
    stage.send(key, &heartbeat());
    assert!(stage.shard.is_idle(stage.now), "its own heartbeat came at the same time");
    stage.send(key, &heartbeat());
    assert!(!stage.shard.is_idle(stage.now));
}
